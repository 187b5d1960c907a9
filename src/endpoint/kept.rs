//! Messages that were kept, and are said one by one.

use std::collections::VecDeque;

use super::source::Input;

/// What of them is still to be said.
pub struct Kept(VecDeque<Vec<u8>>);

impl Kept {
    /// Says these, and then the end.
    pub fn new(messages: Vec<Vec<u8>>) -> Kept {
        Kept(messages.into())
    }

    /// The next one.
    pub fn read(&mut self, buffer: &mut [u8]) -> Input {
        match self.0.pop_front() {
            None => Input::End,
            Some(bytes) if bytes.len() > buffer.len() => Input::Long { full: bytes.len(), bytes },
            Some(bytes) => {
                buffer[..bytes.len()].copy_from_slice(&bytes);
                Input::Message { len: bytes.len(), full: bytes.len() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_comes_whole_even_an_empty_one_and_then_the_end() {
        let mut kept = Kept::new(vec![b"abc".to_vec(), Vec::new(), b"longer".to_vec()]);
        let mut buffer = [0; 4];
        assert_eq!(kept.read(&mut buffer), Input::Message { len: 3, full: 3 });
        assert_eq!(&buffer[..3], b"abc");
        assert_eq!(kept.read(&mut buffer), Input::Message { len: 0, full: 0 });
        assert_eq!(kept.read(&mut buffer), Input::Long { bytes: b"longer".to_vec(), full: 6 });
        assert_eq!(kept.read(&mut buffer), Input::End);
    }
}
