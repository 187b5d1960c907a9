//! Whatever is typed, the reader answers; whatever is printed, it reads back.

use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use proptest::prelude::*;

use super::*;

fn any_text(least: usize) -> impl Strategy<Value = Template> {
    let piece = prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 1..6),
        4 => prop::sample::select(vec![" ", "$", "{", "\\", "$ {", "none", "line", "12", "é\u{202e}", "-> l", "#", "\r\n"])
            .prop_map(|piece| piece.as_bytes().to_vec()),
        1 => Just(Vec::new()),
    ];
    prop::collection::vec(piece, least..4).prop_map(move |pieces| {
        let mut parts: Vec<Part> = Vec::new();
        for piece in pieces {
            match parts.last_mut() {
                _ if piece.is_empty() => parts.push(Part::Variable("port".into())),
                Some(Part::Bytes(bytes)) => bytes.extend(piece),
                _ => parts.push(Part::Bytes(piece)),
            }
        }
        Template { parts }
    })
}

fn any_pattern() -> impl Strategy<Value = Pattern> {
    let sources = [
        "^2[0-9]+ ",
        " x ",
        "a -> b",
        r"\\$",
        r"\$\{",
        "(?<port>\\d+)x",
        "é",
        "[\u{1b}]",
        "x${port}y",
        "${env:HOME}-",
    ];
    prop::sample::select(sources.to_vec()).prop_map(|source| {
        let Op::Forbid(Some(pattern)) = ops(&format!("! {source}")).remove(0) else { panic!() };
        pattern
    })
}

fn any_time() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (1..10_000_u64).prop_map(Duration::from_millis),
        (1..5_000_000_000_u64).prop_map(Duration::from_nanos),
        (1..100_000_000_u64).prop_map(Duration::from_secs),
    ]
}

fn any_count() -> impl Strategy<Value = Count> {
    prop_oneof![(1..usize::MAX).prop_map(Count::Number), Just(Count::Variable("port".into()))]
}

fn any_expectation() -> impl Strategy<Value = Expect> {
    let name = || prop::option::of(Just("name".to_owned()));
    prop_oneof![
        any_text(0).prop_map(Expect::Start),
        any_text(1).prop_map(Expect::RawStart),
        any_text(0).prop_map(Expect::Equal),
        any_pattern().prop_map(Expect::Skip),
        any_pattern().prop_map(Expect::Next),
        any_pattern().prop_map(Expect::RawSkip),
        (any_count(), name()).prop_map(|(count, name)| Expect::Exactly(count, name)),
        name().prop_map(Expect::End),
    ]
}

/// Any step that may stand anywhere and leaves everything open.
fn any_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        any_text(0).prop_map(|text| Op::Send { text, has_eol: true }),
        any_text(1).prop_map(|text| Op::Send { text, has_eol: false }),
        any_text(1).prop_map(Op::SendFile),
        any_expectation().prop_map(Op::Expect),
        prop::option::of(any_pattern()).prop_map(Op::Forbid),
        any_text(1).prop_map(|text| Op::Term(Terminator::Text(text))),
        (1..usize::MAX).prop_map(|length| Op::Term(Terminator::Length(length))),
        prop::sample::select(vec![Op::Term(Terminator::None), Op::Term(Terminator::Line)]),
        any_text(0).prop_map(Op::Eol),
        any_time().prop_map(Op::Timeout),
        any_time().prop_map(Op::Sleep),
        (1..usize::MAX, any_time()).prop_map(|(size, pause)| Op::Pace(Some(Pace { size, pause }))),
        prop::sample::select(vec![Op::Pace(None), Op::DropInput, Op::RestEmpty]),
        any_text(0).prop_map(|text| Op::Set("x".into(), text)),
        any_text(0).prop_map(|text| Op::Default("x".into(), text)),
    ]
}

/// Steps, some in a loop, some in alternatives that lead to the labels around them.
fn any_ops() -> impl Strategy<Value = Vec<Op>> {
    let ops = || prop::collection::vec(any_op(), 0..5);
    let times = 1..=u64::MAX;
    (ops(), ops(), ops(), times, any_pattern(), any::<u8>()).prop_map(
        |(first, turn, last, times, pattern, code)| {
            let mut ops = first;
            ops.insert(0, Op::Label("start-1".into()));
            let start = ops.len();
            ops.push(Op::Loop { times: Some(times), end: start + turn.len() + 2 });
            ops.extend(turn);
            ops.push(Op::End(start));
            let choice = ops.len();
            let place = Place { file: "x".into(), line: 1 };
            let whens = [When::Unit(pattern.clone()), When::Raw(pattern), When::End, When::Timeout];
            let alternatives = whens.into_iter().zip([0, choice + 1, choice + 1, 0]);
            let alternative = |(when, to)| Alternative { place: place.clone(), when, to };
            ops.push(Op::Choose(alternatives.map(alternative).collect()));
            ops.push(Op::Label("on_2".into()));
            ops.extend(last);
            let ends = [Op::Goto(0), Op::Close, Op::Exit(Some(code)), Op::Exit(None), Op::Reset];
            ops.push(ends[usize::from(code) % ends.len()].clone());
            ops
        },
    )
}

fn printed(ops: &[Op]) -> String {
    let step = |op: &Op| Step { place: Place { file: "x".into(), line: 1 }, text: "".into(), op: op.clone() };
    Script { name: "x".into(), steps: ops.iter().map(step).collect() }.to_string()
}

/// Without the places of alternatives, which are those of what was read.
fn bare(mut ops: Vec<Op>) -> Vec<Op> {
    for op in &mut ops {
        if let Op::Choose(alternatives) = op {
            alternatives.iter_mut().for_each(|one| one.place = Place { file: "x".into(), line: 1 });
        }
    }
    ops
}

proptest! {
    #[test]
    fn what_is_printed_reads_as_the_same_steps(ops in any_ops()) {
        let text = printed(&ops);
        let known = known().into_iter().chain(["x".into()]).collect();
        let read = Script::parse("x", text.as_bytes(), &known)
            .map_err(|mistakes| TestCaseError::fail(format!("{text}\n{}", told(&mistakes))))?;
        let again = read.to_string();
        prop_assert_eq!(bare(read.steps.into_iter().map(|step| step.op).collect()), ops, "{}", text);
        prop_assert_eq!(&again, &text);
        prop_assert!(!text.replace('\u{1b}', "").contains(|c: char| c != '\n' && c.is_control()), "{}", text);
    }

    #[test]
    fn no_bytes_make_the_reader_fail_otherwise_than_by_mistakes(
        lines in prop::collection::vec(
            (
                prop::sample::select(vec![
                    "", "> ", ">> ", "<# ", "~ ", "~~ ", "? ", "?$ ", "?? a -> ", ":", ".", ".loop ", ".end", ".term ",
                    ".goto ", ".set ", ".pace ", "> ${", "~ ${", "> \\",
                ]),
                prop::collection::vec(prop_oneof![1..=255_u8, prop::sample::select(b" ->\\${}()[]x1".to_vec())], 0..12),
            ),
            0..12,
        ),
    ) {
        let mut bytes = Vec::new();
        for (start, rest) in lines {
            bytes.extend_from_slice(start.as_bytes());
            bytes.extend_from_slice(&rest);
            bytes.push(b'\n');
        }
        match Script::parse("x", &bytes, &known()) {
            Ok(script) => {
                let _ = script.swapped(&[]);
                let again = Script::parse("x", script.to_string().as_bytes(), &known());
                let ops = |script: Script| bare(script.steps.into_iter().map(|step| step.op).collect());
                prop_assert_eq!(again.map(ops), Ok(ops(script)));
            }
            Err(mistakes) => {
                let text = told(&mistakes);
                prop_assert!(!text.contains(|c: char| c != '\n' && c.is_control()), "{:?}", text);
            }
        }
    }
}

/// The processor's time that this thread has used; how busy the machine is does not count.
fn used() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_THREAD).unwrap();
    [usage.user_time(), usage.system_time()]
        .map(|time| Duration::from_micros(time.num_microseconds().try_into().unwrap()))
        .iter()
        .sum()
}

#[test]
fn long_scripts_take_time_by_their_length_and_not_by_its_square() {
    let label = |n: usize| format!(":l{n}\n? a -> l0\n?$ -> l{}\n", n + 1);
    let choices = |count: usize| format!("{}:l{count}\n", (0..count).map(label).collect::<String>());
    let unknown = |count: usize| (0..count).map(|n| format!("> ${{x{n}}}\n")).collect::<String>();
    let gone = |count: usize| (0..count).map(|n| format!(".goto label-number-{n}\n")).collect::<String>();
    let nested = |count: usize| ".loop 2\n".repeat(count) + "> x\n" + &".end\n".repeat(count);
    let open = |count: usize| "> ".to_owned() + &"${".repeat(count);
    let broken = |count: usize| "~ (?<x>\n".repeat(60) + &"> ${port}\n".repeat(count);
    let kinds: [&dyn Fn(usize) -> String; 6] = [&choices, &unknown, &gone, &nested, &open, &broken];
    for (kind, make) in kinds.iter().enumerate() {
        let (text, start) = (make(40_000), used());
        let _ = Script::parse("x", text.as_bytes(), &known());
        // By the square of their lines they would take minutes of the processor.
        assert!(used() - start < Duration::from_secs(15), "{kind}: {:?}", used() - start);
    }
}
