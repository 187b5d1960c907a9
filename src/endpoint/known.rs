//! Bytes known beforehand, in memory that all who say them share.

use std::rc::Rc;

/// How often they are said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HowOften {
    /// Once, and then comes the end.
    Once,
    /// Over and over, without an end.
    ForEver,
}

/// The bytes, and how far they have been said.
pub struct Known {
    bytes: Rc<[u8]>,
    at: usize,
    often: HowOften,
}

impl Known {
    /// Says `bytes` from their start.
    pub fn new(bytes: Rc<[u8]>, often: HowOften) -> Known {
        Known { bytes, at: 0, often }
    }

    /// Fills `buffer` as far as there is something to say; 0 is the end.
    pub fn read(&mut self, buffer: &mut [u8]) -> usize {
        let mut filled = 0;
        while filled < buffer.len() && !self.bytes.is_empty() {
            if self.at == self.bytes.len() {
                match self.often {
                    HowOften::Once => break,
                    HowOften::ForEver => self.at = 0,
                }
            }
            let n = (buffer.len() - filled).min(self.bytes.len() - self.at);
            buffer[filled..filled + n].copy_from_slice(&self.bytes[self.at..self.at + n]);
            self.at += n;
            filled += n;
        }
        filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_ends_and_for_ever_begins_anew() {
        let mut buffer = [0; 5];
        let mut once = Known::new(Rc::from(*b"abc"), HowOften::Once);
        assert_eq!((once.read(&mut buffer), &buffer[..3]), (3, &b"abc"[..]));
        assert_eq!(once.read(&mut buffer), 0);
        let mut again = Known::new(Rc::from(*b"abc"), HowOften::ForEver);
        again.read(&mut buffer);
        assert_eq!(&buffer, b"abcab");
        again.read(&mut buffer);
        assert_eq!(&buffer, b"cabca");
    }

    #[test]
    fn nothing_is_an_end_however_often_it_is_said() {
        assert_eq!(Known::new(Rc::from(*b""), HowOften::ForEver).read(&mut [0; 5]), 0);
    }
}
