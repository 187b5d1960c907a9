//! `pipe --dry-run`: what would be run is told, and nothing is.

use crate::harness::*;
use serde_json::{Value, json};

fn dry(args: &[&str]) -> Ended {
    spile([&["pipe", "--dry-run"], args].concat()).eof().ends()
}

/// The plan on stdout.
fn plan(ended: &Ended) -> Value {
    serde_json::from_slice(&ended.stdout).unwrap()
}

#[test]
fn every_stage_is_told_with_its_ends_and_nothing_runs_or_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let [mark, copy, errors] = ["mark", "copy", "errors"].map(|name| dir.path().join(name));
    let (tee, err) = (format!("@tee=append:{}", copy.display()), format!("{}", errors.display()));
    let first = ["--err", &err, "-t", "5s", "touch", mark.to_str().unwrap(), "::"];
    let second = ["@name=two", &tee, "@head=5", "@ts", "@pty", "@cwd=/", "@env=A=b", "@ok=1", "cat", "-"];
    let third = ["::", "@optional", "@err=append:e", "tcp:127.0.0.1:9"];
    let plan = plan(&dry(&[&first[..], &second, &third].concat()).exits(0));
    let [one, two, three] = [0, 1, 2].map(|n| &plan["stages"][n]);
    assert!(one["path"].as_str().unwrap().ends_with("/touch"));
    assert_eq!(
        (&one["stdin"], &one["stdout"], &one["stderr"]),
        (&json!("stdin"), &json!("pipe"), &json!(err))
    );
    assert_eq!((&two["name"], &two["argv"]), (&json!("two"), &json!(["cat", "-"])));
    assert_eq!(two["input"], json!([tee, "@head=5", "@ts=clock"]));
    assert_eq!(
        (&two["stdin"], &two["stdout"], &two["terminal"]),
        (&json!("pipe"), &json!("pipe"), &json!(true))
    );
    assert_eq!(
        (&two["cwd"], &two["environment"], &two["ok"]),
        (&json!("/"), &json!(["A=b"]), &json!([0, 1]))
    );
    assert_eq!((&three["stderr"], &three["stdout"]), (&json!("append:e"), &json!("stdout")));
    assert_eq!((&three["optional"], &three["argv"]), (&json!(true), &json!(["tcp:127.0.0.1:9"])));
    assert_eq!((&plan["limits"]["timeout"], &plan["limits"]["grace"]), (&json!(5.0), &json!(5.0)));
    assert!(!mark.exists() && !copy.exists() && !errors.exists());
}

#[test]
fn a_program_that_is_missing_is_told_with_its_status() {
    let ended = dry(&["true", "::", "nosuch"]).exits(127).complains("cannot run nosuch");
    assert_eq!(plan(&ended)["stages"][1]["path"], json!(null));
    dry(&["true", "::", "@cwd=/no/such", "true"]).exits(125).complains("/no/such");
    dry(&["true", "::"]).exits(125).says("");
}
