//! The shell lines of spile-python(7) print what the page says: they are read from the page itself.

use crate::harness::*;

fn page() -> Page {
    Page::read("spile-python.7")
}

#[test]
fn each_row_does_what_the_page_says() {
    let rows = page().rows();
    assert!(rows.len() > 15, "the page has lost its rows");
    for row in rows {
        row.prints_what_it_says(&[]);
    }
}

#[test]
fn every_function_of_the_table_has_its_row() {
    let page = page().text();
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
    let page = page().text();
    let script = "import inspect, subprocess
print(*inspect.signature(subprocess.Popen.__init__).parameters, 'input', 'capture_output', 'timeout', 'check')";
    let names = output_of("python3", &["-c", script]);
    for name in names.split_whitespace().filter(|name| *name != "self") {
        assert!(page.contains(name), "{name}");
    }
}
