//! Distinguished names as text that cannot lie about where an attribute ends.

use x509_parser::der_parser::asn1_rs::Tag;
use x509_parser::prelude::FromDer;
use x509_parser::x509::{AttributeTypeAndValue, RelativeDistinguishedName, X509Name};

use super::{escaped, words};

/// `C=DE, O=Example, CN=example.org`, in the order of the certificate. Special characters are escaped as RFC 4514 has
/// it, those that a terminal would obey as `escaped` has it.
pub fn text(name: &X509Name<'_>) -> String {
    name.iter_rdn().map(relative).collect::<Vec<_>>().join(", ")
}

/// The same from its DER, as a server sends the names of the authorities it accepts.
pub fn from_der(der: &[u8]) -> Option<String> {
    let (rest, name) = X509Name::from_der(der).ok()?;
    rest.is_empty().then(|| text(&name))
}

fn relative(name: &RelativeDistinguishedName<'_>) -> String {
    name.iter().map(attribute).collect::<Vec<_>>().join("+")
}

fn attribute(attribute: &AttributeTypeAndValue<'_>) -> String {
    let oid = attribute.attr_type().to_id_string();
    let value = value(attribute)
        .map_or_else(|| format!("#{}", words::hex(attribute.as_slice())), |text| quoted(&text));
    format!("{}={value}", words::attribute(&oid).unwrap_or(&oid))
}

/// The text of an attribute, none where it is no text or not well formed.
pub fn value(attribute: &AttributeTypeAndValue<'_>) -> Option<String> {
    let bytes = attribute.as_slice();
    match attribute.attr_value().tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String | Tag::NumericString | Tag::VisibleString => {
            String::from_utf8(bytes.to_vec()).ok()
        }
        // T.61 in theory; Latin-1 is what is meant by those who use it.
        Tag::TeletexString => Some(bytes.iter().map(|byte| char::from(*byte)).collect()),
        Tag::BmpString => {
            let units = bytes.chunks(2).map(|pair| Some(u16::from_be_bytes(pair.try_into().ok()?)));
            String::from_utf16(&units.collect::<Option<Vec<u16>>>()?).ok()
        }
        _ => None,
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let last = text.chars().count().saturating_sub(1);
    for (at, c) in text.chars().enumerate() {
        let at_edge = (at == 0 && matches!(c, ' ' | '#')) || (at == last && c == ' ');
        if at_edge || matches!(c, ',' | '+' | '"' | '\\' | '<' | '>' | ';') {
            out.push('\\');
        }
        out.push(c);
    }
    escaped(&out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_pretend_to_be_two() {
        assert_eq!(quoted("a, O=b"), "a\\, O=b");
        assert_eq!(quoted(" # "), "\\ #\\ ");
        assert_eq!(quoted("#x"), "\\#x");
        assert_eq!(quoted("a\x1b[31m\\"), "a\\u{1b}[31m\\\\");
    }
}
