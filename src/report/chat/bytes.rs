//! Foreign bytes on a terminal: as text in the escapes of the script language, and as hexadecimal numbers.

use crate::certificate::is_hidden;
use crate::chat::escape;

/// Bytes a line of hexadecimal numbers.
const HEX_LINE: usize = 32;

/// Bytes in quotes, with the escapes of the script language for all that cannot be seen.
pub fn quoted(bytes: &[u8]) -> String {
    format!("\"{}\"", escaped(bytes).replace('"', "\\\""))
}

/// The same without quotes.
pub fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    escape(bytes, &mut text);
    text
}

/// True for text as people write it: nothing in it but what can be seen, blanks and ends of lines.
pub fn is_plain(bytes: &[u8]) -> bool {
    let is_seen = |c: char| matches!(c, '\r' | '\n' | '\t') || !is_hidden(c);
    std::str::from_utf8(bytes).is_ok_and(|text| text.chars().all(is_seen))
}

/// Hexadecimal numbers, some a line.
pub fn hex_lines(bytes: &[u8]) -> impl Iterator<Item = String> {
    bytes.chunks(HEX_LINE).map(|line| {
        let numbers: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        numbers.join(" ")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_gets_through() {
        for (bytes, shown) in [
            (&b"250 ok\r\n"[..], r#""250 ok\r\n""#),
            (b"\x1b[2J\x07\0\t", r#""\e[2J\x07\0\t""#),
            (b"a\"b\\c", r#""a\"b\\c""#),
            (b"\xff\xc3\xa9\xc2\x9b", "\"\\xffé\\xc2\\x9b\""),
            ("\u{202e}x".as_bytes(), r#""\xe2\x80\xaex""#),
        ] {
            assert_eq!(quoted(bytes), shown);
        }
    }

    #[test]
    fn plain_text_needs_no_numbers() {
        assert!(is_plain("Grüße\r\n".as_bytes()) && is_plain(b""));
        assert!(!is_plain(b"\xff") && !is_plain(b"a\0b"));
        assert_eq!(hex_lines(&[0, 255]).collect::<Vec<_>>(), ["00 ff"]);
    }
}
