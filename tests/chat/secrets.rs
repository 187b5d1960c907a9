//! What `.hide` hides is nowhere: not in transcripts, not in what is told of a failure, not in documents.

use std::process::Command;

use crate::harness::*;

/// A login at which the password is echoed; what comes of it.
fn login(words: &[&str]) -> Ended {
    let target = "sh:read x; echo \"you said $x\"; read y; echo welcome";
    let steps = [
        ".hide",
        ".set pw ${env:PASSWORD}",
        "> ${pw}",
        "~ said (?<echo>.*)",
        "> literally-geheim",
        ".show",
        "= welcome",
    ];
    let steps: Vec<&str> = steps.iter().flat_map(|step| ["-e", step]).collect();
    let mut command = Command::new(SPILE);
    command.args(["chat", target]).args(words).args(steps).env("PASSWORD", "geheim");
    start(command).eof().ends()
}

#[test]
fn a_password_is_in_no_transcript_and_no_document() {
    for words in [
        &["-v"][..],
        &["-v", "--log", "json"],
        &["-v", "--format", "tap"],
        &["-v", "--format", "junit"],
        &["-v", "--format", "json"],
    ] {
        let ended = login(words).exits(0);
        let told = format!("{}{}", ended.stderr, String::from_utf8_lossy(&ended.stdout));
        assert!(!told.contains("geheim"), "{words:?}: {told}");
        assert!(told.contains("welcome") || words.contains(&"junit"), "{words:?}: {told}");
    }
    let ended = login(&["-v"]).exits(0);
    ended.complains(" > *** 7 bytes, hidden").complains("# -e:3: > ***: ok").complains("< welcome");
}

#[test]
fn a_failure_hides_it_too() {
    for form in ["text", "tap", "junit", "json"] {
        let steps = ["-e", ".hide", "-e", "> geheim", "-e", "= other geheim", "-e", "! geheim"];
        let words = [&["chat", "-v", "run:cat", "--format", form], &steps[..]].concat();
        let ended = spile(words).eof().ends().exits(4);
        let told = format!("{}{}", ended.stderr, String::from_utf8_lossy(&ended.stdout));
        assert!(!told.contains("geheim"), "{form}: {told}");
        ended.complains("-e:3: = ***: something else was heard (more is hidden by .hide)");
    }
}
