//! The shell lines of spile-python-signal(7) print what the page says, and each name of Python's signal has its row.

use std::collections::BTreeSet;

use crate::harness::*;

/// Names that this Python may not have: those of other versions from 2.7 to 3.15, and of other systems.
const OTHERS: &str = "SIGSTKFLT SIGEMT SIGINFO SIGBREAK CTRL_C_EVENT CTRL_BREAK_EVENT SIGCLD SIGPOLL ItimerError \
                      pidfd_send_signal raise_signal strsignal valid_signals Signals Handlers Sigmasks struct_siginfo";

fn page() -> Page {
    Page::read("spile-python-signal.7")
}

#[test]
fn each_row_does_what_the_page_says() {
    let rows = page().rows();
    let (before, rows) = rows.split_first().unwrap();
    assert!(rows.len() > 20, "the page has lost its rows");
    for row in rows {
        row.prints_what_it_says(&[before]);
    }
}

#[test]
fn every_name_of_the_module_has_its_row() {
    let rows: BTreeSet<String> = page().names().into_values().flatten().collect();
    let script = "import signal
print(*(name for name in dir(signal) if not name.startswith('_')))";
    let names = output_of("python3", &["-c", script]);
    let names: Vec<&str> = names.split_whitespace().chain(OTHERS.split_whitespace()).collect();
    assert!(names.len() > 60, "Python has lost its names");
    let missing: Vec<&&str> = names.iter().filter(|name| !rows.contains(**name)).collect();
    assert!(missing.is_empty(), "no row for {missing:?}");
}
