//! PEM (RFC 7468): blocks with a label between lines of dashes, anything around them ignored.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
/// Most bytes of a label; what is longer is no label, and may be a key.
const LONGEST_LABEL: usize = 64;
/// What some editors put before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A block, not decoded yet: one of a kind that nobody asks for may be as broken as it likes.
pub struct Block<'a> {
    /// What stands after `BEGIN`: `CERTIFICATE`, `PRIVATE KEY`.
    pub label: &'a str,
    /// Encrypted in the way of RFC 1421, told by a header: `Proc-Type: 4,ENCRYPTED`.
    pub is_legacy_encrypted: bool,
    lines: Vec<&'a [u8]>,
}

/// True where a file is meant as PEM.
pub fn is_pem(content: &[u8]) -> bool {
    content.windows(BEGIN.len()).any(|window| window == BEGIN.as_bytes())
}

/// Every block in its order; in words why there are none to be had.
pub fn blocks(content: &[u8]) -> Result<Vec<Block<'_>>, String> {
    let mut found = Vec::new();
    let mut open: Option<Block<'_>> = None;
    let content = content.strip_prefix(BYTE_ORDER_MARK).unwrap_or(content);
    // Of old Macs, a lone CR; an empty line between CR and LF does no harm.
    for line in content.split(|byte| matches!(byte, b'\n' | b'\r')).map(<[u8]>::trim_ascii) {
        if let Some(label) = label(line, BEGIN) {
            if let Some(block) = &open {
                return Err(cut(block));
            }
            open = Some(Block { label, is_legacy_encrypted: false, lines: Vec::new() });
        } else if let Some(label) = label(line, END) {
            match open.take() {
                Some(block) if block.label == label => found.push(block),
                Some(block) => return Err(cut(&block)),
                None => {
                    return Err(format!("it has an end of a '{}' that never began", super::escaped(label)));
                }
            }
        } else if line.starts_with(BEGIN.as_bytes()) {
            return Err(
                "the first line of a block goes on behind its label: line breaks were lost".to_owned()
            );
        } else if let Some(block) = &mut open {
            if line.starts_with(DASHES.as_bytes()) {
                return Err(cut(block));
            }
            block.take(line);
        }
    }
    open.as_ref().map_or(Ok(found), |block| Err(cut(block)))
}

fn cut(block: &Block<'_>) -> String {
    format!("it is cut: the '{}' has no end", super::escaped(block.label))
}

fn label<'a>(line: &'a [u8], opening: &str) -> Option<&'a str> {
    let label = std::str::from_utf8(line).ok()?.strip_prefix(opening)?.strip_suffix(DASHES)?;
    Some(label).filter(|label| label.len() <= LONGEST_LABEL && !label.contains(DASHES))
}

impl<'a> Block<'a> {
    /// Headers are recognised by their colon, which base64 has not.
    fn take(&mut self, line: &'a [u8]) {
        match line.contains(&b':') {
            true => {
                self.is_legacy_encrypted |= line.starts_with(b"Proc-Type:") && line.ends_with(b"ENCRYPTED");
            }
            false => self.lines.push(line),
        }
    }

    /// The bytes within, wiped when dropped: they may be a key.
    pub fn der(&self) -> Result<Zeroizing<Vec<u8>>, String> {
        let text = Zeroizing::new(self.lines.concat());
        let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(text.len())]);
        let length = BASE64_STANDARD.decode_slice(&*text, &mut bytes);
        let length = length.map_err(|_| format!("its '{}' is no base64", super::escaped(self.label)))?;
        bytes.truncate(length);
        Ok(bytes)
    }
}

/// A block with this label, lines of 64 characters.
pub fn encode(label: &str, der: &[u8]) -> Zeroizing<String> {
    let base64 = Zeroizing::new(BASE64_STANDARD.encode(der));
    let mut text =
        Zeroizing::new(String::with_capacity(base64.len() + base64.len() / 64 + 2 * label.len() + 64));
    text.push_str(&format!("{BEGIN}{label}{DASHES}\n"));
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = more;
    }
    text.push_str(&format!("{END}{label}{DASHES}\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_whatever_stands_around_it() {
        let bytes: Vec<u8> = (0..200).collect();
        for ending in ["\n", "\r\n", "\r"] {
            let text =
                format!("subject=x\n{}\nand more\n", &*encode("CERTIFICATE", &bytes)).replace('\n', ending);
            let found = blocks(text.as_bytes()).unwrap();
            assert_eq!(found.len(), 1);
            assert_eq!(
                (found[0].label, found[0].der().unwrap().as_slice()),
                ("CERTIFICATE", bytes.as_slice())
            );
        }
    }

    #[test]
    fn a_cut_block_is_told() {
        let text = encode("CERTIFICATE", &[1; 100]);
        let half = &text[..text.len() - 10];
        for text in [half.to_owned(), format!("{half}{}", &*text), "-----END X-----".to_owned()] {
            assert!(blocks(text.as_bytes()).is_err(), "{text}");
        }
    }

    /// A label that runs to the end of the line would be told, and the key with it.
    #[test]
    fn a_key_whose_line_breaks_were_lost_is_not_told() {
        let text = encode("PRIVATE KEY", &[0x5a; 48]);
        let long = format!("{BEGIN}{}{DASHES}\n", "WlpaWlpa".repeat(9));
        for text in [text.replace('\n', ""), text.replace('\n', " "), text.replace('\n', "\\n"), long] {
            let why = blocks(text.as_bytes()).err().unwrap();
            assert!(why.contains("line breaks were lost") && !why.contains("Wlpa"), "{why}");
        }
    }

    #[test]
    fn the_mark_of_an_editor_is_passed_over() {
        let text = [BYTE_ORDER_MARK, encode("X", &[1]).as_bytes()].concat();
        assert_eq!(blocks(&text).unwrap()[0].label, "X");
    }

    #[test]
    fn headers_of_old_keys_are_seen() {
        let text = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n\
                    -----END RSA PRIVATE KEY-----\n";
        let found = blocks(text.as_bytes()).unwrap();
        assert!(found[0].is_legacy_encrypted && found[0].der().unwrap().as_slice() == [0, 0, 0]);
    }
}
