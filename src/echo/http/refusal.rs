//! What is wrong with a request, as a status and a sentence.

/// A request that is not served. The connection ends with the answer: where the next request begins is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// Why, for whoever reads the answer.
    pub why: &'static str,
}

impl Refusal {
    /// A request that is not HTTP, or contradicts itself.
    pub const fn bad(why: &'static str) -> Refusal {
        Refusal { status: 400, why }
    }

    /// Any other.
    pub const fn new(status: u16, why: &'static str) -> Refusal {
        Refusal { status, why }
    }
}
