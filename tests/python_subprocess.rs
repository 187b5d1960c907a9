//! The shell lines of spile-python(7) print what the page says: they are read from the page itself.

mod harness;

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use harness::*;

/// One or more lines to type, and what they print.
#[derive(Debug, Default)]
struct Row {
    lines: Vec<String>,
    prints: String,
}

/// Text as a terminal shows it.
fn plain(roff: &str) -> String {
    roff.replace("\\-", "-").replace("\\e", "\\")
}

fn rows() -> Vec<Row> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("man/spile-python.7");
    let page = std::fs::read_to_string(page).unwrap();
    let mut rows: Vec<Row> = Vec::new();
    for block in page.split("\n.EX\n").skip(1) {
        let block = block.split("\n.EE\n").next().unwrap();
        let mut row = Row::default();
        for line in block.lines().map(plain) {
            match line.strip_prefix("$ ") {
                Some(typed) => row.lines.push(typed.to_owned()),
                None => row.prints += &(line + "\n"),
            }
        }
        rows.push(row);
    }
    rows
}

#[test]
fn each_row_does_what_the_page_says() {
    let bin = tempfile::tempdir().unwrap();
    symlink(SPILE, bin.path().join("spile")).unwrap();
    let path = format!("{}:{}", bin.path().display(), std::env::var("PATH").unwrap());
    let rows = rows();
    assert!(rows.len() > 15, "the page has lost its rows");
    for row in rows {
        let dir = tempfile::tempdir().unwrap();
        let mut command = Command::new("bash");
        let script = row.lines.join("\n");
        command.args(["-c", &script]).env("PATH", &path).env("LC_ALL", "C").current_dir(&dir);
        let ended = start(command).eof().ends();
        let printed = String::from_utf8_lossy(&ended.stdout);
        // A text on stdin has no line end of its own.
        assert_eq!(printed.trim_end(), row.prints.trim_end(), "{script}\n{}", ended.stderr);
    }
}

#[test]
fn every_function_of_the_table_has_its_row() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("man/spile-python.7");
    let page = plain(&std::fs::read_to_string(page).unwrap());
    for name in [
        "check_output(",
        "Popen([",
        "call(",
        "P_NOWAIT",
        "P_WAIT",
        "env=",
        "os.popen(",
        "os.popen2(",
        "os.popen3(",
        "os.popen4(",
        "popen2.popen2(",
        "popen2.Popen3(",
        "popen2.Popen4(",
        "getstatusoutput(",
        "getoutput(",
    ] {
        assert!(page.contains(name), "{name}");
    }
}

#[test]
fn every_argument_of_popen_and_run_is_on_the_page() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("man/spile-python.7");
    let page = plain(&std::fs::read_to_string(page).unwrap());
    let script = "import inspect, subprocess
print(*inspect.signature(subprocess.Popen.__init__).parameters, 'input', 'capture_output', 'timeout', 'check')";
    let names = output_of("python3", &["-c", script]);
    for name in names.split_whitespace().filter(|name| *name != "self") {
        assert!(page.contains(name), "{name}");
    }
}
