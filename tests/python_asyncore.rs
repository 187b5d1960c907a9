//! The shell lines of spile-python-asyncore(7) print what the page says, and each name of Python's asyncore has its
//! row.

mod harness;

use std::collections::{BTreeMap, BTreeSet};

use harness::*;

/// The names of the module as JSON, by the heading of the page; newer Pythons have no such module.
const NAMES: &str = "import inspect, json, sys, warnings
warnings.simplefilter('ignore')
try:
    import asyncore
except ImportError:
    sys.exit(3)
def public(names):
    return sorted(name for name in names if not name.startswith('_'))
print(json.dumps({
    'THE MODULE': [name for name in public(dir(asyncore)) if not inspect.ismodule(getattr(asyncore, name))],
    'DISPATCHER': public(dir(asyncore.dispatcher)),
    'DISPATCHER_WITH_SEND': public(vars(asyncore.dispatcher_with_send)),
    'FILE_DISPATCHER AND FILE_WRAPPER': public(vars(asyncore.file_dispatcher)) + public(vars(asyncore.file_wrapper)),
}))";

fn page() -> Page {
    Page::read("spile-python-asyncore.7")
}

#[test]
fn each_row_does_what_the_page_says() {
    let rows = page().rows();
    let (before, rows) = rows.split_first().unwrap();
    assert!(rows.len() > 20, "the page has lost its rows");
    std::thread::scope(|scope| {
        for some in rows.chunks(rows.len().div_ceil(4)) {
            scope.spawn(|| some.iter().for_each(|row| row.prints_what_it_says(&[before])));
        }
    });
}

#[test]
fn every_name_of_the_module_and_its_classes_has_its_row() {
    let ended = program("python3", &["-c", NAMES]).eof().ends();
    if ended.status == 3 {
        eprintln!("skipped: this Python has no asyncore any more");
        return;
    }
    let names: BTreeMap<String, Vec<String>> = serde_json::from_slice(&ended.exits(0).stdout).unwrap();
    let mut rows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (heading, tag) in page().tags() {
        let words = tag.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').map(str::to_owned);
        rows.entry(heading).or_default().extend(words);
    }
    for (heading, names) in names {
        assert!(!names.is_empty(), "Python has lost the names of {heading}");
        let missing: Vec<_> = names.iter().filter(|name| !rows[&heading].contains(*name)).collect();
        assert!(missing.is_empty(), "no row under {heading} for {missing:?}");
    }
}
