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

#[test]
fn what_is_hidden_does_not_come_up_again_later() {
    // None of them has the word in its name.
    let says_it = "sh:printf 'xge%s\\n' heim; read x";
    let held_up = "sh:read x; printf 'hello\\nge%s\\n' heim; read y";
    for (target, steps, status) in [
        // What nobody took, told at the end of the script.
        ("sh:exit 0", &[".hide", ".sleep 300ms", "> geheim", ".show"][..], 18),
        // A pattern.
        (says_it, &[".hide", "! geheim", ".show", "~ zzz"], 4),
        // A variable, also by another one.
        (says_it, &[".hide", "~ (?<t>g.*)", ".set u x${t}", ".show", "> a", "= ${u}"], 4),
        // What had arrived before `.show`, and is left at the end.
        (held_up, &[".hide", "> go", "= hello", ".sleep 300ms", ".show", "= other"], 4),
        (held_up, &[".hide", "> go", "= hello", ".sleep 300ms", ".show", ".rest-empty"], 4),
    ] {
        for form in ["text", "tap", "junit", "json"] {
            let steps: Vec<&str> = steps.iter().flat_map(|step| ["-e", step]).collect();
            let ended = spile([&["chat", target, "--format", form], &steps[..]].concat()).eof().ends();
            let ended = ended.exits(status);
            let told = format!("{}{}", ended.stderr, String::from_utf8_lossy(&ended.stdout));
            assert!(!told.contains("geheim"), "{form}: {told}");
        }
    }
}

#[test]
fn a_variable_that_is_set_anew_is_hidden_no_more() {
    let steps = [".hide", ".set t geheim", ".show", ".set t open", "> ${t}", "= other"];
    let steps: Vec<&str> = steps.iter().flat_map(|step| ["-e", step]).collect();
    let ended = spile([&["chat", "run:cat"], &steps[..]].concat()).eof().ends().exits(4);
    ended.complains("got \"open\"");
}
