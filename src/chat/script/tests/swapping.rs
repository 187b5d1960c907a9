//! The other side of a conversation.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn swapped(text: &str) -> String {
    script(text).swapped(&[]).unwrap_or_else(|mistakes| panic!("{}", told(&mistakes))).to_string()
}

fn refused(text: &str) -> String {
    told(&script(text).swapped(&[]).expect_err("a mistake"))
}

#[test]
fn what_one_side_says_the_other_hears() {
    assert_eq!(
        swapped("< 220\n> HELO x\n= 250 ok\n>> a\\nb\n<< c\n>\n.half-close\n<$"),
        "> 220\n= HELO x\n> 250 ok\n<< a\\nb\n>> c\n=\n<$\n.half-close\n"
    );
    assert_eq!(swapped("= a\n.close"), "> a\n<$\n");
    assert_eq!(swapped("! x\n.pace 1/1s\n.drop-input\n> a\n.rest-empty\n.exit 3"), "= a\n.exit 0\n");
    assert_eq!(
        swapped(".timeout 5s\n.sleep 1s\n.set x 1\n.starttls\n> a"),
        ".timeout 5s\n.sleep 1s\n.set x 1\n.starttls\n= a\n"
    );
}

#[test]
fn ends_of_lines_stay_byte_for_byte_the_same() {
    assert_eq!(swapped("> a\\nb\n> a\\r\n> ${port}"), "<< a\\nb\n=\n<< a\\r\n=\n<< ${port}\n=\n");
    assert_eq!(swapped("= a\\r"), ">> a\\r\\r\\n\n");
    assert_eq!(swapped(".eol ;\n> a\n> b;\n> c;d"), ".term ;\n= a\n<< b;\n=\n<< c;d\n=\n");
    assert_eq!(swapped(".eol aa\n> a"), ".term aa\n<< a\n=\n");
    assert_eq!(swapped(".eol none\n> a\n>"), "<< a\n");
    assert_eq!(swapped(".term ;\n= a\n< b"), ".eol ;\n> a\n> b\n");
    assert_eq!(swapped(".term 3\n= abc\n.term line\n= d"), ">> abc\n.eol \\r\\n\n> d\n");
    assert_eq!(swapped(".term none\n= abc\n<$"), ">> abc\n.half-close\n");
}

#[test]
fn what_holds_before_the_first_step_changes_sides_too() {
    let before = script(".eol ;\n.term \\n\n").steps;
    let other = script("> a\n= b\n< c\n:l\n> d").swapped(&before).unwrap();
    assert_eq!(other.to_string(), ".term ;\n.eol \\n\n= a\n> b\n> c\n:l\n= d\n");
}

#[test]
fn an_empty_message_is_one_on_the_other_side() {
    assert_eq!(swapped(">>\n<<\n.hide\n>> x\n.show"), "<<\n>>\n.hide\n<< x\n.show\n");
}

#[test]
fn jumps_lead_to_the_same_steps() {
    let other = script("! a\n! b\n:top\n.loop 3\n! c\n> x\\n\n.end\n> y\n.goto top").swapped(&[]).unwrap();
    assert_eq!(other.to_string(), ":top\n.loop 3\n<< x\\n\n=\n.end\n= y\n.goto top\n");
    assert_eq!(other.steps[1].op, Op::Loop { times: Some(3), end: 5 });
    assert_eq!((&other.steps[4].op, &other.steps[6].op), (&Op::End(1), &Op::Goto(0)));
    assert_eq!((other.steps[2].place.line, &*other.steps[2].text), (6, "<< x\\n"));
}

#[test]
fn what_has_no_other_side_is_told_line_by_line() {
    let mistakes = refused("~ a\n> x\n<# 5\n>@ f\n.term 5\n= ab\n? a -> l\n:l\n.reset");
    let (hints, lines): (Vec<&str>, Vec<&str>) =
        mistakes.lines().partition(|line| line.starts_with("  hint: "));
    assert_eq!(hints.len(), lines.len(), "{mistakes}");
    let lines: Vec<&str> = lines.iter().map(|line| &line[..8]).collect();
    assert_eq!(lines, ["x.chat:1", "x.chat:3", "x.chat:4", "x.chat:6", "x.chat:7", "x.chat:9"]);
    assert!(mistakes.starts_with("x.chat:1: this step has no other side: what would fit is not known"));
    assert!(refused(":l\n.eol ;\n> a").contains("after a label"));
    assert!(refused("<$ x\n> ${x}").starts_with("x.chat:1"));
    assert!(refused("<$\n= a").starts_with("x.chat:2: nothing can be said here"));
}

/// What the steps say, where `>` adds `eol` until they choose another.
fn said(ops: &[Op], eol: &[u8]) -> Vec<u8> {
    let bytes = |text: &Template| text.render(&BTreeMap::new()).unwrap();
    let mut eol = eol.to_vec();
    let mut said = Vec::new();
    for op in ops {
        match op {
            Op::Eol(text) => eol = bytes(text),
            Op::Send { text, has_eol } => {
                said.extend(bytes(text));
                said.extend_from_slice(if *has_eol { &eol } else { b"" });
            }
            _ => {}
        }
    }
    said
}

/// What of `bytes` is left when the steps have heard what they are to hear; none where it is not that.
fn left_by<'a>(ops: &[Op], mut bytes: &'a [u8]) -> Option<&'a [u8]> {
    let plain = |text: &Template| text.as_plain().unwrap().to_vec();
    let mut terminator = Terminator::Line;
    for op in ops {
        match op {
            Op::Term(new) => terminator = new.clone(),
            Op::Expect(Expect::RawStart(text)) => bytes = bytes.strip_prefix(&*plain(text))?,
            Op::Expect(Expect::End(_)) => bytes = b"",
            Op::Expect(Expect::Equal(text) | Expect::Start(text)) => {
                let (unit, rest) = unit(bytes, &terminator)?;
                let is_whole = matches!(op, Op::Expect(Expect::Start(_))) || unit.len() == plain(text).len();
                bytes = rest;
                (is_whole && unit.starts_with(&plain(text))).then_some(())?;
            }
            _ => {}
        }
    }
    Some(bytes)
}

/// The first unit, and what follows what ends it.
fn unit<'a>(bytes: &'a [u8], terminator: &Terminator) -> Option<(&'a [u8], &'a [u8])> {
    let end =
        |end: &[u8]| bytes.windows(end.len()).position(|window| window == end).map(|at| (at, at + end.len()));
    match terminator {
        Terminator::Line => {
            let (at, next) = end(b"\n")?;
            Some((bytes[..at].strip_suffix(b"\r").unwrap_or(&bytes[..at]), &bytes[next..]))
        }
        Terminator::Text(text) => end(text.as_plain()?).map(|(at, next)| (&bytes[..at], &bytes[next..])),
        Terminator::Length(length) => bytes.split_at_checked(*length),
        Terminator::None => Some((bytes, b"")),
    }
}

fn any_step() -> impl Strategy<Value = Op> {
    let bytes = |least| prop::collection::vec(prop::sample::select(b"ab;\r\n".to_vec()), least..4);
    let text = move |least| bytes(least).prop_map(Template::plain);
    prop_oneof![
        3 => text(0).prop_map(|text| Op::Send { text, has_eol: true }),
        1 => text(1).prop_map(|text| Op::Send { text, has_eol: false }),
        3 => text(0).prop_map(|text| Op::Expect(Expect::Equal(text))),
        1 => text(0).prop_map(|text| Op::Expect(Expect::Start(text))),
        1 => text(1).prop_map(|text| Op::Expect(Expect::RawStart(text))),
        1 => text(0).prop_map(Op::Eol),
        1 => text(1).prop_map(|text| Op::Term(Terminator::Text(text))),
        1 => prop::sample::select(vec![Terminator::Line, Terminator::Length(2)]).prop_map(Op::Term),
    ]
}

/// Steps whose units can come at all: none has its terminator in it.
fn possible(ops: Vec<Op>) -> Vec<Op> {
    let mut terminator = Terminator::Line;
    ops.into_iter()
        .filter(|op| match op {
            Op::Term(new) => {
                terminator = new.clone();
                true
            }
            Op::Expect(Expect::Equal(text) | Expect::Start(text)) => {
                let text = text.as_plain().unwrap();
                let end = match &terminator {
                    Terminator::Text(end) => end.as_plain().unwrap(),
                    _ => b"\r\n",
                };
                let is_open =
                    matches!((&terminator, op), (Terminator::Length(_), Op::Expect(Expect::Start(_))));
                let whole = [text, end].concat();
                !is_open
                    && (unit(&whole, &terminator) == Some((text, b""))
                        || unit(text, &terminator) == Some((text, b"")))
            }
            _ => true,
        })
        .collect()
}

proptest! {
    #[test]
    fn each_side_hears_what_the_other_says(
        ops in prop::collection::vec(any_step(), 1..10).prop_map(possible),
        eol in prop::sample::select(vec!["\n", "\r\n"]),
    ) {
        let place = Place { file: "x".into(), line: 1 };
        let step = |op: &Op| Step { place: place.clone(), text: "".into(), op: op.clone() };
        let ours = Script { name: "x".into(), steps: ops.iter().map(step).collect() };
        let theirs = ours.swapped(&[]).map_err(|mistakes| TestCaseError::reject(told(&mistakes)))?;
        let other: Vec<Op> = theirs.steps.iter().map(|step| step.op.clone()).collect();
        let (ours, theirs) = (ours.to_string(), theirs.to_string());
        for (hearer, sayer) in [(&other, &ops), (&ops, &other)] {
            let bytes = said(sayer, eol.as_bytes());
            let left = left_by(hearer, &bytes);
            prop_assert_eq!(left, Some(&b""[..]), "{}=>\n{}", ours, theirs);
        }
    }
}
