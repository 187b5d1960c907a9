//! From words to stages: separators, modifiers, addresses. Pure; nothing is looked up or opened.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::modifier;
use super::stage::{Body, Modifier, Output, Stage, Weight};
use crate::address::{Address, Role, SCHEMES};
use crate::error::Failure;

/// Splits the words of a command line at each `separator`; see `stages`.
pub fn split(words: &[OsString], separator: &OsStr) -> Result<Vec<Stage>, Failure> {
    let parts: Vec<&[OsString]> = words.split(|word| word == separator).collect();
    if let Some(at) = parts.iter().position(|part| part.is_empty())
        && parts.len() > 1
    {
        let separator = separator.display();
        let failure = Failure::usage(format!("stage {}", at + 1), "is empty");
        return Err(
            failure.hint(format!("'{separator}' separates stages; --sep chooses another word for that"))
        );
    }
    stages(&parts)
}

/// Reads stages from their words.
pub fn stages(parts: &[&[OsString]]) -> Result<Vec<Stage>, Failure> {
    let ends = [0, parts.len().saturating_sub(1)];
    let stages: Vec<Stage> = parts
        .iter()
        .enumerate()
        .map(|(at, words)| stage(at + 1, words, ends.contains(&at)))
        .collect::<Result<_, _>>()?;
    for (at, stage) in stages.iter().enumerate() {
        if let Body::Address(address) = &stage.body {
            let is_left = at == 0 && stages.len() > 1;
            let read =
                if is_left { Address::parse(address, Role::Relay) } else { Address::parse_right(address) };
            read?.check()?;
        }
    }
    Ok(stages)
}

/// Reads the stage with this number. Only at an end of the pipeline an address makes sense.
fn stage(number: usize, words: &[OsString], at_end: bool) -> Result<Stage, Failure> {
    let mut stage = Stage {
        name: String::new(),
        body: Body::Passage,
        accepted: vec![0],
        weight: Weight::Required,
        errors: None,
        timeout: None,
        idle: None,
        environment: Vec::new(),
        dir: None,
        output: Output::Plain,
        inlet: Vec::new(),
    };
    let mut rest = words;
    while let Some((word, more)) = rest.split_first() {
        if word == "@sh" {
            stage.body = Body::Program(shell(more)?);
            rest = &[];
        } else if word.as_bytes().starts_with(b"@") {
            modifier::read(word, &mut stage)?;
            rest = more;
        } else {
            stage.body = body(rest, at_end);
            rest = &[];
        }
    }
    check(number, &stage)?;
    if stage.name.is_empty() {
        stage.name = name(&stage, words);
    }
    Ok(stage)
}

fn body(words: &[OsString], at_end: bool) -> Body {
    match words {
        [word] if at_end && let Some(address) = is_address(word) => Body::Address(address.to_owned()),
        _ => Body::Program(words.to_vec()),
    }
}

/// `@sh LINE [ARG…]`: what follows the line are its $1, $2…
fn shell(words: &[OsString]) -> Result<Vec<OsString>, Failure> {
    let Some((line, arguments)) = words.split_first() else {
        return Err(Failure::usage("'@sh'", "needs a line for the shell: @sh 'a | b'"));
    };
    let fixed = ["/bin/sh".into(), "-c".into(), line.clone(), "sh".into()];
    Ok(fixed.into_iter().chain(arguments.iter().cloned()).collect())
}

/// Modifiers that would do nothing are refused, as nobody means that.
fn check(number: usize, stage: &Stage) -> Result<(), Failure> {
    if stage.body != Body::Passage {
        return Ok(());
    }
    if stage.inlet.is_empty() {
        return Err(Failure::usage(format!("stage {number}"), "is empty"));
    }
    let useless = [
        (stage.output == Output::Terminal, "pty"),
        (stage.errors.is_some(), "err"),
        (!stage.environment.is_empty(), "env"),
        (stage.dir.is_some(), "cwd"),
        (stage.accepted != [0], "ok"),
    ];
    match useless.iter().find(|(is_given, _)| *is_given) {
        Some((_, name)) => {
            Err(Failure::usage(format!("'@{name}' of stage {number}"), "has no program to be about"))
        }
        None => Ok(()),
    }
}

/// The program's last part, the scheme of an address, or what the bytes pass through.
fn name(stage: &Stage, words: &[OsString]) -> String {
    match &stage.body {
        Body::Program(_) if words.iter().any(|word| word == "@sh") => "sh".to_owned(),
        Body::Program(argv) => {
            let word = argv[0].as_bytes();
            let last = word.rsplit(|byte| *byte == b'/').next().filter(|last| !last.is_empty());
            String::from_utf8_lossy(last.unwrap_or(word)).into_owned()
        }
        Body::Address(address) => address.split([',', ':']).next().unwrap_or_default().to_owned(),
        Body::Passage => match stage.inlet.first() {
            Some(Modifier::Tee(_)) => "tee".to_owned(),
            Some(Modifier::Meter) => "meter".to_owned(),
            Some(Modifier::Limit(_)) => "limit".to_owned(),
            Some(Modifier::Buffer(_)) => "buffer".to_owned(),
            Some(Modifier::Time(_)) => "ts".to_owned(),
            Some(Modifier::Head(_)) | None => "head".to_owned(),
        },
    }
}

/// The word as text if it opens with a scheme of spile's and a colon: `tcp:h:p`, `file,append:log`.
pub fn is_address(word: &OsStr) -> Option<&str> {
    let text = word.to_str()?;
    let scheme = text.split_once(':')?.0.split(',').next()?.to_ascii_lowercase();
    let bare = scheme.strip_suffix("-l").or(scheme.strip_suffix("-listen")).unwrap_or(&scheme);
    SCHEMES.iter().any(|row| row.name == bare).then_some(text)
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;
    use std::path::PathBuf;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::super::stage::{Copy, Errors, Time};
    use super::*;
    use crate::flow::{Existing, Extent};

    fn words(line: &str) -> Vec<OsString> {
        crate::process::words::split(line.as_ref()).unwrap()
    }

    fn read(line: &str) -> Result<Vec<Stage>, Failure> {
        split(&words(line), "::".as_ref())
    }

    fn one(line: &str) -> Stage {
        read(line).unwrap().remove(0)
    }

    fn refused(line: &str) -> String {
        let failure = read(line).unwrap_err();
        format!("{failure} ({})", failure.hint.clone().unwrap_or_default())
    }

    #[test]
    fn words_between_separators_are_stages_and_colons_in_them_are_theirs() {
        let stages = read("cut -d : -f2 :: sort -t : :: /usr/bin/tail -1").unwrap();
        let programs: Vec<Body> = stages.iter().map(|stage| stage.body.clone()).collect();
        assert_eq!(
            programs,
            [words("cut -d : -f2"), words("sort -t :"), words("/usr/bin/tail -1")].map(Body::Program)
        );
        let names: Vec<&str> = stages.iter().map(|stage| stage.name.as_str()).collect();
        assert_eq!(names, ["cut", "sort", "tail"]);
    }

    #[test]
    fn an_empty_stage_is_refused() {
        for line in [":: a", "a ::", "a :: :: b", "::"] {
            assert!(refused(line).contains("is empty ('::' separates"), "{line}");
        }
        assert!(refused("a :: @name=x :: b").starts_with("stage 2 is empty"));
    }

    #[test]
    fn modifiers_stand_before_the_program_alone() {
        let stage =
            one("@name=x @ok=0,1 @optional @err=e @timeout=10s @idle=2m @env=A=b=c @cwd=d @pty grep @x");
        assert_eq!((stage.name.as_str(), &stage.accepted[..]), ("x", &[0, 0, 1][..]));
        assert_eq!((stage.weight, stage.output), (Weight::Optional, Output::Terminal));
        assert_eq!(stage.errors, Some(Errors::File("e".into(), Existing::Replaced)));
        assert_eq!(stage.timeout, Some(Duration::from_secs(10)));
        assert_eq!(stage.idle, Some(Duration::from_secs(120)));
        assert_eq!(stage.environment, [crate::process::Change::Set("A".into(), "b=c".into())]);
        assert_eq!(stage.dir, Some(PathBuf::from("d")));
        assert_eq!(stage.body, Body::Program(words("grep @x")));
    }

    #[test]
    fn what_happens_to_the_input_keeps_its_order() {
        let stage = one("@tee=f @limit=1M/s @head=5 @head=2KiB @ts @ts=delta @buffer=1M @meter=in cat");
        let all = [
            Modifier::Tee(Copy::File("f".into(), Existing::Replaced)),
            Modifier::Limit(1 << 20),
            Modifier::Head(Extent::Lines(5)),
            Modifier::Head(Extent::Bytes(2048)),
            Modifier::Time(Time::Clock),
            Modifier::Time(Time::Delta),
            Modifier::Buffer(1 << 20),
            Modifier::Meter,
        ];
        assert_eq!((&stage.inlet[..], stage.name.as_str()), (&all[..], "in"));
    }

    #[test]
    fn a_shell_runs_where_it_is_asked_for() {
        assert_eq!(one("@sh 'a | b' x").body, Body::Program(words("/bin/sh -c 'a | b' sh x")));
        assert!(refused("@sh").contains("needs a line"));
    }

    #[test]
    fn one_word_that_reads_as_an_address_is_one_at_the_ends_alone() {
        let stages = read("tcp:h:1 :: tcp:h:2 :: @ts FILE,append:log").unwrap();
        assert_eq!(stages[0].body, Body::Address("tcp:h:1".into()));
        assert_eq!(stages[1].body, Body::Program(words("tcp:h:2")));
        assert_eq!(stages[2].body, Body::Address("FILE,append:log".into()));
        assert_eq!(read("unix-l:x :: cat").unwrap()[0].body, Body::Address("unix-l:x".into()));
        for line in ["./tcp:x", "foo:bar", "file", "tcp:a b"] {
            assert!(matches!(one(line).body, Body::Program(_)), "{line}");
        }
    }

    #[test]
    fn an_address_that_cannot_be_read_is_refused_before_anything_starts() {
        for line in ["tcp:h :: cat", "cat :: tcp:h", "@tee=tcp:h cat"] {
            assert_eq!(refused(line), "address 'tcp:h' has no port (h:PORT connects)", "{line}");
        }
        assert!(refused("cat :: tcp:h:1,bogus").starts_with("option 'bogus' is unknown"));
        for line in ["cat :: tcp-l:0", "unix-l:x", "@tee=unix-l:x cat"] {
            assert!(refused(line).contains("listens, but is on the right"), "{line}");
        }
    }

    #[test]
    fn an_unknown_modifier_names_the_nearest() {
        assert_eq!(refused("@metr cat"), "modifier '@metr' is unknown (did you mean @meter?)");
        assert!(refused("@zzzzzz").contains("there are @name @ok"));
        assert_eq!(refused("@timeout cat"), "'@timeout' needs a value: @timeout=TIME ()");
        assert_eq!(refused("@pty=1 cat"), "'@pty' takes no value ()");
        assert!(refused("@ok=256 cat").contains("'256' is no exit status"));
        assert!(refused("@limit=x cat").contains("no size"));
        assert!(refused("@tee=x @pty").contains("'@pty' of stage 1 has no program"));
    }

    proptest! {
        #[test]
        fn any_words_but_the_separator_reach_the_program_unchanged(
            stages in prop::collection::vec(
                prop::collection::vec(prop::collection::vec(1..=255_u8, 0..6), 1..5), 1..5),
        ) {
            let mut line = Vec::new();
            for (at, stage) in stages.iter().enumerate() {
                if at > 0 {
                    line.push(OsString::from("::"));
                }
                line.push("prog".into());
                line.extend(stage.iter().map(|word| OsString::from_vec(word.clone())));
            }
            prop_assume!(line.iter().filter(|word| *word == "::").count() == stages.len() - 1);
            let read = split(&line, "::".as_ref()).unwrap();
            prop_assert_eq!(read.len(), stages.len());
            for (stage, wanted) in read.iter().zip(&stages) {
                let Body::Program(argv) = &stage.body else { panic!("no program") };
                let argv: Vec<&[u8]> = argv[1..].iter().map(|word| word.as_bytes()).collect();
                prop_assert_eq!(argv, wanted.iter().map(Vec::as_slice).collect::<Vec<_>>());
            }
        }

        #[test]
        fn no_words_make_the_reader_fail_otherwise_than_by_a_failure(
            line in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..12), 0..8),
        ) {
            let line: Vec<OsString> = line.into_iter()
                .map(|word| OsString::from_vec([b"@", &word[..]].concat()))
                .collect();
            let _ = split(&line, "::".as_ref());
        }
    }
}
