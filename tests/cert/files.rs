//! `cert`: the files it writes and the secrets it reads.

use std::os::unix::fs::PermissionsExt;

use crate::harness::*;

fn chmod(at: &Workshop, name: &str, mode: u32) {
    std::fs::set_permissions(at.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn keys_are_for_their_owner_alone_whatever_the_umask() {
    let at = Workshop::new();
    at.says("umask 0; spile cert dev localhost -d t --ca-key-out ca.key 2>/dev/null");
    for (name, mode) in [
        ("ca.key", 0o600),
        ("t/server.key", 0o600),
        ("t/client.key", 0o600),
        ("t/ca.pem", 0o644),
        ("t/server.pem", 0o644),
    ] {
        assert_eq!(at.mode(name), mode, "{name}");
    }
    at.says("umask 0; spile cert self localhost --out both.pem");
    assert_eq!(at.mode("both.pem"), 0o600, "a certificate with its key");
    at.says("umask 0; spile cert convert both.pem --to pem --out copy.pem; spile cert convert ca.key --to der --out ca.der");
    assert_eq!((at.mode("copy.pem"), at.mode("ca.der")), (0o600, 0o600));
    at.says("umask 0; spile cert self localhost --out both.pem --force");
    assert_eq!(at.mode("both.pem"), 0o600);
    at.says("openssl x509 -in both.pem -noout && openssl pkey -in both.pem -noout");
}

#[test]
fn a_file_is_never_open_to_others_not_even_for_a_moment() {
    let at = Workshop::new();
    let calls = "openat,fchmod,chmod,fchmodat,rename,renameat2,fsync";
    at.says(&format!("umask 0; strace -y -f -qq -o calls -e trace={calls} spile cert self localhost --out c.pem --key-out c.key"));
    let calls = String::from_utf8(at.read("calls")).unwrap();
    // What is reported as written is on the disk.
    assert!(calls.lines().any(|line| line.contains("fsync(") && line.contains("/c.key>")), "{calls}");
    let call = calls.lines().find(|line| line.contains("\"c.key\"")).unwrap();
    for flag in ["O_CREAT", "O_EXCL", "O_NOFOLLOW", "0600"] {
        assert!(call.contains(flag), "{call}");
    }
    assert!(!calls.contains("chmod"), "{calls}");
}

#[test]
fn nothing_is_overwritten_unless_it_is_asked_for() {
    let at = Workshop::new();
    std::fs::create_dir(at.path("t")).unwrap();
    at.write("t/client.key", "precious");
    at.runs("spile cert dev localhost -d t")
        .exits(1)
        .complains("it exists already")
        .complains("hint: --force");
    assert_eq!(at.says("ls t"), "client.key\n", "all or nothing");
    assert_eq!(at.read("t/client.key"), b"precious");
    at.says(
        "spile cert dev localhost -d t --force 2>/dev/null && spile cert match t/client.pem t/client.key",
    );
    assert_eq!((at.mode("t/client.key"), at.says("ls -A t | wc -l").trim()), (0o600, "6"));
    at.runs("spile cert self localhost --out t/ca.pem --key-out t/new.key").exits(1);
    assert!(!at.path("t/new.key").exists());
    at.runs("spile cert self localhost --out x --key-out x").exits(2).complains("two different files");
    at.runs("spile cert self localhost --out no/such/dir/x").exits(1).complains("No such file or directory");
    at.runs("spile cert self localhost --out t").exits(1).complains("it is a directory");
    assert_eq!(at.files(), ["t"]);
}

#[test]
fn a_link_that_somebody_put_there_is_not_followed() {
    let at = Workshop::new();
    std::os::unix::fs::symlink(at.path("victim"), at.path("c.key")).unwrap();
    for force in ["", "--force"] {
        at.runs(&format!("spile cert self localhost --out c.pem --key-out c.key {force}"))
            .exits(1)
            .complains("it is a symbolic link");
    }
    assert_eq!(at.files(), ["c.key"]);
    at.write("victim", "old");
    at.runs("spile cert self localhost --out c.pem --key-out c.key --force").exits(1);
    assert_eq!(at.read("victim"), b"old");
}

#[test]
fn a_full_disk_leaves_nothing_behind() {
    let at = Workshop::new();
    at.runs("spile cert self localhost --key-out c.key --out /dev/full").exits(1).complains("No space left");
    assert!(at.files().is_empty(), "{:?}", at.files());
    at.runs("spile cert self localhost >/dev/full").exits(1).complains("cannot write stdout");
    at.says("spile cert self localhost --out /dev/null --key-out c.key");
}

#[test]
fn stdout_is_a_file_like_others() {
    let at = Workshop::new();
    at.says(
        "spile cert self localhost | tee both.pem | openssl x509 -noout && openssl pkey -in both.pem -noout",
    );
    at.says("spile cert self localhost --key-out c.key >c.pem && spile cert match c.pem c.key");
    at.says("spile cert self localhost --key-out d.key --out - | spile cert show - | grep -q localhost");
}

#[test]
fn a_key_that_others_can_read_is_told_and_with_strict_perms_refused() {
    let at = Workshop::new();
    at.says("spile cert ca --out ca.pem --key-out ca.key && spile cert match ca.pem ca.key");
    for (mode, text) in [(0o640, "0640"), (0o604, "0604"), (0o660, "0660")] {
        chmod(&at, "ca.key", mode);
        let warning = format!("key file ca.key can be read by others (mode {text}): chmod 600 ca.key");
        at.runs("spile cert match ca.pem ca.key").exits(0).complains(&format!("warning: {warning}"));
        let sign = "spile cert sign --ca ca.pem --ca-key ca.key x.org --out x.pem";
        for refused in ["spile cert match ca.pem ca.key", "spile cert csr x.org --key ca.key", sign] {
            let ended = at.runs(&format!("{refused} --strict-perms")).exits(58);
            assert_eq!(ended.stderr, format!("spile cert: {warning}\n"));
        }
    }
    assert!(!at.path("x.pem").exists());
    chmod(&at, "ca.key", 0o400);
    assert_eq!(at.runs("spile cert match ca.pem ca.key --strict-perms").exits(0).stderr, "");
}

#[test]
fn encrypted_keys_are_openssls_and_openssls_are_ours() {
    let at = Workshop::new();
    at.write("words", "my secret\nnot this\n");
    at.write("wrong", "other\n");
    at.says("spile cert ca --pass-file words --out ca.pem --key-out ca.key");
    assert!(
        String::from_utf8(at.read("ca.key")).unwrap().starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    );
    at.says("openssl pkey -in ca.key -passin 'pass:my secret' -noout");
    at.runs("openssl pkey -in ca.key -passin pass:other -noout").exits(1);
    let sign = "spile cert sign --ca ca.pem --ca-key ca.key x.org --out x.pem --key-out x.key --force";
    at.says(&format!("{sign} --ca-pass-file words"));
    at.says(&format!("{sign} --ca-pass-file <(cat words)"));
    at.says(&format!("{sign} --ca-pass-file /dev/fd/7 7<words"));
    at.runs(&format!("{sign} --ca-pass-file wrong")).exits(58).complains("the passphrase is wrong");
    at.runs(sign)
        .exits(58)
        .complains("it is encrypted, and no passphrase was given")
        .complains("--ca-pass-file FILE");
    at.runs("spile cert match ca.pem ca.key").exits(58).complains("hint: --pass-file FILE");
    at.runs("spile cert match ca.pem ca.key --pass-file /dev/null")
        .exits(58)
        .complains("its first line is empty");
    at.runs("spile cert match ca.pem ca.key --pass-file none").exits(58).complains("No such file");
    for (form, works) in [
        ("-topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256", true),
        ("-topk8 -v2 aes-128-cbc -v2prf hmacWithSHA512", true),
        ("-topk8 -scrypt", true),
        ("-topk8 -v2 des3", false),
    ] {
        at.says(&format!(
            "openssl pkcs8 {form} -in x.key -passout 'pass:my secret' -out y.key; chmod 600 y.key"
        ));
        let ended = at.runs("spile cert match x.pem y.key --pass-file words");
        match works {
            true => ended.exits(0),
            false => ended
                .exits(58)
                .complains("its encryption is none that is known here")
                .complains("openssl pkcs8"),
        };
        at.says("openssl pkcs8 -in y.key -passin 'pass:my secret' -topk8 -outform DER -passout 'pass:my secret' -out y.der; chmod 600 y.der");
        at.runs("spile cert match x.pem y.der --pass-file words").exits(0);
    }
    at.says("openssl rsa -in <(openssl genrsa 2048 2>/dev/null) -aes128 -traditional -passout pass:x -out old.key 2>/dev/null");
    at.runs("spile cert match x.pem old.key")
        .exits(58)
        .complains("no longer safe")
        .complains("openssl pkcs8 -topk8");
}

#[test]
fn every_form_of_a_key_is_read() {
    let at = Workshop::new();
    at.says("spile cert self a --key-type rsa3072 --out rsa.pem --key-out rsa.key; spile cert self a --out ec.pem --key-out ec.key");
    at.says("openssl rsa -in rsa.key -traditional -out pkcs1.key 2>/dev/null; openssl ec -in ec.key -out sec1.key 2>/dev/null");
    at.says("for f in rsa pkcs1 ec sec1; do openssl pkey -in $f.key -outform DER -out $f.der; done; chmod 600 *.key *.der");
    at.says("openssl ecparam -name prime256v1 -out param; cat ec.pem param sec1.key >combined.pem; chmod 600 combined.pem");
    for (certificate, keys) in [
        ("rsa.pem", &["rsa.key", "pkcs1.key", "rsa.der", "pkcs1.der"][..]),
        ("ec.pem", &["ec.key", "sec1.key", "ec.der", "sec1.der", "combined.pem"][..]),
    ] {
        for key in keys {
            assert_eq!(
                at.runs(&format!("spile cert match {certificate} {key}")).exits(0).stderr,
                "",
                "{key}"
            );
        }
    }
    at.runs("spile cert match rsa.pem ec.key").exits(58).complains("it is not the key of rsa.pem");
    at.runs("spile cert match rsa.pem ec.pem")
        .exits(58)
        .complains("it holds no private key, only: CERTIFICATE");
    at.says("openssl genrsa -out small.key 1024 2>/dev/null");
    at.runs("spile cert match rsa.pem small.key").exits(58).complains("too small");
}

#[test]
fn a_passphrase_is_nowhere_to_be_seen() {
    let at = Workshop::new();
    let secret = "s3cret-never-seen";
    at.write("words", secret);
    at.says("spile cert ca --pass-file words --out ca.pem --key-out ca.key && mkfifo slow");
    // It waits for the request, its passphrase long read.
    let line = "exec spile cert match slow ca.key --pass-file words";
    let mut command = std::process::Command::new("bash");
    command
        .args(["-c", line])
        .current_dir(at.path(""))
        .env("PATH", format!("{}:/usr/bin:/bin", at.path(".bin").display()));
    let waiting = start(command);
    wait_until("it runs", || is_a(waiting.pid(), "spile"));
    for file in ["cmdline", "environ"] {
        let text = std::fs::read(format!("/proc/{}/{file}", waiting.pid())).unwrap();
        assert!(!text.windows(secret.len()).any(|window| window == secret.as_bytes()), "{file}");
    }
    std::fs::write(at.path("slow"), at.read("ca.pem")).unwrap();
    let ended = waiting.ends().exits(0);
    assert!(!ended.stderr.contains(secret));
    // There is no flag for one, and no variable.
    let help = at.says("for c in sign csr match ca; do spile cert $c --help; done");
    assert!(!help.contains("--password") && !help.contains("[env"), "{help}");
}

#[test]
fn whoever_sits_at_the_terminal_is_asked() {
    let at = Workshop::new();
    at.write("words", "typed secret\n");
    at.says("spile cert ca --pass-file words --out ca.pem --key-out ca.key");
    let line = format!("cd {}; $SPILE cert match ca.pem ca.key; echo status $?", at.path("").display());
    let asked = || Terminal::shell(&line).sees("passphrase of ca.key: ");
    let terminal = asked();
    assert!(!terminal.echoes());
    let shown = terminal.types("typed secret\n").sees("status 0").ends();
    assert!(!shown.contains("typed secret"));
    asked().types("wrong\n").sees("the passphrase is wrong").sees("status 58");
    asked().types("\n").sees("no passphrase was given").sees("status 58");
    asked().types("typed secretx\x7f\n").sees("status 0");
    let shell = Terminal::interactive().types(&format!("cd {}\n", at.path("").display())).sees("$ ");
    let shell = shell.types("stty -a; $SPILE cert match ca.pem ca.key\n").sees("passphrase of ca.key: ");
    let shell = shell.types("typ\x03").sees("$ ").types("echo status $?; stty -a\n");
    shell.sees("status 130").sees(" echo ");
}

#[test]
fn a_stop_at_the_prompt_gives_the_terminal_back_and_asks_again() {
    let at = Workshop::new();
    at.write("words", "typed secret\n");
    at.says("spile cert ca --pass-file words --out ca.pem --key-out ca.key");
    let shell = Terminal::interactive().types(&format!("cd {}\n", at.path("").display())).sees("$ ");
    let shell = shell.types("$SPILE cert match ca.pem ca.key\n").sees("passphrase of ca.key: ");
    let shell = shell.types("\x1a").sees("Stopped").sees("$ ");
    let shell = shell.types("fg\n").sees("passphrase of ca.key: ").types("typed secret\n").sees("$ ");
    shell.types("echo status $?\n").sees("status 0");
}
