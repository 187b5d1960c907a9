//! The other side of a conversation.

use super::*;

fn swapped(text: &str) -> String {
    script(text).swapped().unwrap_or_else(|mistakes| panic!("{}", told(&mistakes))).to_string()
}

fn refused(text: &str) -> String {
    told(&script(text).swapped().expect_err("a mistake"))
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
fn jumps_lead_to_the_same_steps() {
    let other = script("! a\n! b\n:top\n.loop 3\n! c\n> x\\n\n.end\n> y\n.goto top").swapped().unwrap();
    assert_eq!(other.to_string(), ":top\n.loop 3\n<< x\\n\n=\n.end\n= y\n.goto top\n");
    assert_eq!(other.steps[1].op, Op::Loop { times: Some(3), end: 5 });
    assert_eq!((&other.steps[4].op, &other.steps[6].op), (&Op::End(1), &Op::Goto(0)));
    assert_eq!((other.steps[2].place.line, &*other.steps[2].text), (6, "<< x\\n"));
}

#[test]
fn what_has_no_other_side_is_told_line_by_line() {
    let mistakes = refused("~ a\n> x\n<# 5\n>@ f\n.term 5\n= ab\n? a -> l\n:l\n.reset");
    let lines: Vec<&str> = mistakes.lines().map(|line| &line[..8]).collect();
    assert_eq!(lines, ["x.chat:1", "x.chat:3", "x.chat:4", "x.chat:6", "x.chat:7", "x.chat:9"]);
    assert!(mistakes.starts_with("x.chat:1: this step has no other side: what would fit is not known"));
    assert!(refused(":l\n.eol ;\n> a").contains("after a label"));
    assert!(refused("<$ x\n> ${x}").starts_with("x.chat:1"));
    assert!(refused("<$\n= a").starts_with("x.chat:2: nothing can be said here"));
}
