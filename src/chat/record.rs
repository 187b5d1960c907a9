//! A conversation that was overheard, written down as a script that holds it again. Pure: words in, steps out.
//!
//! What ends as lines do is a step of its own, `>` or `=`; all else is said and heard byte for byte, `>>` or `<<`. The
//! steps stand in the order in which the words were read on their way. Nobody can have waited for words that were read
//! only after he had spoken, so that this order holds for either side, also where both spoke at once.

use std::time::Duration;

use super::script::{Expect, MOST_BYTES, Op, Template, Terminator};

/// Bytes after which a line is no longer waited for.
const LONGEST_PIECE: usize = 4096;

/// A pause that is told: what is shorter is the way of the words.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);

/// The last line of a script that would have become too long.
const FULL: &str = "# the rest is missing: a script holds no more\n";

/// Who is overheard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// Our side: what it says is said again.
    We,
    /// The other one: what it says is expected.
    Peer,
}

/// How words come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As a stream of bytes, with an end.
    Stream,
    /// As messages, each a step of its own. Nobody hears their end.
    Messages,
}

/// Writes down what two sides say.
pub struct Recorder {
    form: Form,
    we: Voice,
    peer: Voice,
    /// How long nobody has spoken before the step that comes next.
    pause: Duration,
    /// Steps that were not taken yet, a line each.
    steps: String,
    /// Bytes of all steps.
    length: usize,
    most_bytes: usize,
}

/// What is known of a side.
#[derive(Default)]
struct Voice {
    /// What its lines end with: as the first of them did.
    eol: Option<&'static [u8]>,
    /// The beginning of a line.
    open: Vec<u8>,
}

impl Recorder {
    /// Has written nothing yet.
    pub fn new(form: Form) -> Recorder {
        Recorder {
            form,
            we: Voice::default(),
            peer: Voice::default(),
            pause: Duration::ZERO,
            steps: String::new(),
            length: 0,
            most_bytes: MOST_BYTES,
        }
    }

    /// Nobody has spoken for so long before this one does. A comment tells of it: who plays the script waits for words,
    /// not for times, unless somebody makes `.sleep` of it.
    pub fn pause(&mut self, time: Duration, speaker: Speaker) {
        // What the other side has left open was over before.
        self.break_off(speaker.other());
        self.pause += time;
    }

    /// These bytes of a stream were said, or this message.
    pub fn said(&mut self, speaker: Speaker, bytes: &[u8]) {
        self.break_off(speaker.other());
        match self.form {
            Form::Stream => {
                let lines = bytes.split_inclusive(|byte| *byte == b'\n');
                lines.for_each(|line| self.add(speaker, line));
            }
            Form::Messages => self.raw(speaker, bytes.to_vec()),
        }
    }

    /// A side has said its end.
    pub fn end(&mut self, speaker: Speaker) {
        self.finish();
        if self.form == Form::Messages {
            return;
        }
        self.step(&match speaker {
            Speaker::We => Op::HalfClose,
            Speaker::Peer => Op::Expect(Expect::End(None)),
        });
    }

    /// The connection of a side was cut, which no step expects.
    pub fn cut(&mut self, speaker: Speaker) {
        self.finish();
        self.note(speaker, "the connection was reset or cut here");
    }

    /// Writes down what is open still: nothing more comes, or not for now.
    pub fn finish(&mut self) {
        self.break_off(Speaker::We);
        self.break_off(Speaker::Peer);
    }

    /// The steps since this was last asked for, a line each.
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.steps)
    }

    /// Whether there was more than a script can hold.
    pub fn is_full(&self) -> bool {
        self.length >= self.most_bytes
    }

    fn voice(&mut self, speaker: Speaker) -> &mut Voice {
        match speaker {
            Speaker::We => &mut self.we,
            Speaker::Peer => &mut self.peer,
        }
    }

    /// Adds what is a line at most.
    fn add(&mut self, speaker: Speaker, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let open = &mut self.voice(speaker).open;
            let (piece, rest) = bytes.split_at(bytes.len().min(LONGEST_PIECE - open.len()));
            open.extend_from_slice(piece);
            bytes = rest;
            match open.ends_with(b"\n") {
                true => self.line(speaker),
                false if open.len() == LONGEST_PIECE => self.break_off(speaker),
                false => {}
            }
        }
    }

    /// What is open is a line now.
    fn line(&mut self, speaker: Speaker) {
        let mut line = std::mem::take(&mut self.voice(speaker).open);
        let eol: &[u8] = if line.ends_with(b"\r\n") { b"\r\n" } else { b"\n" };
        let is_text = !line.contains(&0) && std::str::from_utf8(&line).is_ok();
        if is_text && self.voice(speaker).eol.is_none() {
            self.voice(speaker).eol = Some(eol);
            let text = Template::plain(eol);
            self.step(&match speaker {
                Speaker::We => Op::Eol(text),
                Speaker::Peer => Op::Term(Terminator::Text(text)),
            });
        }
        if !is_text || self.voice(speaker).eol != Some(eol) {
            return self.raw(speaker, line);
        }
        line.truncate(line.len() - eol.len());
        let text = Template::plain(line);
        self.step(&match speaker {
            Speaker::We => Op::Send { text, has_eol: true },
            Speaker::Peer => Op::Expect(Expect::Equal(text)),
        });
    }

    /// What is open will be no line: the other side has spoken, or it is long.
    fn break_off(&mut self, speaker: Speaker) {
        let open = std::mem::take(&mut self.voice(speaker).open);
        if !open.is_empty() {
            self.raw(speaker, open);
        }
    }

    fn raw(&mut self, speaker: Speaker, bytes: Vec<u8>) {
        let text = Template::plain(bytes);
        self.step(&match speaker {
            Speaker::We => Op::Send { text, has_eol: false },
            Speaker::Peer => Op::Expect(Expect::RawStart(text)),
        });
    }

    fn note(&mut self, speaker: Speaker, what: &str) {
        let who = if speaker == Speaker::We { "our side" } else { "the peer" };
        self.write(&format!("# {who}: {what}"));
    }

    fn step(&mut self, op: &Op) {
        let pause = std::mem::take(&mut self.pause);
        if pause >= SHORTEST_PAUSE {
            self.write(&format!("# after {:.1} s", pause.as_secs_f64()));
        }
        self.write(&op.typed(&[]));
    }

    /// Writes a line, as long as there is room for it; what it would follow is never left out.
    fn write(&mut self, line: &str) {
        if self.is_full() {
            return;
        }
        if self.length + line.len() + 1 + FULL.len() > self.most_bytes {
            self.length = self.most_bytes;
            self.steps.push_str(FULL);
            return;
        }
        self.length += line.len() + 1;
        self.steps.push_str(line);
        self.steps.push('\n');
    }
}

impl Speaker {
    fn other(self) -> Speaker {
        match self {
            Speaker::We => Speaker::Peer,
            Speaker::Peer => Speaker::We,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Speaker::{Peer, We};
    use super::*;

    /// What is written of these words.
    fn written(words: &[(Speaker, &str)]) -> String {
        let mut recorder = Recorder::new(Form::Stream);
        words.iter().for_each(|(speaker, bytes)| recorder.said(*speaker, bytes.as_bytes()));
        recorder.finish();
        recorder.take()
    }

    #[test]
    fn lines_are_units_and_their_ends_are_told_before_the_first_of_them() {
        let words = [(Peer, "220 hi\r\n"), (We, "EHLO x\r\n"), (Peer, "250-a\r\n250 b\r\n"), (We, "\r\n")];
        let script = ".term \\r\\n\n= 220 hi\n.eol \\r\\n\n> EHLO x\n= 250-a\n= 250 b\n>\n";
        assert_eq!(written(&words), script);
    }

    #[test]
    fn what_is_no_line_is_bytes() {
        assert_eq!(written(&[(Peer, "login: "), (We, "bob")]), "<< login:\\s\n>> bob\n");
        // Another end of line than the first one had, and what is no text.
        assert_eq!(written(&[(We, "a\nb\r\n\0\n")]), ".eol \\n\n> a\n>> b\\r\\n\n>> \\0\\n\n");
        assert_eq!(written(&[(We, "\0\r\na\r\n")]), ">> \\0\\r\\n\n.eol \\r\\n\n> a\n");
        assert_eq!(written(&[(We, "a\rb\r\r\n")]), ".eol \\r\\n\n> a\\rb\\r\n");
    }

    #[test]
    fn reads_do_not_show_unless_the_other_side_has_spoken_between_them() {
        assert_eq!(written(&[(We, "a"), (We, "b\r"), (We, "\nc\r\n")]), ".eol \\r\\n\n> ab\n> c\n");
        assert_eq!(written(&[(Peer, "a\r"), (We, "x"), (Peer, "\n")]), "<< a\\r\n>> x\n.term \\n\n=\n");
    }

    #[test]
    fn a_long_line_is_not_kept() {
        let long = "x".repeat(2 * LONGEST_PIECE + 1);
        let mut recorder = Recorder::new(Form::Stream);
        recorder.said(Peer, long.as_bytes());
        assert_eq!(recorder.peer.open.len(), 1);
        recorder.said(Peer, b"\n");
        assert!(recorder.take().ends_with("\n.term \\n\n= x\n"));
    }

    #[test]
    fn ends_are_steps_and_cuts_are_told() {
        let mut recorder = Recorder::new(Form::Stream);
        recorder.said(We, b"x");
        recorder.end(We);
        recorder.said(Peer, b"bye");
        recorder.end(Peer);
        recorder.cut(Peer);
        let script = ">> x\n.half-close\n<< bye\n<$\n# the peer: the connection was reset or cut here\n";
        assert_eq!(recorder.take(), script);
    }

    #[test]
    fn a_message_is_a_step_and_nobody_hears_an_end() {
        let mut recorder = Recorder::new(Form::Messages);
        recorder.said(We, b"a\nb");
        recorder.said(We, b"c\n");
        recorder.said(Peer, b"");
        recorder.said(We, b"");
        recorder.end(We);
        assert_eq!(recorder.take(), ">> a\\nb\n>> c\\n\n<<\n>>\n");
    }

    #[test]
    fn a_pause_is_a_comment_before_the_step_that_it_held_up() {
        let mut recorder = Recorder::new(Form::Stream);
        for (speaker, bytes, pause) in
            [(We, "a\n", 30), (Peer, "b", 230), (Peer, "\n", 20), (We, "c\n", 99), (We, "d\n", 2000)]
        {
            recorder.pause(Duration::from_millis(pause), speaker);
            recorder.said(speaker, bytes.as_bytes());
        }
        let script = ".eol \\n\n> a\n# after 0.2 s\n.term \\n\n= b\n> c\n# after 2.0 s\n> d\n";
        assert_eq!(recorder.take(), script);
    }

    #[test]
    fn a_pause_after_a_prompt_stands_before_its_answer() {
        let mut recorder = Recorder::new(Form::Stream);
        for (speaker, bytes, pause) in [(Peer, "login: ", 20), (We, "bob\n", 1000)] {
            recorder.pause(Duration::from_millis(pause), speaker);
            recorder.said(speaker, bytes.as_bytes());
        }
        let script = recorder.take();
        assert!(script.contains("<< login:\\s\n# after 1.0 s\n"), "{script}");
    }

    #[test]
    fn no_more_is_written_than_a_script_holds() {
        let mut recorder = Recorder { most_bytes: 100_000, ..Recorder::new(Form::Stream) };
        let mut script = String::new();
        for _ in 0..1000 {
            recorder.said(We, &[0; 1000]);
            script += &recorder.take();
        }
        assert!(recorder.is_full());
        assert!((80_000..100_000).contains(&script.len()), "{}", script.len());
        assert!(script.ends_with("holds no more\n"), "{}", script.len());
    }
}
