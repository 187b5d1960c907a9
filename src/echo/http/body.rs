//! The body of a request, taken piece by piece and thrown away. No I/O.

use super::refusal::Refusal;
use super::request::Framing;

/// Most bytes of a chunk's size and extensions, and of a trailer's line.
const LONGEST_LINE: usize = 4 * 1024;
/// Most bytes of all trailers.
const MOST_TRAILERS: usize = 32 * 1024;

/// How far a body has been taken.
#[derive(Debug)]
pub struct Body {
    state: State,
    /// Bytes of content so far.
    pub length: u64,
    most: u64,
    trailers: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// So many bytes are to come, and then the end.
    Content(u64),
    /// The line before a chunk.
    Size,
    /// So many bytes of a chunk are to come.
    Chunk(u64),
    /// The line end after a chunk.
    AfterChunk,
    Trailers,
    Done,
}

impl Body {
    /// A body of `most` bytes at most.
    pub fn new(framing: Framing, most: u64) -> Result<Body, Refusal> {
        let state = match framing {
            Framing::Length(0) => State::Done,
            Framing::Length(length) if length > most => return Err(TOO_LONG),
            Framing::Length(length) => State::Content(length),
            Framing::Chunked => State::Size,
        };
        Ok(Body { state, length: 0, most, trailers: 0 })
    }

    /// True once it is whole.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Takes what it can of `bytes`; answers how many. Fewer than all: the body is whole, or a line is not.
    pub fn take(&mut self, bytes: &[u8]) -> Result<usize, Refusal> {
        let mut used = 0;
        while self.state != State::Done {
            let rest = &bytes[used..];
            let (n, next) = match self.state {
                State::Content(left) | State::Chunk(left) => {
                    let n = usize::try_from(left).map_or(rest.len(), |left| left.min(rest.len()));
                    if n == 0 {
                        break;
                    }
                    self.length += n as u64;
                    let left = left - n as u64;
                    (
                        n,
                        match self.state {
                            State::Content(_) if left == 0 => State::Done,
                            State::Content(_) => State::Content(left),
                            _ if left == 0 => State::AfterChunk,
                            _ => State::Chunk(left),
                        },
                    )
                }
                _ => match line(rest)? {
                    Some(line) => (line.len() + 2, self.after(line)?),
                    None => break,
                },
            };
            used += n;
            self.state = next;
        }
        Ok(used)
    }

    /// What follows a line.
    fn after(&mut self, line: &[u8]) -> Result<State, Refusal> {
        match self.state {
            State::Size => {
                let size = size(line)?;
                if self.length.checked_add(size).is_none_or(|length| length > self.most) {
                    return Err(TOO_LONG);
                }
                Ok(if size == 0 { State::Trailers } else { State::Chunk(size) })
            }
            State::AfterChunk if line.is_empty() => Ok(State::Size),
            State::AfterChunk => Err(Refusal::bad("a chunk is longer than it says")),
            State::Trailers if line.is_empty() => Ok(State::Done),
            _ => {
                self.trailers += line.len();
                match self.trailers > MOST_TRAILERS {
                    true => Err(Refusal::new(431, "the trailers are longer than 32 KiB")),
                    false => Ok(State::Trailers),
                }
            }
        }
    }
}

const TOO_LONG: Refusal = Refusal::new(413, "the body is too long (--max-body)");

/// The line that `bytes` begin with, without its end; `None` while it is not whole. A line feed alone ends none: others
/// may see that differently.
fn line(bytes: &[u8]) -> Result<Option<&[u8]>, Refusal> {
    match bytes.iter().take(LONGEST_LINE).position(|byte| *byte == b'\n') {
        Some(at) if at > 0 && bytes[at - 1] == b'\r' => Ok(Some(&bytes[..at - 1])),
        Some(_) => Err(Refusal::bad("a line of the body must end with CR LF")),
        None if bytes.len() >= LONGEST_LINE => Err(Refusal::bad("a line of the body is longer than 4 KiB")),
        None => Ok(None),
    }
}

/// The size of a chunk: hexadecimal digits, then perhaps extensions, which mean nothing to us.
fn size(line: &[u8]) -> Result<u64, Refusal> {
    let bad = Refusal::bad("the size of a chunk is no number");
    let (digits, _) =
        line.iter().position(|byte| *byte == b';').map_or((line, &[][..]), |at| line.split_at(at));
    let digits = digits.trim_ascii_end();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(bad);
    }
    let digits = std::str::from_utf8(digits).map_err(|_| bad)?;
    u64::from_str_radix(digits, 16).map_err(|_| TOO_LONG)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The status of a chunked body that comes in pieces of `step` bytes, and what was left over.
    fn chunked(text: &str, step: usize) -> Result<(u64, String), u16> {
        let mut body = Body::new(Framing::Chunked, 1000).unwrap();
        let mut held = Vec::new();
        for piece in text.as_bytes().chunks(step) {
            held.extend_from_slice(piece);
            let used = body.take(&held).map_err(|refusal| refusal.status)?;
            held.drain(..used);
        }
        match body.is_done() {
            true => Ok((body.length, String::from_utf8(held).unwrap())),
            false => Err(0),
        }
    }

    #[test]
    fn a_length_is_counted_off_and_the_rest_is_left() {
        let mut body = Body::new(Framing::Length(5), 10).unwrap();
        assert_eq!(body.take(b"abc"), Ok(3));
        assert!(!body.is_done());
        assert_eq!(body.take(b"deGET"), Ok(2));
        assert!(body.is_done());
        assert_eq!(Body::new(Framing::Length(11), 10).unwrap_err().status, 413);
    }

    #[test]
    fn chunks_are_the_same_however_they_come() {
        let text = "3\r\nabc\r\nA;name=\"x\"\r\n0123456789\r\n0\r\nTrailer: y\r\n\r\nGET /";
        for step in 1..text.len() {
            assert_eq!(chunked(text, step), Ok((13, "GET /".to_owned())), "{step} at a time");
        }
    }

    #[test]
    fn chunks_that_others_may_read_differently_are_refused() {
        for (text, wanted) in [
            ("3\nabc\n0\n\n", 400),
            ("3\r\nabcd\r\n0\r\n\r\n", 400),
            ("x\r\n", 400),
            ("-1\r\n", 400),
            ("0x3\r\nabc\r\n", 400),
            ("\r\n", 400),
            ("3e9\r\n", 413),
            ("fffffffffffffffff\r\n", 413),
            ("3\r\nab", 0),
        ] {
            assert_eq!(chunked(text, 1), Err(wanted), "{text:?}");
        }
        assert_eq!(chunked(&format!("3;{}", "a".repeat(5000)), 5002), Err(400));
        assert_eq!(chunked(&format!("0\r\n{}", "a: b\r\n".repeat(10_000)), 70_000), Err(431));
    }
}
