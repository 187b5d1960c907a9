//! Scripts as they are typed, what is wrong with some, and the other sides of others.

mod mistakes;
mod random;
mod reading;
mod swapping;
mod units;

use std::collections::BTreeSet;
use std::fmt::Write;

use super::*;

fn known() -> BTreeSet<String> {
    ["port", "env:HOME"].map(str::to_owned).into()
}

fn script(text: &str) -> Script {
    Script::parse("x.chat", text.as_bytes(), &known())
        .unwrap_or_else(|mistakes| panic!("{}", told(&mistakes)))
}

fn ops(text: &str) -> Vec<Op> {
    script(text).steps.into_iter().map(|step| step.op).collect()
}

fn told(mistakes: &[Mistake]) -> String {
    let mut text = String::new();
    for mistake in mistakes {
        writeln!(text, "{mistake}").unwrap();
        if let Some(hint) = &mistake.hint {
            writeln!(text, "  hint: {hint}").unwrap();
        }
    }
    text
}

/// What is wrong with a script, as text.
fn wrong(text: impl AsRef<[u8]>) -> String {
    told(&Script::parse("x.chat", text.as_ref(), &known()).expect_err("a mistake"))
}

fn text(bytes: impl AsRef<[u8]>) -> Template {
    Template::plain(bytes.as_ref())
}

fn pattern(source: &str) -> Pattern {
    Pattern { source: text(source) }
}
