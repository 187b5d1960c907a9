//! The beginning of a pattern that fits something, where the whole of it fits nothing.

use regex::bytes::Regex;
use regex_syntax::ast::{Ast, parse::Parser};

/// Branches of a pattern that are tried: each costs some searches.
const MOST_BRANCHES: usize = 16;

/// The longest beginning of a pattern that fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Near {
    /// That beginning.
    pub pattern: String,
    /// What it fits.
    pub text: Vec<u8>,
}

/// How far the regular expression `source` fits any of `texts`; none where not even its first part does.
pub fn nearest(source: &str, texts: &[&[u8]]) -> Option<Near> {
    let ast = Parser::new().parse(source).ok()?;
    let branches = match &ast {
        Ast::Alternation(several) => several.asts.iter().take(MOST_BRANCHES).collect(),
        one => vec![one],
    };
    let near = branches.into_iter().filter_map(|branch| nearest_of(source, branch, texts));
    near.max_by_key(|near| near.pattern.len())
}

fn nearest_of(source: &str, branch: &Ast, texts: &[&[u8]]) -> Option<Near> {
    let from = branch.span().start.offset;
    let mut ends = Vec::new();
    parts(branch, 0, &mut ends);
    let beginning = |(end, depth): (usize, usize)| format!("{}{}", &source[from..end], ")".repeat(depth));
    // Where a beginning fits, all shorter ones do.
    let count = ends.partition_point(|end| fitting(&beginning(*end), texts).is_some());
    let pattern = beginning(*ends.get(count.checked_sub(1)?)?);
    let text = fitting(&pattern, texts)?.to_vec();
    // What fits nothing at all says nothing.
    (!text.is_empty()).then_some(Near { pattern, text })
}

fn fitting<'a>(pattern: &str, texts: &[&'a [u8]]) -> Option<&'a [u8]> {
    let regex = Regex::new(pattern).ok()?;
    texts.iter().find_map(|text| regex.find(text)).map(|found| found.as_bytes())
}

/// Where the parts of a concatenation end, and in how many groups.
fn parts(ast: &Ast, depth: usize, ends: &mut Vec<(usize, usize)>) {
    match ast {
        Ast::Concat(several) => several.asts.iter().for_each(|part| parts(part, depth, ends)),
        Ast::Group(group) => {
            if !matches!(&*group.ast, Ast::Alternation(_) | Ast::Empty(_)) {
                parts(&group.ast, depth + 1, ends);
            }
            ends.push((group.span.end.offset, depth));
        }
        Ast::Flags(_) | Ast::Empty(_) => {}
        part => ends.push((part.span().end.offset, depth)),
    }
}
