//! Documents as the programs see them for which they are made: Perl's TAP::Parser, readers of JUnit, Python.

use crate::harness::*;
use serde_json::Value;

/// What a program of ours in another language makes of a document: a line of JSON.
fn read_by(program_and_flag: [&str; 2], code: &str, document: &[u8]) -> Value {
    let shop = Workshop::new();
    shop.write("document", document);
    let [name, flag] = program_and_flag;
    let path = shop.path("document").display().to_string();
    let ended = program(name, &[flag, code, &path]).eof().ends().exits(0);
    assert_eq!(ended.stderr, "");
    ended.json()
}

/// Points, plan, bail-out and mistakes as Perl's TAP::Parser sees them.
const TAP_READER: &str = r##"
use TAP::Parser; use JSON::PP;
my $parser = TAP::Parser->new({exec => ['cat', $ARGV[0]]});
my (@points, @yaml, $bail);
while (my $result = $parser->next) {
    push @points, [($result->is_ok ? 1 : 0), $result->description, $result->directive // ''] if $result->is_test;
    push @yaml, $result->data if $result->is_yaml;
    $bail = $result->explanation if $result->is_bailout;
}
print encode_json({points => \@points, yaml => \@yaml, bail => $bail, plan => $parser->plan,
    errors => [$parser->parse_errors]}), "\n";
"##;

/// The document as TAP::Parser sees it.
pub fn tap(document: &[u8]) -> Value {
    read_by(["perl", "-e"], TAP_READER, document)
}

/// The rules of the schema by which Jenkins reads JUnit's XML (junit-10.xsd): for each element its attributes, those
/// that it must have, and what may be in it.
const JUNIT_READER: &str = r##"
import json, re, sys
import xml.etree.ElementTree as ElementTree
TROUBLE = ({"type", "message"}, set(), {"#text"})
RULES = {
    "testsuites": ({"name", "time", "tests", "failures", "errors"}, set(), {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors", "group", "time", "skipped", "timestamp", "hostname", "id",
        "package", "file", "log", "url"}, {"name", "tests", "failures", "errors"},
        {"testsuite", "properties", "testcase", "system-out", "system-err"}),
    "testcase": ({"name", "time", "classname", "group"}, {"name"},
        {"skipped", "error", "failure", "system-out", "system-err"}),
    "properties": (set(), set(), {"property"}),
    "property": ({"name", "value"}, {"name", "value"}, set()),
    "failure": TROUBLE, "error": TROUBLE, "skipped": TROUBLE,
}
def check(element):
    attributes, required, content = RULES[element.tag]
    assert set(element.attrib) <= attributes, element.attrib
    assert required <= set(element.attrib), element.attrib
    assert "#text" in content or not (element.text or "").strip(), element.text
    assert not (element.tail or "").strip(), element.tail
    if element.tag == "testsuite" and "time" in element.attrib:
        assert re.fullmatch(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?", element.get("time"))
    for child in element:
        assert child.tag in content, child.tag
        check(child)
root = ElementTree.parse(sys.argv[1]).getroot()
assert root.tag == "testsuites"
check(root)
suites = []
for suite in root:
    cases = [[case.get("name"), [trouble.tag for trouble in case], [trouble.text for trouble in case]]
        for case in suite.iter("testcase")]
    assert int(suite.get("tests")) == len(cases)
    assert int(suite.get("failures")) == len(suite.findall("testcase/failure"))
    assert int(suite.get("errors")) == len(suite.findall("testcase/error"))
    suites.append({"name": suite.get("name"), "cases": cases})
print(json.dumps(suites))
"##;

/// The suites of a document that obeys the schema.
pub fn junit(document: &[u8]) -> Value {
    read_by(["python3", "-c"], JUNIT_READER, document)
}

/// The document as Python reads JSON.
pub fn python(document: &[u8]) -> Value {
    read_by(["python3", "-c"], "import json, sys; print(json.dumps(json.load(open(sys.argv[1]))))", document)
}
