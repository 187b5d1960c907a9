//! A pattern made ready for raw bytes: what finds the end of a match, and what then finds its start and groups.

use std::fmt;

use regex_automata::meta::Regex;
use regex_automata::nfa::thompson::{Compiler, Config, NFA, WhichCaptures};
use regex_automata::util::syntax;
use regex_syntax::hir::{Capture, Hir, HirKind, Look, Repetition};

use super::automaton::Automaton;

/// Memory of the largest automaton, in bytes; the limit of the regex crate.
const LARGEST: usize = 10 << 20;

/// A pattern over raw bytes. Its `\b` and `\B` tell ASCII words, since a longer character comes in parts.
pub struct Raw {
    hir: Hir,
    forward: NFA,
    /// Finds groups in what is known to fit.
    pub groups: Regex,
    /// The longest match in bytes, if there is a longest.
    pub longest: Option<usize>,
}

impl Raw {
    /// Makes it of a regular expression. An error says why it cannot be.
    pub fn new(source: &str) -> Result<Raw, String> {
        let hir = syntax::parse_with(source, &syntax::Config::new().utf8(false));
        let hir = with_ascii_words(hir.map_err(|error| unfit(&error))?);
        let forward = compile(&hir, false)?;
        let config = Regex::config().utf8_empty(false).nfa_size_limit(Some(LARGEST));
        let groups = Regex::builder().configure(config).build_from_hir(&hir);
        let groups = groups.map_err(|error| unfit(&error))?;
        Ok(Raw { longest: hir.properties().maximum_len(), hir, forward, groups })
    }

    /// What finds the end of a match.
    pub fn forward(&self) -> Automaton {
        Automaton::new(self.forward.clone(), false)
    }

    /// What goes back from the end of a match; it is dead where no match can have begun.
    pub fn backward(&self) -> Result<Automaton, String> {
        Ok(Automaton::new(compile(&self.hir, true)?, true))
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Raw({})", self.hir)
    }
}

fn compile(hir: &Hir, is_backward: bool) -> Result<NFA, String> {
    let config = Config::new()
        .utf8(false)
        .reverse(is_backward)
        .which_captures(WhichCaptures::None)
        .nfa_size_limit(Some(LARGEST));
    Compiler::new().configure(config).build_from_hir(hir).map_err(|error| unfit(&error))
}

fn unfit(error: &dyn fmt::Display) -> String {
    format!("this regular expression cannot be looked for in raw bytes: {error}")
}

fn with_ascii_words(hir: Hir) -> Hir {
    match hir.into_kind() {
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) => Hir::literal(literal.0),
        HirKind::Class(class) => Hir::class(class),
        HirKind::Look(look) => Hir::look(ascii(look)),
        HirKind::Repetition(inner) => {
            Hir::repetition(Repetition { sub: Box::new(with_ascii_words(*inner.sub)), ..inner })
        }
        HirKind::Capture(inner) => {
            Hir::capture(Capture { sub: Box::new(with_ascii_words(*inner.sub)), ..inner })
        }
        HirKind::Concat(parts) => Hir::concat(parts.into_iter().map(with_ascii_words).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.into_iter().map(with_ascii_words).collect()),
    }
}

fn ascii(look: Look) -> Look {
    match look {
        Look::WordUnicode => Look::WordAscii,
        Look::WordUnicodeNegate => Look::WordAsciiNegate,
        Look::WordStartUnicode => Look::WordStartAscii,
        Look::WordEndUnicode => Look::WordEndAscii,
        Look::WordStartHalfUnicode => Look::WordStartHalfAscii,
        Look::WordEndHalfUnicode => Look::WordEndHalfAscii,
        look => look,
    }
}
