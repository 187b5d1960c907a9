//! Cutting text at commas and colons, with quotes, backslashes and brackets honoured.

/// A piece of text with its escapes removed, and what stopped it.
pub struct Piece<'a> {
    /// The text, unescaped.
    pub text: String,
    /// The character that ended it, if not the end.
    pub stop: Option<char>,
    /// What comes after that character.
    pub rest: &'a str,
}

/// Reads up to the first of `stops` that is not quoted, escaped or, with `brackets`, inside `[…]`.
/// A backslash takes the next character as it is; quotes are single or double.
pub fn piece<'a>(text: &'a str, stops: &[char], brackets: bool) -> Result<Piece<'a>, String> {
    let mut piece = String::new();
    let mut quote: Option<char> = None;
    let mut depth = 0_u32;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match (c, quote) {
            ('\\', _) => match chars.next() {
                Some((_, next)) => piece.push(next),
                None => return Err("a lone backslash at the end".to_owned()),
            },
            (c, Some(q)) if c == q => quote = None,
            (c, Some(_)) => piece.push(c),
            ('"' | '\'', None) => quote = Some(c),
            (c, None) if depth == 0 && stops.contains(&c) => {
                return Ok(Piece { text: piece, stop: Some(c), rest: &text[at + c.len_utf8()..] });
            }
            (c, None) => {
                match c {
                    '[' if brackets => depth += 1,
                    ']' if brackets => depth = depth.saturating_sub(1),
                    _ => {}
                }
                piece.push(c);
            }
        }
    }
    match quote {
        Some(q) => Err(format!("an opening {q} without a closing one")),
        None => Ok(Piece { text: piece, stop: None, rest: "" }),
    }
}

/// Where the first `!!` stands that is neither quoted nor escaped.
pub fn dual(text: &str) -> Option<usize> {
    let mut quote: Option<char> = None;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match (c, quote) {
            ('\\', _) => {
                chars.next();
            }
            (c, Some(q)) if c == q => quote = None,
            ('"' | '\'', None) => quote = Some(c),
            ('!', None) if text[at..].starts_with("!!") => return Some(at),
            _ => {}
        }
    }
    None
}

/// Splits a command line into words the way a shell does, without expanding anything.
pub fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', None | Some('"')) => match chars.next() {
                Some(next) => word.get_or_insert_default().push(next),
                None => return Err("a lone backslash at the end".to_owned()),
            },
            (c, Some(q)) if c == q => quote = None,
            (c, Some(_)) => word.get_or_insert_default().push(c),
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, None) if c.is_ascii_whitespace() => words.extend(word.take()),
            (c, None) => word.get_or_insert_default().push(c),
        }
    }
    if let Some(q) = quote {
        return Err(format!("an opening {q} without a closing one"));
    }
    words.extend(word);
    Ok(words)
}

/// Reads the escapes of `text:`: `\n \r \t \0 \\ \xHH`; an unknown one stays as it is.
pub fn unescape(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let known = (bytes[at] == b'\\').then(|| bytes.get(at + 1)).flatten().and_then(|next| match next {
            b'n' => Some((b'\n', 2)),
            b'r' => Some((b'\r', 2)),
            b't' => Some((b'\t', 2)),
            b'0' => Some((0, 2)),
            b'\\' => Some((b'\\', 2)),
            b'x' => {
                let hex = std::str::from_utf8(bytes.get(at + 2..at + 4)?).ok()?;
                Some((u8::from_str_radix(hex, 16).ok()?, 4))
            }
            _ => None,
        });
        let (byte, length) = known.unwrap_or((bytes[at], 1));
        out.push(byte);
        at += length;
    }
    out
}
