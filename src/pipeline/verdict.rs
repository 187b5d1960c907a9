//! From the ends of the stages to one status: the rules, pure.

use super::stage::Output;
use crate::error::Exit;
use crate::process::Status;
use crate::signal::Number;

/// How a stage came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// A program ended with this status.
    Program(Status),
    /// Bytes passed through spile: all, or as many as were wanted.
    Passed,
    /// Bytes passed through spile until their reader went away.
    Cut,
    /// spile could not do its part for this stage, for example write a copy.
    Failed,
    /// Its own time limit was passed.
    TimedOut,
    /// It was never started.
    NotStarted(Exit),
}

/// A stage that has ended, as far as its verdict depends on it.
#[derive(Clone, Debug)]
pub struct Ended<'a> {
    /// How.
    pub end: End,
    /// When it ended, nobody read its output any more.
    pub unread: bool,
    /// What it wrote to.
    pub output: Output,
    /// Exit statuses that are no failure.
    pub accepted: &'a [u8],
    /// Its failure does not count.
    pub optional: bool,
}

/// What to make of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It did what it should.
    Ok,
    /// It ended because its reader had all it wanted.
    PipeClosed,
    /// It failed.
    Failed,
    /// It failed, and that does not count.
    OptionalFailed,
    /// It was never started.
    NotStarted,
}

impl Verdict {
    /// True when the pipeline fails because of this stage.
    pub fn is_bad(self) -> bool {
        matches!(self, Verdict::Failed | Verdict::NotStarted)
    }
}

/// How a death by SIGPIPE is seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strictness {
    /// No failure where the reader had ended, and was right to.
    #[default]
    Tolerant,
    /// Always a failure, as with bash's pipefail.
    Strict,
}

/// Which stage's status is the pipeline's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// Of the stages that failed, the last one.
    #[default]
    Rightmost,
    /// Of the stages that failed, the first one.
    First,
    /// The last stage, whatever became of the others.
    Last,
    /// 1 if any stage failed.
    Any,
}

/// The verdict on each stage. The last stage always counts; one before it that died of SIGPIPE is fine when its
/// reader was gone by then and ended well itself. Tools that turn the signal into another status need `@ok`.
pub fn verdicts(stages: &[Ended<'_>], strictness: Strictness) -> Vec<Verdict> {
    let mut verdicts = vec![Verdict::Ok; stages.len()];
    let mut reader_is_fine = false;
    for (at, stage) in stages.iter().enumerate().rev() {
        let is_last = at + 1 == stages.len();
        let excused = !is_last && stage.unread && reader_is_fine && strictness == Strictness::Tolerant;
        verdicts[at] = match stage.end {
            End::NotStarted(_) => Verdict::NotStarted,
            End::Passed => Verdict::Ok,
            End::Program(status) if status.code().is_some_and(|code| stage.accepted.contains(&code)) => {
                Verdict::Ok
            }
            End::Program(status) if excused && is_broken_off(status, stage.output) => Verdict::PipeClosed,
            End::Cut if excused => Verdict::PipeClosed,
            _ if stage.optional => Verdict::OptionalFailed,
            _ => Verdict::Failed,
        };
        reader_is_fine = !verdicts[at].is_bad();
    }
    verdicts
}

/// True where it ended of having no reader: of SIGPIPE, on a terminal of SIGHUP. A shell around the program that saw
/// it tells of it by its status.
pub fn is_broken_off(status: Status, output: Output) -> bool {
    let by = |signal: Number| status.exit() == Exit::from_signal(signal.raw());
    by(Number::PIPE) || (output == Output::Terminal && by(Number::HUP))
}

/// The stage that decides, if one does, and its status; a death by signal stays one.
pub fn decide(stages: &[Ended<'_>], verdicts: &[Verdict], choice: Choice) -> (Option<usize>, Decision) {
    let mut bad = (0..stages.len()).filter(|at| verdicts[*at].is_bad());
    // That something could not be started at all is the pipeline's failure, whatever the choice.
    let not_started =
        bad.clone().find(|at| matches!(stages[*at].end, End::NotStarted(exit) if exit != Exit::OK));
    let at = not_started.or(match choice {
        Choice::Rightmost => bad.next_back(),
        Choice::First => bad.next(),
        Choice::Last => stages.len().checked_sub(1).filter(|last| verdicts[*last].is_bad()),
        Choice::Any => return (bad.next_back(), bad_or_not(verdicts)),
    });
    (at, at.map_or(Decision::Exit(Exit::OK), |at| decision(stages[at].end)))
}

/// What spile itself ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// This status.
    Exit(Exit),
    /// This signal, which killed the stage that decides.
    Signal(Number),
}

fn bad_or_not(verdicts: &[Verdict]) -> Decision {
    let is_bad = verdicts.iter().any(|verdict| verdict.is_bad());
    Decision::Exit(if is_bad { Exit::FAILURE } else { Exit::OK })
}

fn decision(end: End) -> Decision {
    match end {
        End::Program(status) => match status.signal() {
            Some(signal) => Decision::Signal(signal),
            None => Decision::Exit(status.exit()),
        },
        End::Passed => Decision::Exit(Exit::OK),
        End::Cut => Decision::Exit(Exit::PIPE),
        End::Failed => Decision::Exit(Exit::FAILURE),
        End::TimedOut => Decision::Exit(Exit::TIMEOUT),
        End::NotStarted(exit) => Decision::Exit(exit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: &[u8] = &[0];

    fn ended(end: End, unread: bool) -> Ended<'static> {
        Ended { end, unread, output: Output::Plain, accepted: OK, optional: false }
    }

    fn exited(code: i32) -> Ended<'static> {
        ended(End::Program(Status::from_raw(code << 8)), false)
    }

    fn died(signal: Number) -> Ended<'static> {
        ended(End::Program(Status::from_raw(signal.raw())), true)
    }

    fn status(stages: &[Ended<'_>]) -> Decision {
        decide(stages, &verdicts(stages, Strictness::Tolerant), Choice::Rightmost).1
    }

    #[test]
    fn a_broken_pipe_is_fine_when_the_reader_ended_well_before() {
        use Verdict::{Failed, Ok, PipeClosed};
        let pipe = || died(Number::PIPE);
        let shell = || Ended { unread: true, ..exited(141) };
        let alive = || Ended { unread: false, ..pipe() };
        let cases = [
            (vec![pipe(), exited(0)], vec![PipeClosed, Ok]),
            (vec![shell(), exited(0)], vec![PipeClosed, Ok]),
            (vec![pipe(), pipe(), exited(0)], vec![PipeClosed, PipeClosed, Ok]),
            (vec![pipe(), exited(1)], vec![Failed, Failed]),
            (vec![exited(0), pipe()], vec![Ok, Failed]),
            (vec![alive(), exited(0)], vec![Failed, Ok]),
            (vec![died(Number::TERM), exited(0)], vec![Failed, Ok]),
        ];
        for (stages, wanted) in cases {
            assert_eq!(verdicts(&stages, Strictness::Tolerant), wanted, "{stages:?}");
        }
        assert_eq!(verdicts(&[pipe(), exited(0)], Strictness::Strict), [Failed, Ok]);
        let hung_up = Ended { output: Output::Terminal, ..died(Number::HUP) };
        assert_eq!(verdicts(&[hung_up, exited(0)], Strictness::Tolerant), [PipeClosed, Ok]);
        assert_eq!(verdicts(&[died(Number::HUP), exited(0)], Strictness::Tolerant), [Failed, Ok]);
    }

    #[test]
    fn the_rightmost_failure_decides_unless_told_otherwise() {
        let stages = [exited(3), exited(0), died(Number::TERM), exited(0)];
        let verdicts = verdicts(&stages, Strictness::Tolerant);
        let decisions = [Choice::Rightmost, Choice::First, Choice::Last, Choice::Any]
            .map(|choice| decide(&stages, &verdicts, choice));
        let exit = |code| Decision::Exit(Exit(code));
        let wanted = [
            (Some(2), Decision::Signal(Number::TERM)),
            (Some(0), exit(3)),
            (None, exit(0)),
            (Some(2), exit(1)),
        ];
        assert_eq!(decisions, wanted);
    }

    #[test]
    fn what_is_accepted_or_optional_does_not_count() {
        let accepted = Ended { accepted: &[0, 1], ..exited(1) };
        let optional = Ended { optional: true, ..exited(9) };
        assert_eq!(status(&[accepted, optional, exited(0)]), Decision::Exit(Exit::OK));
    }

    #[test]
    fn a_stage_that_cannot_start_always_counts() {
        let lost = Ended { optional: true, ..ended(End::NotStarted(Exit::NOT_FOUND), false) };
        assert_eq!(status(&[lost, exited(1)]), Decision::Exit(Exit::NOT_FOUND));
    }
}
