use std::rc::Rc;

use proptest::prelude::*;
use regex::bytes::Regex;

use super::nearest::nearest;
use super::raw::Raw;
use super::search::{Found, Search};
use crate::chat::inbox::Inbox;

/// Searches `text` as it comes in reads of these sizes, and tells the hit and the match.
fn search(source: &str, text: &[u8], reads: &[usize], most_kept: usize) -> Option<(u64, Option<Found>)> {
    let raw = Rc::new(Raw::new(source).unwrap());
    let mut inbox = Inbox::new(most_kept);
    let mut search = Search::new(raw, 0);
    inbox.keep_behind(search.needs_behind(most_kept));
    let mut rest = text;
    let mut sizes = reads.iter().copied().chain(std::iter::repeat(1));
    loop {
        if let Some(hit) = search.advance(&inbox, inbox.end()) {
            return Some((hit, search.found(&inbox, most_kept)));
        }
        if rest.is_empty() {
            return None;
        }
        let (read, later) = rest.split_at(sizes.next().unwrap_or(1).min(rest.len()));
        inbox.go_to(inbox.end());
        inbox.push(read);
        rest = later;
    }
}

/// What a search has to find, found the slow way.
fn slowly(source: &str, text: &[u8]) -> Option<(u64, (u64, u64))> {
    let regex = Regex::new(source).unwrap();
    (0..=text.len()).find_map(|end| {
        let found = regex.find(&text[..end])?;
        Some((end as u64, (found.start() as u64, found.end() as u64)))
    })
}

#[test]
fn the_shortest_prefix_that_fits_is_found() {
    for (source, text, hit, start, end) in [
        ("b+", "aabbb", 3, 2, 3),
        ("login: $", "last login: now\nlogin: ", 12, 5, 12),
        ("^b", "ab", u64::MAX, 0, 0),
        ("(?m)^b", "a\nb", 3, 2, 3),
        (r"ok\b", "okay ok", 2, 0, 2),
        (r"-\b", "--x", 3, 1, 2),
        (r"x\B", "x xy", 4, 2, 3),
        ("é", "aé", 3, 1, 3),
        ("(?i)HELLO", "say hello", 9, 4, 9),
        ("a$b", "a$b", u64::MAX, 0, 0),
        ("(?s)x.*y", "1x\n2\nyy", 6, 1, 6),
        ("foo|foobar", "foobar", 3, 0, 3),
    ] {
        let found = search(source, text.as_bytes(), &[], 1 << 20);
        let expected = (hit != u64::MAX).then(|| (hit, Some(Found { start, end, groups: Vec::new() })));
        assert_eq!(found, expected, "{source} in {text:?}");
    }
}

#[test]
fn groups_are_found_where_the_match_is() {
    let (_, found) =
        search(r"code=(?<code>\d+);(?<more>x)?", b"junk code=42; rest", &[3, 9, 100], 64).unwrap();
    assert_eq!(found.unwrap().groups, [("code".to_owned(), b"42".to_vec())]);
}

#[test]
fn a_match_that_began_before_what_is_kept_is_not_made_up() {
    let mut text = b"start ".to_vec();
    text.extend([b'.'; 100]);
    text.extend(b" end");
    let found = |source, most_kept| search(source, &text, &[7, 50, 60], most_kept).unwrap().1;
    assert_eq!(found("start.*end", 1000).unwrap().start, 0);
    assert_eq!(found("start.*end", 50), None);
    // The way back ends at the space, so nothing that is gone can matter.
    assert_eq!(found(r"\w+d$", 50).unwrap().start, 107);
    assert_eq!(found(" end", 50).unwrap().start, 106);
}

#[test]
fn states_are_forgotten_when_there_are_too_many() {
    // About two to the power of 19 states; the automaton keeps a hundredth of them.
    let mut noise = 1_u32;
    let mut text: Vec<u8> = std::iter::repeat_with(|| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        if noise >> 31 == 0 { b'a' } else { b'b' }
    })
    .take(60_000)
    .collect();
    text.extend(b"abbbbbbbbbbbbbbbbbbbc");
    let (hit, found) = search("a[ab]{19}c", &text, &[1000; 61], 4096).unwrap();
    assert_eq!((hit, found.unwrap().start), (60_021, 60_000));
}

#[test]
fn the_nearest_beginning_of_a_pattern_is_told() {
    let near = |source: &str, texts: &[&str]| {
        let texts: Vec<&[u8]> = texts.iter().map(|text| text.as_bytes()).collect();
        nearest(source, &texts).map(|near| (near.pattern, String::from_utf8(near.text).unwrap()))
    };
    let told = |pattern: &str, text: &str| Some((pattern.to_owned(), text.to_owned()));
    assert_eq!(near("^250 ok", &["220 hi", "250-size", "50"]), told("^250", "250"));
    assert_eq!(near("(?<code>25(0|1)) ok", &["x 251-"]), told("(?<code>25(0|1))", "251"));
    assert_eq!(near("(?<code>250) ok", &["x 25-"]), told("(?<code>25)", "25"));
    assert_eq!(near("(?i)HELLO", &["help"]), told("(?i)HEL", "hel"));
    assert_eq!(near("^$", &["x"]), None);
    assert_eq!(near("abc|xyz", &["xy", "ab?"]).map(|(pattern, _)| pattern.len()), Some(2));
    assert_eq!(near("abc", &["xyz"]), None);
}

fn patterns() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "a",
        "ab",
        "a+b",
        "ab$",
        "^ab",
        "(?m)^a",
        "(?m)a$",
        "(?m)a$\n",
        r"(?-u:\ba)",
        r"(?-u:a\b)",
        r"(?-u:a\B)",
        r"(?-u:\Ba)",
        r"(?-u:\b)",
        "a.b",
        "(?s)a.*b",
        "a.*b",
        "(?s-u)b.a",
        "[^a]b",
        "(a|ab)(b|bb)c?",
        "a{2,3}b",
        "(?R)a$",
        "(?Rm)^b",
        "(?Rm)a$",
        r"\xC3\xA9|b\n",
        "é",
        "é+a",
        r"(?-u:\b{start}a)",
        r"(?-u:a\b{end})",
        "b\\z",
        "\\Aa*b",
    ])
}

fn texts() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec!["a", "b", "c", "\n", "\r\n", "é", " ", "aa", "ab"]);
    let piece = prop_oneof![9 => piece.prop_map(|piece| piece.as_bytes().to_vec()), 1 => Just(vec![0xc3])];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_search_finds_what_the_slow_way_finds(
        source in patterns(), text in texts(), reads in prop::collection::vec(1..9_usize, 0..20)
    ) {
        let found = search(source, &text, &reads, 1 << 20);
        let found = found.map(|(hit, found)| (hit, found.map(|found| (found.start, found.end))));
        prop_assert_eq!(found, slowly(source, &text).map(|(hit, span)| (hit, Some(span))));
    }

    #[test]
    fn a_small_window_finds_the_same_or_says_that_it_cannot(
        source in patterns(), text in texts(), reads in prop::collection::vec(1..9_usize, 0..20)
    ) {
        let found = search(source, &text, &reads, 6);
        prop_assert_eq!(&found, &search(source, &text, &[64], 6));
        let slow = slowly(source, &text);
        prop_assert_eq!(found.as_ref().map(|(hit, _)| *hit), slow.map(|(hit, _)| hit));
        if let (Some((_, Some(found))), Some((_, span))) = (found, slow) {
            prop_assert_eq!((found.start, found.end), span);
        }
    }
}
