//! What a judgement on a certificate comes to, as a program reads it.

use crate::error::{Exit, Failure};

/// Why a certificate is refused; the words are part of the report's schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// No authority that is trusted has signed it.
    UnknownIssuer,
    /// A CA's certificate, used as a server's.
    SelfSignedCaLeaf,
    /// It is for other names.
    NameMismatch,
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// Its authority has taken it back.
    Revoked,
    /// The list that would say whether it is revoked is out of date.
    CrlExpired,
    /// No list says whether it is revoked.
    CrlUnknown,
    /// Its server must staple an OCSP response to it, and does not.
    StapleMissing,
    /// What is stapled to it is out of date, or not good yet.
    StapleExpired,
    /// What is stapled to it is not about it, or not signed by who may.
    StapleInvalid,
    /// The responder whose answer is stapled to it does not know it.
    StapleUnknown,
    /// It is for servers and used by a client, or the reverse.
    WrongPurpose,
    /// A signature does not fit.
    BadSignature,
    /// A key is too short, or a digest too weak.
    WeakKey,
    /// It cannot be decoded.
    BadEncoding,
    /// The key is none of those that are pinned.
    PinMismatch,
    /// No rule lets it in.
    RuleDenied,
    /// Anything else.
    Other,
}

/// A refusal with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// For programs.
    pub code: Code,
    /// For people: a sentence about the certificate, without a full stop.
    pub message: String,
    /// What a person could try.
    pub hint: Option<String>,
}

impl Refusal {
    /// A refusal without a hint.
    pub(super) fn new(code: Code, message: impl Into<String>) -> Refusal {
        Refusal { code, message: message.into(), hint: None }
    }

    /// Adds what a person could try.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Refusal {
        self.hint = Some(hint.into());
        self
    }

    /// The exit status: 90 for a pin, 91 for a staple of no use, 60 for the rest.
    pub fn exit(&self) -> Exit {
        match self.code {
            Code::PinMismatch => Exit::PIN,
            Code::StapleMissing | Code::StapleExpired | Code::StapleInvalid | Code::StapleUnknown => {
                Exit::STAPLE
            }
            _ => Exit::UNTRUSTED,
        }
    }

    /// The failure of which this is the reason.
    pub fn failure(&self, what: impl Into<String>) -> Failure {
        let failure = Failure::new(self.exit(), what, &self.message);
        match &self.hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

/// On what trust rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// An authority has signed it.
    Authority,
    /// It is a certificate that is trusted as it is; revocation lists have no say.
    Exact,
    /// Its key is pinned, and nothing else was looked at.
    Pin,
}

/// What has become of the peer's certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// There was none, or the handshake did not get there.
    #[default]
    NotJudged,
    /// It is trusted.
    Trusted(Basis),
    /// It is not.
    Refused(Refusal),
}

impl Verdict {
    /// The refusal, if it is one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Verdict::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }
}
