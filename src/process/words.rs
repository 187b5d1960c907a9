//! A line into words as a shell reads it, with its quotes and without the shell: nothing is expanded.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Where the reader is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Between,
    Word,
    Single,
    Double,
}

/// Splits at blanks. `'…'` keeps everything, `"…"` everything but `\` before `"` and `\`, and `\` keeps the next
/// character. Fails when a quote is not closed.
pub fn split(line: &std::ffi::OsStr) -> Result<Vec<OsString>, String> {
    let (mut words, mut word, mut place) = (Vec::new(), Vec::new(), Place::Between);
    let mut bytes = line.as_bytes().iter().copied();
    while let Some(byte) = bytes.next() {
        place = match (place, byte) {
            (Place::Single, b'\'') | (Place::Double, b'"') => Place::Word,
            (Place::Single, _) => push(&mut word, byte, place),
            (Place::Double, b'\\') => {
                match bytes.next() {
                    Some(kept @ (b'"' | b'\\' | b'$' | b'`')) => word.push(kept),
                    Some(other) => word.extend([b'\\', other]),
                    None => return Err("it ends in a backslash".to_owned()),
                }
                place
            }
            (Place::Double, _) => push(&mut word, byte, place),
            (_, b'\'') => Place::Single,
            (_, b'"') => Place::Double,
            (_, b'\\') => match bytes.next() {
                Some(kept) => push(&mut word, kept, Place::Word),
                None => return Err("it ends in a backslash".to_owned()),
            },
            (Place::Between, b' ' | b'\t' | b'\n') => Place::Between,
            (Place::Word, b' ' | b'\t' | b'\n') => {
                words.push(OsString::from_vec(std::mem::take(&mut word)));
                Place::Between
            }
            _ => push(&mut word, byte, Place::Word),
        };
    }
    match place {
        Place::Single | Place::Double => return Err("a quote is not closed".to_owned()),
        Place::Word => words.push(OsString::from_vec(word)),
        Place::Between => {}
    }
    Ok(words)
}

fn push(word: &mut Vec<u8>, byte: u8, place: Place) -> Place {
    word.push(byte);
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        split(line.as_ref()).unwrap().into_iter().map(|word| word.into_string().unwrap()).collect()
    }

    #[test]
    fn words_are_split_as_a_shell_does() {
        assert_eq!(words("  cut -d : -f1\t"), ["cut", "-d", ":", "-f1"]);
        assert_eq!(
            words(r#"a 'b c' "d \"e\" \n" f\ g '' h"i"'j'"#),
            ["a", "b c", r#"d "e" \n"#, "f g", "", "hij"]
        );
        assert_eq!(words("echo $HOME *"), ["echo", "$HOME", "*"]);
        assert!(words("").is_empty());
    }

    #[test]
    fn an_open_quote_is_refused() {
        for line in ["'a", "\"a", "a\\", "\"a\\"] {
            assert!(split(line.as_ref()).is_err(), "{line}");
        }
    }
}
