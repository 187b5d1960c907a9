//! What is signed, and by which key: the form that certificates and OCSP responses share (RFC 5280, 4.1.1), and the
//! elements of DER that it is made of.

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

/// A public key.
#[derive(Clone, Copy, Debug)]
pub struct PublicKey<'a> {
    algorithm: &'a [u8],
    /// The key itself, whose hash names it in OCSP.
    pub bits: &'a [u8],
}

impl<'a> PublicKey<'a> {
    /// Out of what is in a SubjectPublicKeyInfo.
    pub fn of(mut info: Elements<'a>) -> Option<PublicKey<'a>> {
        let algorithm = info.sequence()?.0;
        Some(PublicKey { algorithm, bits: info.bits()? })
    }
}

/// Something with a signature.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// What is signed.
    pub message: &'a [u8],
    algorithm: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Signed<'a> {
    /// Takes the three elements that it is made of.
    pub fn of(elements: &mut Elements<'a>) -> Option<Signed<'a>> {
        let message = elements.take(SEQUENCE)?.whole;
        Some(Signed { message, algorithm: elements.sequence()?.0, signature: elements.bits()? })
    }

    /// A certificate.
    pub fn certificate(der: &'a [u8]) -> Option<Signed<'a>> {
        Signed::of(&mut Elements(der).sequence()?)
    }

    /// Whether the signature is of this key, by an algorithm that is accepted (none with SHA-1).
    pub fn is_by(&self, key: &PublicKey<'_>) -> bool {
        webpki::ALL_VERIFICATION_ALGS.iter().any(|known| {
            known.signature_alg_id().as_ref() == self.algorithm
                && known.public_key_alg_id().as_ref() == key.algorithm
                && known.verify_signature(key.bits, self.message, self.signature).is_ok()
        })
    }
}
