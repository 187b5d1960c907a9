//! The shell lines of spile-python-asyncore(7) print what the page says, and each name of Python's asyncore has its
//! row.

use std::collections::BTreeMap;

use crate::harness::*;

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
    page().examples_print_what_they_say(Beginning::FirstExample, 20);
}

#[test]
fn every_name_of_the_module_and_its_classes_has_its_row() {
    let ended = program("python3", &["-c", NAMES]).eof().ends();
    if ended.status == 3 {
        skipped("this Python has no asyncore any more");
        return;
    }
    let names: BTreeMap<String, Vec<String>> = serde_json::from_slice(&ended.exits(0).stdout).unwrap();
    let rows = page().names();
    for (heading, names) in names {
        assert!(!names.is_empty(), "Python has lost the names of {heading}");
        let missing: Vec<_> = names.iter().filter(|name| !rows[&heading].contains(*name)).collect();
        assert!(missing.is_empty(), "no row under {heading} for {missing:?}");
    }
}
