//! The shell lines of spile-python-popen2(7) print what the page says, and each name of Python 2's popen2 has its row.

use crate::harness::*;

/// The names of Python 2.7: no Python of today has the module and could be asked.
const NAMES: &[(&str, &str)] = &[
    ("THE FUNCTIONS", "popen2 popen3 popen4 cmd bufsize mode MAXFD"),
    (
        "POPEN3 AND POPEN4",
        "Popen3 Popen4 cmd capturestderr bufsize tochild fromchild childerr pid poll sts wait",
    ),
];

fn page() -> Page {
    Page::read("spile-python-popen2.7")
}

#[test]
fn each_row_does_what_the_page_says() {
    page().examples_print_what_they_say(Beginning::EmptyDirectory, 10);
}

#[test]
fn every_name_of_the_module_and_its_classes_has_its_row() {
    let rows = page().names();
    for (heading, names) in NAMES {
        let missing: Vec<_> = names.split(' ').filter(|name| !rows[*heading].contains(*name)).collect();
        assert!(missing.is_empty(), "no row under {heading} for {missing:?}");
    }
}
