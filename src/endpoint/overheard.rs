//! A source of which somebody hears all that it says, when it is read.

use std::io;
use std::task::{Context, Poll, ready};

use super::source::{Input, Source};

/// What a source has said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said<'a> {
    /// Bytes of a stream, or a whole message.
    Bytes(&'a [u8]),
    /// Its end.
    End,
    /// Nothing more: it could not be read.
    Cut,
}

/// Who hears it.
pub type Listening = Box<dyn FnMut(Said<'_>)>;

/// A source, and who hears what it says.
pub struct Overheard {
    /// Who speaks.
    pub source: Source,
    listening: Listening,
    /// The end was told.
    has_ended: bool,
}

impl Overheard {
    /// Lets `listening` hear all that `source` says from now on.
    pub fn around(source: Source, listening: Listening) -> Source {
        Source::Overheard(Box::new(Overheard { source, listening, has_ended: false }))
    }

    /// As `Source::poll_read`.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<Input>> {
        let input = ready!(self.source.poll_read(cx, buffer));
        let said = match &input {
            Ok(Input::Bytes(n)) => Said::Bytes(&buffer[..*n]),
            Ok(Input::Message { len, .. }) => Said::Bytes(&buffer[..*len]),
            Ok(Input::Long { bytes, .. }) => Said::Bytes(bytes),
            Ok(Input::End) => Said::End,
            Err(_) => Said::Cut,
        };
        let is_end = matches!(said, Said::End | Said::Cut);
        if !(is_end && std::mem::replace(&mut self.has_ended, is_end)) {
            (self.listening)(said);
        }
        Poll::Ready(input)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io::Cursor;
    use std::rc::Rc;
    use std::task::Waker;

    use super::*;

    #[test]
    fn all_that_is_read_is_heard_and_the_end_once() {
        let heard = Rc::new(RefCell::new(Vec::new()));
        let ear = heard.clone();
        let source = Source::Fixed(Box::new(Cursor::new(b"abc".to_vec())));
        let mut source =
            Overheard::around(source, Box::new(move |said| ear.borrow_mut().push(format!("{said:?}"))));
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..4 {
            assert!(source.poll_read(&mut cx, &mut [0; 2]).is_ready());
        }
        assert_eq!(*heard.borrow(), ["Bytes([97, 98])", "Bytes([99])", "End"]);
    }
}
