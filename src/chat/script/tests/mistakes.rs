//! What is wrong with a script is told line by line, all at once, with what could be done.

use super::*;

/// One line, and what is told about it after its place.
fn told_of(line: &str, what: &str, hint: &str) {
    let hint = if hint.is_empty() { String::new() } else { format!("  hint: {hint}\n") };
    assert_eq!(wrong(line), format!("x.chat:1: {what}\n{hint}"), "{line}");
}

#[test]
fn everything_is_told_at_once_in_the_order_of_lines() {
    let text = "> ${no}\n.goto nowhere\n220 hello\n~ (\n.loop\n:a\n:a\n";
    let lines: Vec<String> =
        wrong(text).lines().filter(|line| !line.contains("hint:")).map(str::to_owned).collect();
    assert_eq!(
        lines,
        [
            "x.chat:1: nothing gives variable ${no} a value",
            "x.chat:2: label 'nowhere' is nowhere",
            "x.chat:3: '220' is no step",
            "x.chat:4: no regular expression at column 3: unclosed group",
            "x.chat:5: '.loop' has no '.end'",
            "x.chat:7: label 'a' stands twice",
        ]
    );
}

#[test]
fn what_is_no_step_is_told_with_what_was_meant() {
    told_of("<220", "'<220' is no step", "a space follows '<': < 220");
    told_of("~1^x y", "'~1^x' is no step", "a space follows '~1': ~1 ^x y");
    told_of("?timeout->x", "'?timeout->x' is no step", "a space follows '?timeout': ?timeout -> LABEL");
    told_of("send x", "'send' is no step", "here that is > TEXT");
    told_of("timeot 5s", "'timeot' is no step", "did you mean .timeout?");
    told_of(".timout 5s", "'.timout' is unknown", "did you mean .timeout?");
    told_of("220 x", "'220' is no step", "a line begins with one of > < = ~ ! ? . : and then a space");
    told_of(
        "\u{1b}[31m",
        "'\\e[31m' is no step",
        "a line begins with one of > < = ~ ! ? . : or, as a comment, with #",
    );
    told_of(">\tx", "'>\\tx' is no step", "a space follows '>': > x");
}

#[test]
fn a_wrong_escape_or_variable_is_told_with_its_column() {
    let escapes = "escapes are \\r \\n \\t \\0 \\e \\s (a space) \\xNN \\\\ \\$; a backslash itself is \\\\";
    told_of("> a\\q", "'\\q' at column 4 is no escape", escapes);
    told_of("  > é\\x4g", "'\\x4g' at column 6 is no escape", escapes);
    told_of("> a\\", "'\\' at column 4 is no escape", escapes);
    told_of("> \\é", "'\\é' at column 3 is no escape", escapes);
    let variable =
        "a variable is ${NAME}, ${env:NAME} or ${base64:NAME}, of letters, digits and _; a '$' itself is \\$";
    told_of("> a${b c}", "'${b c}' at column 4 is no variable", variable);
    told_of("> ${", "'${' at column 3 is no variable", variable);
    told_of("~ a${2}", "'${2}' at column 4 is no variable", variable);
    told_of(
        "<# ${b-c}",
        "'b-c' is no name of a variable",
        "a name has letters, digits and _, and no digit first",
    );
    for line in ["<# ${prt} x", "> ${base64:prt}"] {
        told_of(line, "nothing gives variable ${prt} a value", "did you mean ${port}?");
    }
    let lacking = wrong("> ${prt} ${env:NO}");
    assert!(lacking.contains("variable ${prt} a value\n  hint: did you mean ${port}?"), "{lacking}");
    assert!(lacking.contains("variable NO is not in the environment"), "{lacking}");
}

#[test]
fn a_wrong_regular_expression_is_told_in_one_line() {
    told_of("~ a(b", "no regular expression at column 4: unclosed group", "");
    told_of(
        "~ [é-a]",
        "no regular expression at column 4: invalid character class range, the start must be <= the end",
        "",
    );
    told_of("~ (?<x>a)(?<x>b)", "no regular expression at column 13: duplicate capture group name", "");
    told_of("~ ${port}(", "no regular expression: unclosed group", "");
    let empty = "a regular expression over raw bytes has to ask for one at least";
    for line in ["~~ x*", "~~ ^", "~~ \\b", "?? a|b? -> x"] {
        assert!(wrong(line).contains(empty), "{line}");
    }
    let class = "it stands for its whole text; single characters are written out";
    told_of("~ [${port}]", "a variable cannot stand within [ ] or in a comment", class);
    let big = wrong("~ (?:\\w{1000}){100}");
    assert!(big.contains("too big: compiled it takes more than 10 MiB"), "{big}");
    let Op::Forbid(Some(large)) = ops(&format!("! {}", "\\w".repeat(99))).remove(0) else { panic!() };
    large.compile(&Default::default()).expect("short patterns are never too big");
    assert!(wrong(b"~ a\xffb").contains("UTF-8, which ends at column 4"));
    told_of("~", "a regular expression is missing", "'.*' fits everything");
}

#[test]
fn what_a_step_is_about_has_to_make_sense() {
    for (line, what) in [
        (">@", "'>@' needs text after it"),
        (".eol", "'.eol' needs text after it"),
        (".term 0", "'.term' of 0 bytes is nothing"),
        ("<# x", "'x' is no number of bytes"),
        ("<#", "'<#' needs a number of bytes"),
        ("<# 5 a b", "'<#' takes one word, not 'a b'"),
        ("<$ 5x", "'5x' is no name of a variable"),
        (".set 1 x", "'1' is no name of a variable"),
        (".set", "'.set' needs more: .set NAME TEXT"),
        (".timeout 0", "'.timeout 0': every step has a limit"),
        (".timeout none", "'.timeout none': every step has a limit"),
        (".timeout", "'.timeout' needs more: .timeout TIME"),
        (".timeout 5 s", "'.timeout' takes one word, not '5 s'"),
        (".sleep x", "'x' is no duration"),
        (".timeout 99999999999h", "'99999999999h' is longer than 100 years"),
        (".pace 5", "'5' is no pace"),
        (".pace 0/1s", "'.pace' of 0 bytes is nothing"),
        (".exit 256", "'256' is no exit status (0 to 255)"),
        (".close x", "'.close' takes nothing, not 'x'"),
        (".loop 0", "'.loop 0' does nothing"),
        (".loop x", "'x' does not tell how often"),
        (".goto", "'.goto' needs more: .goto LABEL"),
        (".end", "'.end' ends no '.loop'"),
        (":", "a label needs a name: :LABEL"),
        (":\tx", "a label follows its ':' without a space"),
        (":a/b", "'a/b' is no label"),
    ] {
        assert!(wrong(line).starts_with(&format!("x.chat:1: {what}")), "{line}: {}", wrong(line));
    }
}

#[test]
fn alternatives_have_to_say_where_they_go_on() {
    told_of("? x", "'?' does not say where it goes on", "? REGEX -> LABEL");
    told_of("?? x->", "'??' does not say where it goes on", "?? REGEX -> LABEL");
    told_of("?$", "'?$' does not say where it goes on", "?$ -> LABEL");
    told_of("?$ x -> l", "'?$' takes no 'x'", "?$ -> LABEL");
    told_of("? x -> a b", "'->' takes one word, not 'a b'", "");
    let twice = wrong("?$ -> a\n?timeout -> a\n?$ -> a\n:a");
    assert_eq!(twice, "x.chat:3: the same alternative stands twice\n");
}

#[test]
fn jumps_lead_to_labels_and_never_into_a_loop() {
    assert_eq!(
        wrong(".goto strat\n:start"),
        "x.chat:1: label 'strat' is nowhere\n  hint: did you mean start?\n"
    );
    let into = wrong(".goto in\n.loop 2\n:in\n> x\n.end");
    assert!(into.starts_with("x.chat:1: label 'in' is inside a loop, and this step outside"), "{into}");
    ops(".loop 2\n:in\n.loop 2\n? a -> in\n.end\n.end");
    ops(".loop\n? a -> out\n.end\n:out");
}

#[test]
fn what_can_never_be_reached_is_told_once() {
    assert_eq!(
        wrong(".exit\n> a\n> b"),
        "x.chat:2: this step is never reached\n  hint: no way leads here; a label and a jump to it make one\n"
    );
    assert!(wrong("? a -> x\n> a\n:x").starts_with("x.chat:2: this step is never reached"));
    let endless = wrong(".loop\n> a\n.end\n> b");
    assert_eq!(
        endless,
        "x.chat:4: this step is never reached\n  hint: the loop before it never ends; '.loop N' does\n"
    );
    assert_eq!(
        wrong(".exit\n:here\n> a"),
        "x.chat:2: this step is never reached\n  hint: nothing jumps to 'here'\n"
    );
    ops(".loop\n:top\n> a\n.goto top\n.end");
    let jumpy = wrong(".loop 2\n:top\n> a\n.goto top\n.end\n> b");
    assert!(jumpy.starts_with("x.chat:6: this step is never reached\n  hint: no way leads here"), "{jumpy}");
}

#[test]
fn what_can_no_longer_be_said_or_heard_is_told() {
    for (text, what) in [
        ("> a\n.close\n> b", "x.chat:3: the connection is closed here"),
        (".reset\n<$", "x.chat:2: the connection is closed here"),
        (".half-close\n< a\n>> b", "x.chat:3: nothing can be said here"),
        (".starttls\n> a\n.starttls", "x.chat:3: TLS has begun before"),
    ] {
        assert!(wrong(text).starts_with(what), "{text}: {}", wrong(text));
    }
    // Where only some ways lead to it closed, it may be right.
    ops("? a -> on\n?$ -> closed\n:closed\n.half-close\n.goto end\n:on\n> x\n:end\n.close\n.exit 3");
    ops("? a -> on\n?$ -> shut\n:shut\n.half-close\n:on\n> x");
    ops(".loop 2\n.starttls\n.end");
}

#[test]
fn what_is_no_script_is_told_in_short() {
    let binary = wrong(b"> x\n\x7fELF\0\0\n\xff");
    assert_eq!(binary.lines().count(), 2);
    assert!(binary.starts_with("x.chat:2: a NUL byte: this is no script"));
    let long = wrong("no script\n".repeat(10_000));
    assert!(long.lines().count() < 210 && long.contains("x.chat:101: more is wrong from here on"));
    let lines = wrong(format!("x{}\n", "y".repeat(100_000)));
    assert!(lines.len() < 300, "{lines}");
}

#[test]
fn a_line_that_cannot_be_read_makes_no_other_look_wrong() {
    assert_eq!(wrong("~ (?<x>(\n> ${x}").lines().count(), 1);
    assert!(!wrong("? ( -> a\n.exit\n:a\n> x").contains("never"));
}

#[test]
fn a_wrong_loop_is_still_the_beginning_of_one() {
    for (text, what) in [
        (".loop 0\n= x\n.end", "x.chat:1: '.loop 0' does nothing\n"),
        (
            ".loop\n.loop x\n= x\n.end\n.end",
            "x.chat:2: 'x' does not tell how often\n  hint: .loop N, or .loop alone for ever\n",
        ),
        (".loop\n= x\n.end 3", "x.chat:3: '.end' takes nothing, not '3'\n"),
        (
            ".loop 0\n:a\n.end\n.goto a",
            "x.chat:1: '.loop 0' does nothing\nx.chat:4: label 'a' is inside a loop, and this step outside\n  hint: jump to a place before '.loop' at x.chat:1\n",
        ),
    ] {
        assert_eq!(wrong(text), what, "{text}");
    }
    assert!(wrong(".loop 0\n.end\n.end").contains("x.chat:3: '.end' ends no '.loop'"));
}
