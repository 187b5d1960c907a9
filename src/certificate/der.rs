//! The elements of DER (X.690), one after the other: for what has no decoder of its own.

use x509_parser::asn1_rs::{Any, Class, FromDer as _};

/// One element of DER.
#[derive(Clone, Copy, Debug)]
pub struct Element<'a> {
    /// Its class and number: `(Class::Universal, 16)` is a SEQUENCE.
    pub kind: (Class, u32),
    /// What is in it.
    pub content: &'a [u8],
    /// The same with its head.
    pub whole: &'a [u8],
}

/// A choice, by number.
pub const ENUMERATED: (Class, u32) = (Class::Universal, 10);
/// Several elements in one.
pub const SEQUENCE: (Class, u32) = (Class::Universal, 16);
const INTEGER: (Class, u32) = (Class::Universal, 2);
const BIT_STRING: (Class, u32) = (Class::Universal, 3);
const OCTET_STRING: (Class, u32) = (Class::Universal, 4);

/// Elements of DER that follow each other.
#[derive(Clone, Copy, Debug)]
pub struct Elements<'a>(pub &'a [u8]);

impl<'a> Elements<'a> {
    /// The next one, if it is of this kind; otherwise it stays the next.
    pub fn take(&mut self, kind: (Class, u32)) -> Option<Element<'a>> {
        let (rest, any) = Any::from_der(self.0).ok()?;
        if (any.class(), any.tag().0) != kind {
            return None;
        }
        let whole = &self.0[..self.0.len() - rest.len()];
        self.0 = rest;
        Some(Element { kind, content: any.data, whole })
    }

    /// The next one, of whatever kind.
    pub fn any(&mut self) -> Option<Element<'a>> {
        let (_, any) = Any::from_der(self.0).ok()?;
        self.take((any.class(), any.tag().0))
    }

    /// What is in the next one, tagged with this number.
    pub fn tagged(&mut self, number: u32) -> Option<&'a [u8]> {
        self.take((Class::ContextSpecific, number)).map(|element| element.content)
    }

    /// The elements of the next one, a SEQUENCE.
    pub fn sequence(&mut self) -> Option<Elements<'a>> {
        self.take(SEQUENCE).map(|element| Elements(element.content))
    }

    /// The bytes of the next one, an INTEGER.
    pub fn integer(&mut self) -> Option<&'a [u8]> {
        self.take(INTEGER).map(|element| element.content)
    }

    /// The bytes of the next one, an OCTET STRING.
    pub fn octets(&mut self) -> Option<&'a [u8]> {
        self.take(OCTET_STRING).map(|element| element.content)
    }

    /// The bytes of the next one, a BIT STRING of whole bytes.
    pub fn bits(&mut self) -> Option<&'a [u8]> {
        match self.take(BIT_STRING)?.content {
            [0, bytes @ ..] => Some(bytes),
            _ => None,
        }
    }
}

/// A SEQUENCE of what is given (X.690, 8.1.3 for its length).
pub fn sequence(content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let zeros = length.iter().take_while(|byte| **byte == 0).count();
    let long = [&[0x80 | (length.len() - zeros) as u8], &length[zeros..]].concat();
    let length = if content.len() < 0x80 { vec![content.len() as u8] } else { long };
    [&[0x30], &length[..], content].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_into_a_sequence_is_found_in_it() {
        for length in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x1_0000] {
            let content = vec![5; length];
            let whole = sequence(&content);
            let mut elements = Elements(&whole);
            assert_eq!(elements.sequence().map(|found| found.0), Some(&content[..]), "{length}");
            assert!(elements.0.is_empty());
        }
    }
}
