//! The escapes of texts: bytes to what can be typed, shown and read back.

use std::fmt::Write;

use crate::certificate::is_hidden;

/// The escapes of a letter and the bytes that they stand for.
pub const LETTERS: [(u8, u8); 8] = [
    (b'r', b'\r'),
    (b'n', b'\n'),
    (b't', b'\t'),
    (b'0', 0),
    (b'e', 0x1b),
    (b's', b' '),
    (b'\\', b'\\'),
    (b'$', b'$'),
];

/// Appends `bytes` to `text` such that a script may hold them: what steers a terminal or cannot be seen is escaped.
pub fn escape(bytes: &[u8], text: &mut String) {
    for chunk in bytes.utf8_chunks() {
        let mut letters = chunk.valid().chars().peekable();
        while let Some(letter) = letters.next() {
            let opens_variable = letter == '$' && letters.peek() == Some(&'{');
            match letter {
                '$' if !opens_variable => text.push('$'),
                ' ' => text.push(' '),
                letter => push(letter, text),
            }
        }
        chunk.invalid().iter().for_each(|byte| push_byte(*byte, text));
    }
}

fn push(letter: char, text: &mut String) {
    let short = u8::try_from(letter)
        .ok()
        .and_then(|letter| LETTERS.iter().find(|(_, byte)| *byte == letter))
        .map(|(short, _)| *short);
    match short {
        Some(short) => {
            text.push('\\');
            text.push(char::from(short));
        }
        None if !is_hidden(letter) => text.push(letter),
        None => letter.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| push_byte(byte, text)),
    }
}

/// Appends one byte as `\xNN`.
pub fn push_byte(byte: u8, text: &mut String) {
    // Writing to a string cannot fail.
    let _ = write!(text, "\\x{byte:02x}");
}

/// Most characters of something typed that a message shows.
const MOST_SHOWN: usize = 60;

/// Something typed, for a message: escaped, and cut when it is long.
pub fn shown(bytes: &[u8]) -> String {
    let is_long = bytes.len() > 4 * MOST_SHOWN;
    let bytes = if is_long { &bytes[..4 * MOST_SHOWN] } else { bytes };
    let letters = String::from_utf8_lossy(bytes);
    let mut text = String::new();
    let mut count = 0;
    for letter in letters.chars().take(MOST_SHOWN) {
        count += 1;
        match is_hidden(letter) {
            true => push(letter, &mut text),
            false => text.push(letter),
        }
    }
    if is_long || letters.chars().nth(count).is_some() {
        text.push('…');
    }
    text
}
