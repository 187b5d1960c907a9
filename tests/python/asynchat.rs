//! The shell lines of spile-python-asynchat(7) print what the page says, and each name of Python's asynchat has its
//! row.

use std::collections::BTreeMap;

use crate::harness::*;

/// The names of the module as JSON, by the heading of the page; newer Pythons have no such module. Those that asyncore's
/// class has, too, are left out unless they are asynchat's own.
const NAMES: &str = "import inspect, json, sys, warnings
warnings.simplefilter('ignore')
try:
    import asynchat, asyncore
except ImportError:
    sys.exit(3)
def public(names):
    return sorted(name for name in names if not name.startswith('_'))
of_objects = set(vars(asynchat.async_chat())) - set(vars(asyncore.dispatcher()))
print(json.dumps({
    'THE MODULE': [name for name in public(dir(asynchat)) if not inspect.ismodule(getattr(asynchat, name))],
    'ASYNC_CHAT': public(vars(asynchat.async_chat)) + public(of_objects),
    'SIMPLE_PRODUCER': public(vars(asynchat.simple_producer)) + public(vars(asynchat.simple_producer(b''))),
}))";

/// What went before the module did.
const OLDER: &[&str] = &["fifo", "is_empty", "first", "push", "pop"];

fn page() -> Page {
    Page::read("spile-python-asynchat.7")
}

#[test]
fn each_row_does_what_the_page_says() {
    page().examples_print_what_they_say(Beginning::FirstExample, 15);
}

#[test]
fn every_name_of_the_module_and_its_classes_has_its_row() {
    let rows = page().names();
    assert!(OLDER.iter().all(|name| rows["FIFO"].contains(*name)), "{:?}", rows["FIFO"]);
    let ended = program("python3", &["-c", NAMES]).eof().ends();
    if ended.status == 3 {
        skipped("this Python has no asynchat any more");
        return;
    }
    let names: BTreeMap<String, Vec<String>> = serde_json::from_slice(&ended.exits(0).stdout).unwrap();
    for (heading, names) in names {
        assert!(names.len() > 2, "Python has lost the names of {heading}");
        let missing: Vec<_> = names.iter().filter(|name| !rows[&heading].contains(*name)).collect();
        assert!(missing.is_empty(), "no row under {heading} for {missing:?}");
    }
}
