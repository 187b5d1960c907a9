//! Text from a peer or a file, made fit for a terminal and for a log.

/// The text with everything written out that could move the cursor, change colours or turn the direction of reading:
/// C0, C1, DEL, separators of lines, and marks that are not seen. `\u{1b}` stands for ESC.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match is_hidden(c) {
            true => out.extend(c.escape_unicode()),
            false => out.push(c),
        }
    }
    out
}

/// True for what steers a terminal, or cannot be seen on it.
pub fn is_hidden(c: char) -> bool {
    c.is_control() || is_invisible(c)
}

/// Bidirectional controls (UAX 9), zero-width marks, separators of lines, tags, and all blanks but the space.
fn is_invisible(c: char) -> bool {
    c.is_whitespace() && c != ' '
        || matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_a_cursor_or_turns_the_text_gets_through() {
        for (text, shown) in [
            ("a\x1b[31m", "a\\u{1b}[31m"),
            ("a\u{9b}31m\x7f\0", "a\\u{9b}31m\\u{7f}\\u{0}"),
            ("moc.\u{202e}elgoog", "moc.\\u{202e}elgoog"),
            ("two\nlines\r", "two\\u{a}lines\\u{d}"),
            ("a\u{2066}b\u{200b}c\u{2028}", "a\\u{2066}b\\u{200b}c\\u{2028}"),
            ("könig, 王, \\", "könig, 王, \\"),
        ] {
            assert_eq!(escaped(text), shown);
        }
    }
}
