use proptest::prelude::*;

use super::*;

/// Steps that hear, over a small alphabet, so that much of what is random fits.
fn hearing() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "< a",
        "< ab",
        "= a",
        "= ab",
        "= ",
        "<< a",
        "<< ab",
        "<< \\n",
        "~ a",
        "~ ^ab$",
        "~ (?<x>b+)",
        "~ c",
        "~1 a",
        "~1 .",
        "~~ a",
        "~~ (?<y>a.?b)",
        "~~ b$",
        "~~ (?m)^b",
        "~~ (?-u:a\\b)",
        "~~ (?s)b.*c",
        "<# 1",
        "<# 3 z",
        "<$ rest",
        "<$",
        "! c",
        "! ab",
        "! b$",
        "! ^b",
        "! ^a.?b",
        "!",
        ".term line",
        ".term ab",
        ".term \\r\\n",
        ".term 3",
        ".term aXa",
        ".term none",
        "? ab -> E\n?? b -> E\n?$ -> E",
        "?? b\\n -> E\n? b -> E",
        "?? a -> E\n?? b -> E",
        "? a -> E\n? b -> E",
        ".exit 3",
        "> x",
    ])
}

/// A script of such steps; every label is that of the end.
fn scripts() -> impl Strategy<Value = String> {
    prop::collection::vec(hearing(), 1..8).prop_map(|steps| steps.join("\n") + "\n:E\n> end")
}

fn streams() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec!["a", "b", "ab", "c", "\n", "\r\n", "\r", "aXa", "aX", "é"]);
    prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat().into_bytes())
}

fn endings() -> impl Strategy<Value = Option<Ending>> {
    prop_oneof![3 => Just(SAID), 1 => Just(cut()), 1 => Just(None)]
}

/// Reads of these sizes, then one of all the rest.
fn split<'a>(mut text: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let mut reads = Vec::new();
    for size in sizes {
        let (read, rest) = text.split_at(*size.min(&text.len()));
        reads.push(read);
        text = rest;
    }
    reads.push(text);
    reads.retain(|read| !read.is_empty());
    reads
}

/// What must not depend on how reads split the stream.
fn essence(played: &Played) -> impl PartialEq + std::fmt::Debug + use<> {
    let mut rest = [played.verdict.unread.as_slice(), &played.unheard].concat();
    if !matches!(played.verdict.outcome, Outcome::Pass(_)) {
        rest.clear();
    }
    let line = played.verdict.trouble.as_ref().map(|trouble| trouble.place.line);
    (played.verdict.outcome.clone(), played.variables.clone(), rest, line, played.said.clone())
}

/// Scripts that have another side, each step of which the other side can know.
fn transcripts() -> impl Strategy<Value = String> {
    let text = prop::sample::select(vec!["a", "ab", "", "b a", "\\xff", "x\\ty"]);
    let step = (prop::sample::select(vec!["> ", ">> ", "= ", "<< ", "< "]), text)
        .prop_filter("some bytes", |(operator, text)| !text.is_empty() || !matches!(*operator, ">> " | "<< "))
        .prop_map(|(operator, text)| format!("{operator}{text}"));
    let step = prop_oneof![
        8 => step,
        1 => prop::sample::select(vec![".loop 3\n> again\n= yes\n.end", ".sleep 1s", ".set a b\n> ${a}"]).prop_map(str::to_owned),
    ];
    (prop::collection::vec(step, 1..12), prop::sample::select(vec!["", "\n.half-close\n<$", "\n<$"]))
        .prop_map(|(steps, end)| steps.join("\n") + end)
}

/// Two conversations talk with each other in reads of `size` bytes until both are over.
pub(super) fn converse(ours: Script, theirs: Script, size: usize) -> [Verdict; 2] {
    let mut now = Instant::now();
    let mut sides = [ours, theirs].map(|script| Course::new(Rc::new(script), settings(), now));
    let mut said = [Vec::new(), Vec::new()];
    let (mut has_ended, mut quiet) = ([false, false], 0);
    loop {
        let (mut waits, mut verdicts) = (Vec::new(), Vec::new());
        let before = (said.clone(), has_ended);
        for side in 0..2 {
            match sides[side].next(now) {
                Need::Say(bytes, _) => said[side].extend(bytes),
                Need::HalfClose | Need::Close => has_ended[side] = true,
                Need::Pause(until) => waits.push(until),
                Need::Hear(until) => {
                    let heard = &mut said[1 - side];
                    let read: Vec<u8> = heard.drain(..size.min(heard.len())).collect();
                    sides[side].hear(&read);
                    if read.is_empty() && has_ended[1 - side] {
                        sides[side].ended(Ending::Said);
                    }
                    waits.push(until);
                }
                Need::Over(verdict) => {
                    has_ended[side] = true;
                    verdicts.push(*verdict);
                }
                need => panic!("{need:?}"),
            }
        }
        if let Ok(verdicts) = <[Verdict; 2]>::try_from(verdicts) {
            return verdicts;
        }
        quiet = if before == (said.clone(), has_ended) { quiet + 1 } else { 0 };
        // Both were asked again after all that happened, and both wait.
        if quiet > 1 {
            now = now.max(*waits.iter().min().expect("one of them waits"));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_conversation_and_its_other_side_agree(text in transcripts(), size in 1..6_usize) {
        let ours = Script::parse("ours.chat", text.as_bytes(), &std::collections::BTreeSet::new());
        let ours = ours.unwrap_or_else(|mistakes| panic!("{mistakes:?} in {text}"));
        let theirs = ours.swapped(&[]).unwrap_or_else(|mistakes| panic!("{mistakes:?} in {text}"));
        let verdicts = converse(ours, theirs, size);
        prop_assert_eq!(verdicts.each_ref().map(|verdict| &verdict.outcome), [&PASS, &PASS], "{:?}", verdicts);
    }

    #[test]
    fn no_more_is_kept_than_was_agreed_on(
        text in scripts(), stream in prop::collection::vec(streams(), 0..20), most_kept in 400..600_usize
    ) {
        let parsed = Script::parse("test.chat", text.as_bytes(), &std::collections::BTreeSet::new());
        prop_assume!(parsed.is_ok());
        let mut settings = settings();
        settings.most_kept = most_kept;
        let stream = stream.concat();
        let reads: Vec<&[u8]> = stream.chunks(50).collect();
        let played = play_with(Rc::new(parsed.unwrap()), settings, &reads, SAID);
        // What is kept unread, and as much that was read: for patterns that look back, and to be moved in one go.
        prop_assert!(played.kept <= 2 * (most_kept + 1) + 50, "{} of {most_kept}", played.kept);
    }

    #[test]
    fn no_verdict_depends_on_how_reads_split_the_stream(
        text in scripts(), stream in streams(), sizes in prop::collection::vec(1..6_usize, 0..20),
        ending in endings(), most_kept in prop::sample::select(vec![4_usize, 7, 1000])
    ) {
        let parsed = Script::parse("test.chat", text.as_bytes(), &std::collections::BTreeSet::new());
        prop_assume!(parsed.is_ok());
        let (parsed, mut settings) = (Rc::new(parsed.unwrap()), settings());
        settings.most_kept = most_kept;
        let whole = play_with(parsed.clone(), settings.clone(), &[&stream], ending.clone());
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        let single = play_with(parsed.clone(), settings.clone(), &bytes, ending.clone());
        prop_assert_eq!(essence(&whole), essence(&single), "all at once, and bytes");
        let parts = play_with(parsed, settings, &split(&stream, &sizes), ending);
        prop_assert_eq!(essence(&whole), essence(&parts), "all at once, and parts");
    }
}
