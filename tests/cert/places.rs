//! `cert`: the places that it writes to, and what becomes of them where not all can be written.

use crate::harness::*;

#[test]
fn the_same_file_is_not_given_twice_however_it_is_spelled() {
    let at = Workshop::new();
    at.says("mkdir d; ln -s . here; echo old >f");
    for (out, key) in [("./f", "f"), ("d/../f", "f"), ("$PWD/f", "here/f"), ("new", "./new")] {
        let line = format!("spile cert self x --out {out} --key-out {key} --force");
        at.runs(&line).exits(2).complains("is given for two different files");
    }
    at.runs("spile cert dev x -d d --ca-key-out d/../d/server.key").exits(2).complains("two different files");
    assert_eq!((at.read("f").as_slice(), at.says("ls d")), (&b"old\n"[..], String::new()));
    assert_eq!(at.files(), ["d", "f", "here"]);
}

#[test]
fn files_are_replaced_all_or_none() {
    let at = Workshop::new();
    at.says("spile cert dev old -d t 2>/dev/null; chmod 640 t/ca.pem; sha256sum t/* >sums");
    let strace = "strace -f -qq -o /dev/null -e trace=/^link,/^rename";
    // Without links as well; each file then takes two renames.
    let linkless = format!("{strace} -e inject=/^link:error=EPERM");
    for (strace, when) in
        [(strace, 1), (strace, 2), (strace, 6), (&linkless, 1), (&linkless, 4), (&linkless, 12)]
    {
        let line =
            format!("{strace} -e inject=/^rename:error=EIO:when={when} spile cert dev new -d t --force");
        at.runs(&line).exits(1).complains("cannot write t/").complains("Input/output error");
        at.says("sha256sum --quiet -c sums");
        assert_eq!((at.says("ls -A t | wc -l").trim(), at.mode("t/ca.pem")), ("6", 0o640), "{line}");
    }
    at.runs(&format!("{linkless} spile cert dev new -d t --force")).exits(0);
    at.says("spile cert verify --cafile t/ca.pem --name new t/server.pem");
    assert_eq!(at.says("ls -A t | wc -l").trim(), "6");
}

#[test]
fn a_key_whose_certificate_stdout_does_not_take_is_not_kept() {
    let at = Workshop::new();
    at.says("spile cert self old --out c.pem --key-out c.key; sha256sum c.key >sum");
    let new = "spile cert self new --force --key-out";
    at.runs(&format!("{new} c.key >/dev/full")).exits(1).complains("cannot write stdout");
    at.runs(&format!("{new} d.key >/dev/full")).exits(1).complains("cannot write stdout");
    at.runs(&format!("{new} c.key >&-")).exits(1).complains("cannot write stdout");
    at.runs(&format!("exec 7> >(exec true); wait $!; {new} c.key >&7")).exits(141);
    at.says("sha256sum --quiet -c sum");
    assert_eq!(at.files(), ["c.key", "c.pem", "sum"]);
}

#[test]
fn ones_own_pipes_and_descriptors_are_written_into() {
    let at = Workshop::new();
    at.says("spile cert self a --out /dev/stdout --key-out k >c && spile cert match c k");
    at.says("spile cert self a --out c --force --key-out >(umask 77; cat >k); wait $!; spile cert match c k");
    at.says("echo before >log; spile cert self a --out /dev/fd/7 --key-out k7 7>>log; spile cert match log k7 && grep -q before log");
    at.says("mkfifo own; (umask 77; cat own >k8) & spile cert self a --out c8 --key-out own; wait; spile cert match c8 k8");
    at.says("spile cert self a --out /dev/null --key-out /dev/null");
    assert_eq!(at.says("stat -c %F own /dev/null"), "fifo\ncharacter special file\n");
}

#[test]
fn a_pipe_of_somebody_else_gets_no_key() {
    let at = Workshop::new();
    // Nobody but root can make one.
    if !rustix::process::geteuid().is_root() {
        return;
    }
    at.says("mkfifo theirs; chown 65534 theirs; chmod 666 theirs");
    let line = "cat theirs >got & timeout 10 spile cert self a --out c.pem --key-out theirs --force; status=$?; kill $!; exit $status";
    at.runs(line).exits(1).complains("it belongs to another user (65534)");
    assert!(at.read("got").is_empty() && !at.path("c.pem").exists());
}

/// Any file may turn out to hold a key, whatever it is looked at for.
#[test]
fn whoever_may_see_a_key_leaves_no_core_and_cannot_be_looked_at() {
    let at = Workshop::new();
    at.says("spile cert self a --out both.pem");
    for line in [
        "convert - --to pem",
        "show -",
        "pin /dev/stdin",
        "verify --cafile /dev/stdin both.pem",
        "match both.pem /dev/stdin",
    ] {
        let calls = "prctl,prlimit64,setrlimit,read,openat";
        at.runs(&format!("strace -f -qq -o calls -e trace={calls} spile cert {line} <both.pem"));
        let calls = String::from_utf8(at.read("calls")).unwrap();
        let first = calls.find("-----BEGIN").unwrap_or_else(|| panic!("{line}: {calls}"));
        for secret in ["PR_SET_DUMPABLE, SUID_DUMP_DISABLE", "RLIMIT_CORE, {rlim_cur=0"] {
            assert!(calls[..first].contains(secret), "{line}: {calls}");
        }
    }
}

#[test]
fn a_passphrase_out_of_a_pipe_opens_all_that_is_made() {
    let at = Workshop::new();
    at.write("words", "my words\n");
    at.says("spile cert dev a -d t --ca-key-out t/ca.key --pass-file <(cat words) 2>/dev/null");
    at.says("for who in ca server client; do spile cert match t/$who.pem t/$who.key --pass-file words || exit; done");
}
