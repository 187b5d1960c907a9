//! Whatever was overheard, its script holds it again, from either side.

use proptest::prelude::*;

use super::properties::converse;
use super::*;
use crate::chat::record::{Form, Recorder, Speaker};

fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let long = |letter: &str| letter.repeat(5000);
    let piece = prop_oneof![
        8 => prop::sample::select(vec![
            "a", "b", " ", "\n", "\r\n", "\r", "\t", "\0", "é", "\u{202e}", "${a}", "\\", "none", "line", "# x", "12\n",
        ]).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::sample::select(vec![long("x"), long("\r\n"), long("é")]).prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 1..9),
    ];
    prop::collection::vec(piece, 1..8).prop_map(|pieces| pieces.concat())
}

fn speaker() -> impl Strategy<Value = Speaker> {
    prop::sample::select(vec![Speaker::We, Speaker::Peer])
}

/// The sides that have said their end, in that order.
fn ends() -> impl Strategy<Value = Vec<Speaker>> {
    use Speaker::{Peer, We};
    prop::sample::select(vec![vec![], vec![We], vec![Peer], vec![We, Peer], vec![Peer, We]])
}

fn all_said(words: &[(Speaker, Vec<u8>)], by: Speaker) -> Vec<u8> {
    words.iter().filter(|(speaker, _)| *speaker == by).flat_map(|(_, bytes)| bytes.clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_overheard_is_held_again_from_either_side(
        words in prop::collection::vec((speaker(), pieces()), 0..8), ends in ends(), size in 1..3000_usize
    ) {
        let mut recorder = Recorder::new(Form::Stream);
        words.iter().for_each(|(speaker, bytes)| recorder.said(*speaker, bytes));
        ends.iter().for_each(|speaker| recorder.end(*speaker));
        recorder.finish();
        let text = recorder.take();
        let ours = Script::parse("recorded", text.as_bytes(), &std::collections::BTreeSet::new());
        let ours = ours.map_err(|mistakes| TestCaseError::fail(format!("{mistakes:?} in {text}")))?;
        let theirs = ours.swapped(&[]).map_err(|mistakes| TestCaseError::fail(format!("{mistakes:?} in {text}")))?;
        let (we, peer) = (all_said(&words, Speaker::We), all_said(&words, Speaker::Peer));
        // Other settings than those of any session: the script says itself how lines end.
        let mut settings = settings();
        settings.eol = b"?".to_vec();
        settings.terminator = Terminator::Length(3);
        settings.is_strict = true;
        for (script, says, hears) in [(&ours, &we, &peer), (&theirs, &peer, &we)] {
            let reads: Vec<&[u8]> = hears.chunks(size).collect();
            let played = play_with(Rc::new(script.clone()), settings.clone(), &reads, SAID);
            prop_assert_eq!(&played.verdict.outcome, &PASS, "{} {:?}", &text, played.verdict);
            prop_assert_eq!(&played.said, says, "{}", &text);
        }
        let verdicts = converse(ours, theirs, size);
        prop_assert_eq!(verdicts.each_ref().map(|verdict| &verdict.outcome), [&PASS, &PASS], "{}", text);
    }
}
