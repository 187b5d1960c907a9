//! Conversations in memory: scripts against what a peer says.

mod properties;
mod recorded;
mod said;
mod steps;
mod trouble;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::{Course, Ending, Need, Settings};
use crate::chat::pattern::Patterns;
use crate::chat::script::{Script, Terminator};
use crate::chat::verdict::{Outcome, Status, Trouble, Verdict};

const PASS: Outcome = Outcome::Pass(Status::Number(0));

/// How a conversation went.
struct Played {
    said: Vec<u8>,
    /// What else was needed, in order.
    did: Vec<Need>,
    verdict: Verdict,
    variables: BTreeMap<String, Vec<u8>>,
    /// What of the peer's words was not heard.
    unheard: Vec<u8>,
    /// Most bytes that were kept at any time.
    kept: usize,
}

impl Played {
    fn trouble(&self) -> &Trouble {
        self.verdict.trouble.as_ref().expect("the conversation went wrong")
    }
}

thread_local! {
    static PATTERNS: Patterns = Patterns::default();
}

fn settings() -> Settings {
    Settings {
        eol: b"\r\n".to_vec(),
        terminator: Terminator::Line,
        timeout: Duration::from_secs(10),
        most_kept: 1 << 20,
        variables: BTreeMap::new(),
        is_strict: false,
        patterns: PATTERNS.with(Clone::clone),
    }
}

fn script(text: &str) -> Rc<Script> {
    match Script::parse("test.chat", text.as_bytes(), &["known".to_owned()].into()) {
        Ok(script) => Rc::new(script),
        Err(mistakes) => panic!("{mistakes:?} in {text}"),
    }
}

/// Plays a script against reads of these bytes; then the peer ends, or says nothing more.
fn play(text: &str, reads: &[&[u8]], ending: Option<Ending>) -> Played {
    play_with(script(text), settings(), reads, ending)
}

/// Steps separated by `/`, and one read.
fn say(steps: &str, heard: &str, ending: Option<Ending>) -> Played {
    play(&steps.replace(" / ", "\n"), &[heard.as_bytes()], ending)
}

fn play_with(script: Rc<Script>, settings: Settings, reads: &[&[u8]], ending: Option<Ending>) -> Played {
    let mut now = Instant::now();
    let mut course = Course::new(script, settings, now);
    let (mut said, mut did, mut kept) = (Vec::new(), Vec::new(), 0);
    let mut reads = reads.iter();
    let verdict = loop {
        match course.next(now) {
            Need::Say(bytes, _) => said.extend(bytes),
            Need::Pause(until) => now = now.max(until),
            Need::Over(verdict) => break *verdict,
            Need::Hear(until) => {
                assert!(course.room() > 0, "nothing can be decided and nothing more be heard");
                match (reads.next(), &ending) {
                    (Some(read), _) => course.hear(read),
                    (None, Some(ending)) if course.ending.is_none() => course.ended(ending.clone()),
                    (None, _) => now = until,
                }
            }
            need => did.push(need),
        }
        kept = kept.max(course.inbox.size());
    };
    let unheard = reads.flat_map(|read| read.iter().copied()).collect();
    Played { said, did, verdict, variables: course.settings.variables, unheard, kept }
}

const SAID: Option<Ending> = Some(Ending::Said);

fn cut() -> Option<Ending> {
    Some(Ending::Cut("Connection reset by peer".to_owned()))
}
