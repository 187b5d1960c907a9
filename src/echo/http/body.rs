//! The body of a request, taken piece by piece and thrown away. No I/O.

use super::grammar::{chunk_size, trailer};
use super::refusal::Refusal;
use super::request::Framing;

/// Most bytes of a chunk's size and extensions, and of a trailer's line.
const LONGEST_LINE: usize = 4 * 1024;
/// Most bytes of all trailers.
const MOST_TRAILERS: usize = 32 * 1024;
/// Most bytes of all chunk extensions, which cost time and bring nothing (RFC 9112, section 7.1.1).
const MOST_EXTENSIONS: usize = 32 * 1024;
/// Trailers that would say where the message ends or whom it is for, after it was read by other rules (RFC 9110,
/// section 6.5.1). All others mean nothing to us.
const FORBIDDEN: [&[u8]; 3] = [b"content-length", b"host", b"transfer-encoding"];

/// How far a body has been taken.
#[derive(Debug)]
pub struct Body {
    state: State,
    /// Bytes of content so far.
    pub length: u64,
    most: u64,
    extensions: usize,
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
        Ok(Body { state, length: 0, most, extensions: 0, trailers: 0 })
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
                State::AfterChunk => match rest {
                    [b'\r', b'\n', ..] => (2, State::Size),
                    [] | [b'\r'] => break,
                    _ => return Err(Refusal::bad("a chunk does not end where it says")),
                },
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
            State::Size => self.chunk(line),
            _ if line.is_empty() => Ok(State::Done),
            _ => self.trailer(line),
        }
    }

    fn chunk(&mut self, line: &[u8]) -> Result<State, Refusal> {
        let digits = chunk_size(line).ok_or(Refusal::bad("the line before a chunk is not as it must be"))?;
        self.extensions += line.len() - digits.len();
        if self.extensions > MOST_EXTENSIONS {
            return Err(Refusal::new(413, "the chunk extensions are longer than 32 KiB"));
        }
        let size = u64::from_str_radix(digits, 16).map_err(|_| TOO_LONG)?;
        if self.length.checked_add(size).is_none_or(|length| length > self.most) {
            return Err(TOO_LONG);
        }
        Ok(if size == 0 { State::Trailers } else { State::Chunk(size) })
    }

    fn trailer(&mut self, line: &[u8]) -> Result<State, Refusal> {
        let name = trailer(line).ok_or(Refusal::bad("a trailer is no field"))?;
        if FORBIDDEN.iter().any(|forbidden| name.eq_ignore_ascii_case(forbidden)) {
            return Err(Refusal::bad("a trailer contradicts the headers"));
        }
        self.trailers += line.len();
        match self.trailers > MOST_TRAILERS {
            true => Err(Refusal::new(431, "the trailers are longer than 32 KiB")),
            false => Ok(State::Trailers),
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
            ("3\r\nabcd", 400),
            ("3\r\nabc\rd", 400),
            ("3 \r\nabc\r\n", 400),
            ("0\r\nno field\r\n", 400),
            ("0\r\nHOST: x\r\n", 400),
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
        let extended = format!("1;{}\r\na\r\n", "a".repeat(4000)).repeat(9);
        assert_eq!(chunked(&extended, extended.len()), Err(413));
        assert_eq!(chunked(&format!("0\r\n{}", "a: b\r\n".repeat(10_000)), 70_000), Err(431));
    }
}
