//! What is typed and what it means.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::time::Duration;

use super::*;

fn one(line: &str) -> Op {
    let mut ops = ops(line);
    assert_eq!(ops.len(), 1, "{line}");
    ops.remove(0)
}

#[test]
fn every_operator_is_read() {
    let expect = Op::Expect;
    assert_eq!(one("> EHLO x"), Op::Send { text: text("EHLO x"), has_eol: true });
    assert_eq!(one(">"), Op::Send { text: text(""), has_eol: true });
    assert_eq!(one(">> a b "), Op::Send { text: text("a b "), has_eol: false });
    assert_eq!(one(">@ a file"), Op::SendFile(text("a file")));
    assert_eq!(one("<  220"), expect(Expect::Start(text(" 220"))));
    assert_eq!(one("<< +OK"), expect(Expect::RawStart(text("+OK"))));
    assert_eq!(one("="), expect(Expect::Equal(text(""))));
    assert_eq!(one("~ ^250 "), expect(Expect::Skip(pattern("^250 "))));
    assert_eq!(one("~1 x"), expect(Expect::Next(pattern("x"))));
    assert_eq!(one("~~ login: $"), expect(Expect::RawSkip(pattern("login: $"))));
    assert_eq!(one("<# 5"), expect(Expect::Exactly(Count::Number(5), None)));
    assert_eq!(one("<# 4KiB body"), expect(Expect::Exactly(Count::Number(4096), Some("body".into()))));
    assert_eq!(one("<# ${port}"), expect(Expect::Exactly(Count::Variable("port".into()), None)));
    assert_eq!(one("<$"), expect(Expect::End(None)));
    assert_eq!(one("<$ all"), expect(Expect::End(Some("all".into()))));
    assert_eq!(one("! ^5"), Op::Forbid(Some(pattern("^5"))));
    assert_eq!(one("!"), Op::Forbid(None));
}

#[test]
fn every_directive_is_read() {
    assert_eq!(one(".term \\r\\n"), Op::Term(Terminator::Text(text("\r\n"))));
    assert_eq!(one(".term 12"), Op::Term(Terminator::Length(12)));
    assert_eq!(one(".term \\x312"), Op::Term(Terminator::Text(text("12"))));
    assert_eq!(one(".term none"), Op::Term(Terminator::None));
    assert_eq!(one(".term line"), Op::Term(Terminator::Line));
    assert_eq!(one(".eol \\n"), Op::Eol(text("\n")));
    assert_eq!(one(".eol none"), Op::Eol(text("")));
    assert_eq!(one(".timeout 1.5s"), Op::Timeout(Duration::from_millis(1500)));
    assert_eq!(one(".sleep 10ms"), Op::Sleep(Duration::from_millis(10)));
    assert_eq!(one(".pace 1K/10ms"), Op::Pace(Some(Pace { size: 1024, pause: Duration::from_millis(10) })));
    assert_eq!(one(".pace none"), Op::Pace(None));
    assert_eq!(one(".set name  a b"), Op::Set("name".into(), text(" a b")));
    assert_eq!(one(".set name"), Op::Set("name".into(), text("")));
    assert_eq!(one(".default name a b"), Op::Default("name".into(), text("a b")));
    let alone = [
        (".starttls", Op::StartTls),
        (".half-close", Op::HalfClose),
        (".close", Op::Close),
        (".reset", Op::Reset),
        (".drop-input", Op::DropInput),
        (".rest-empty", Op::RestEmpty),
        (".exit", Op::Exit(None)),
        (".exit 255", Op::Exit(Some(255))),
    ];
    for (line, op) in alone {
        assert_eq!(one(line), op, "{line}");
    }
}

#[test]
fn lines_keep_their_places_and_their_text() {
    let script = script("\u{feff}# a comment\r\n\r\n  \t> x  \r\n#\n:here\n");
    let places: Vec<(usize, &str)> = script.steps.iter().map(|step| (step.place.line, &*step.text)).collect();
    assert_eq!(places, [(3, "> x  "), (5, ":here")]);
    assert_eq!(script.steps[0].op, Op::Send { text: text("x  "), has_eol: true });
    assert_eq!(script.steps[0].place.to_string(), "x.chat:3");
}

#[test]
fn a_text_has_escapes_and_variables_and_else_every_byte_as_it_is() {
    let Op::Send { text, .. } = one(r"> \r\n\t\0\e\s\x41\xff\\\$ $5 ${port}$${env:HOME}é") else { panic!() };
    let variables =
        BTreeMap::from([("port".to_owned(), b"25".to_vec()), ("env:HOME".to_owned(), b"/h".to_vec())]);
    assert_eq!(text.render(&variables).unwrap(), b"\r\n\t\0\x1b A\xff\\$ $5 25$/h\xc3\xa9");
    assert_eq!(text.render(&BTreeMap::new()).unwrap_err().to_string(), "variable ${port} has no value");
    let Op::Send { text, .. } = one("> ${base64:port}, ${base64:env:HOME}") else { panic!() };
    assert_eq!(text.render(&variables).unwrap(), b"MjU=, L2g=");
    assert_eq!(
        text.render(&BTreeMap::new()).unwrap_err().to_string(),
        "variable ${base64:port} has no value"
    );
    let bytes = Script::parse("x", b"> \xff\xfe", &known()).unwrap();
    assert_eq!(bytes.steps[0].op, Op::Send { text: Template::plain(*b"\xff\xfe"), has_eol: true });
    assert_eq!(script(r"> ${env:HOME} ${port}").environment(), ["HOME"].into());
    assert_eq!(script("> ${base64:env:HOME}").environment(), ["HOME"].into());
}

#[test]
fn steps_of_the_command_line_are_lines_and_may_follow_a_file() {
    let steps = ["> a".into(), "# no step".into(), OsString::from_vec(b"~ x\n< \xff".to_vec())];
    let script = Script::of_steps(&steps, &known()).unwrap();
    let places: Vec<String> = script.steps.iter().map(|step| step.place.to_string()).collect();
    assert_eq!(places, ["-e:1", "-e:3", "-e:3"]);
    let steps = [":again".into(), "< ${x}".into(), ".goto start".into()];
    let joined = Script::joined("f", b":start\n.set x 1\n", &steps, &known()).unwrap();
    assert_eq!(joined.steps[4].op, Op::Goto(0));
    assert_eq!(
        (joined.steps[1].place.to_string(), joined.steps[2].place.to_string()),
        ("f:2".into(), "-e:1".into())
    );
    let mistakes = Script::joined("f", b".bogus\n", &[">x".into()], &known()).unwrap_err();
    let places: Vec<String> = mistakes.iter().map(|mistake| mistake.place.to_string()).collect();
    assert_eq!(places, ["f:1", "-e:1"]);
}

#[test]
fn alternatives_in_a_row_are_one_step_and_know_where_they_go_on() {
    let steps =
        ops("? a -> b -> yes\n\n# between\n?? \\$  -> no\n?$ -> no\n?timeout -> no\n:yes\n.exit\n:no\n> x");
    let Op::Choose(alternatives) = &steps[0] else { panic!("{steps:?}") };
    let whens: Vec<&When> = alternatives.iter().map(|alternative| &alternative.when).collect();
    let (unit, raw) = (When::Unit(pattern("a -> b")), When::Raw(pattern("\\$ ")));
    assert_eq!(whens, [&unit, &raw, &When::End, &When::Timeout]);
    let to: Vec<(usize, usize)> = alternatives.iter().map(|one| (one.place.line, one.to)).collect();
    assert_eq!(to, [(1, 1), (4, 3), (5, 3), (6, 3)]);
}

#[test]
fn loops_nest_and_know_both_their_ends() {
    let steps = ops(".loop 2\n.loop\n> x\n? a -> out\n.end\n:out\n.end\n> y");
    assert_eq!(steps[0], Op::Loop { times: Some(2), end: 7 });
    assert_eq!(steps[1], Op::Loop { times: None, end: 5 });
    assert_eq!((&steps[4], &steps[6]), (&Op::End(1), &Op::End(0)));
}

#[test]
fn a_variable_in_a_pattern_stands_for_its_text_under_any_flags() {
    let one = |line: &str, value: &[u8]| {
        let Op::Expect(Expect::Skip(pattern)) = one(line) else { panic!() };
        pattern.compile(&BTreeMap::from([("port".to_owned(), value.to_vec())])).unwrap()
    };
    for value in [&b"a.b"[..], b"", b"[x]+ #", b"a\nb", "é\u{a0}".as_bytes(), b"\xff\x00", b"-&~"] {
        for around in ["^${port}$", "(?x) ^ ${port} $", "(?s-u)^${port}$", "(?i)^${port}$"] {
            let regex = one(&format!("~ {around}"), value);
            assert!(regex.is_match(value), "{around} {value:?}");
            assert!(!regex.is_match(&[value, b"-"].concat()), "{around} {value:?}");
        }
    }
    assert!(!one("~ ^${port}$", b"a.b").is_match(b"axb"));
    assert!(one("~ ^${port}+$", b"ab").is_match(b"abab"), "repeated as a whole");
    assert!(one(r"~ ^\$\{port\}$", b"x").is_match(b"${port}"));
    assert!(one("~ (?i)^É$", b"").is_match("é".as_bytes()));
    assert!(one("~ ^.$", b"").is_match("é".as_bytes()) && one("~ (?-u)^\\xff$", b"").is_match(b"\xff"));
}

#[test]
fn blanks_at_the_ends_of_a_text_are_printed_so_that_they_are_seen() {
    let typed = ">  \n>   a b  \n> \u{a0}\u{202e}\u{7f}\n.eol n\\x6fne\n";
    let printed = "> \\s\n> \\s a b \\s\n> \\xc2\\xa0\\xe2\\x80\\xae\\x7f\n.eol \\x6eone\n";
    assert_eq!(script(typed).to_string(), printed);
}
