//! What was said in vain, what is said and heard as messages, and what is not told.

use super::*;
use crate::chat::script::Secrecy;

/// Plays a script with a program that takes nothing of what is said, and has said this before.
fn in_vain(steps: &str, heard: &str) -> Verdict {
    let mut now = Instant::now();
    let mut course = Course::new(script(&steps.replace(" / ", "\n")), settings(), now);
    course.hear(heard.as_bytes());
    loop {
        match course.next(now) {
            Need::Pause(until) => now = now.max(until),
            Need::Say(..) => course.nobody_takes_it(),
            Need::Hear(_) => course.ended(Ending::Said),
            Need::Over(verdict) => return *verdict,
            _ => {}
        }
    }
}

#[test]
fn what_nobody_takes_goes_wrong_unless_something_is_heard_after_it() {
    for (steps, heard, outcome) in [
        ("> x", "", Outcome::Cut),
        ("> x / .exit", "", Outcome::Cut),
        ("= a / > x", "a\n", Outcome::Cut),
        ("> x / = a", "a\n", PASS),
        ("> x / > y / = a / <$", "a\n", PASS),
        ("> x / <$", "", PASS),
        ("> x / = a / > y", "a\n", Outcome::Cut),
        ("> x / .rest-empty", "", Outcome::Cut),
        ("> x / = b", "a\n", Outcome::Mismatch),
        ("> x / = a", "", Outcome::Early),
    ] {
        let verdict = in_vain(steps, heard);
        assert_eq!(verdict.outcome, outcome, "{steps}");
        let lost = verdict.trouble.as_ref().and_then(|trouble| trouble.lost.as_ref());
        let is_later = matches!(outcome, Outcome::Mismatch | Outcome::Early);
        assert_eq!(lost.map(|place| place.line), is_later.then_some(1), "{steps}");
    }
    let trouble = in_vain("= a / > x / .sleep 1s", "a\n").trouble.unwrap();
    assert_eq!((trouble.place.line, &*trouble.step), (2, "> x"));
    assert_eq!(trouble.why.unwrap(), "the program took no more input");
}

/// Plays a script with a peer that has said these messages.
fn with_messages(steps: &str, heard: &[&str]) -> Verdict {
    let now = Instant::now();
    let mut course = Course::new(script(&steps.replace(" / ", "\n")), settings(), now);
    heard.iter().for_each(|message| course.hear_message(message.as_bytes()));
    loop {
        match course.next(now) {
            Need::Hear(until) => drop(course.next(until)),
            Need::Over(verdict) => return *verdict,
            _ => {}
        }
    }
}

#[test]
fn an_empty_message_is_a_unit_of_its_own() {
    for (steps, heard, outcome) in [
        ("<< / = a", &["", "a"][..], PASS),
        ("= / = / = a", &["", "", "a"], PASS),
        ("= a / = / = b", &["a", "", "b"], PASS),
        ("<< a / << / << b", &["a", "", "b"], PASS),
        ("~ b", &["a", "", "b"], PASS),
        ("~1 ^$ / <# 1", &["", "b"], PASS),
        (".drop-input / .term none", &["a", "", ""], PASS),
        // The last unit has no terminator.
        (".term aa / = xa", &["xa"], PASS),
        ("= a / .rest-empty", &["a", ""], Outcome::Unread),
        ("= a / <<", &["a", "b"], Outcome::Mismatch),
        ("= a / = b", &["a", "", "b"], Outcome::Mismatch),
        ("= a / <<", &["a"], Outcome::Timeout),
        ("= a / .drop-input / <<", &["a", ""], Outcome::Timeout),
    ] {
        assert_eq!(with_messages(steps, heard).outcome, outcome, "{steps} {heard:?}");
    }
    assert_eq!(with_messages("<<", &["a"]).trouble.unwrap().wanted, "an empty message");
}

#[test]
fn saying_empty_messages_is_saying_something() {
    assert_eq!(with_messages(".loop 60000 / >> / .end", &[]).outcome, PASS);
}

#[test]
fn saying_nothing_does_not_keep_a_loop_from_being_found_out() {
    let verdict = in_vain(".set x / .loop / >> ${x} / .end", "");
    assert!(verdict.trouble.unwrap().why.unwrap().contains("goes round"));
}

#[test]
fn what_is_hidden_is_in_no_news_and_no_trouble() {
    let now = Instant::now();
    let text = "~ (?<a>.*)\n.hide\n.set b secret\n~ (?<c>.*)\n> typed\n.show\n= d";
    let mut course = Course::new(script(text), settings(), now);
    course.hear(b"open\nhush\nd\n");
    while !matches!(course.next(now), Need::Over(_)) {}
    let told = format!("{:?}", course.take_news().collect::<Vec<_>>());
    assert!(!told.contains(&format!("{:?}", b"hush")) && told.contains(&format!("{:?}", b"open")), "{told}");
    assert!(!told.contains("\"b\"") && !told.contains("\"c\""), "{told}");

    let mut course = Course::new(script(".hide\n= secret"), settings(), now);
    course.hear(b"other\nrest\n");
    let verdict = loop {
        if let Need::Over(verdict) = course.next(now) {
            break verdict;
        }
    };
    let trouble = verdict.trouble.unwrap();
    assert_eq!((&*trouble.step, trouble.secrecy), ("= ***", Secrecy::Hidden));
    assert_eq!((&*trouble.wanted, trouble.got, trouble.nearest, trouble.why), ("", vec![], None, None));
    assert_eq!(verdict.unread, b"");
}

#[test]
fn empty_messages_take_room_too() {
    let mut course = Course::new(script("= x"), settings(), Instant::now());
    let room = course.room();
    (0..10).for_each(|_| course.hear_message(b""));
    assert_eq!(course.room(), room - 10);

    let now = Instant::now();
    let mut course = Course::new(script(".term none\n= xa"), settings(), now);
    course.hear_message(b"x");
    (0..room).for_each(|_| course.hear_message(b""));
    let Need::Over(verdict) = course.next(now) else { panic!("there is room for no more") };
    assert_eq!(verdict.outcome, Outcome::Overflow);
}
