//! Units that no peer can say are told, and no others.

use super::*;

fn unheard(text: &str, first: &Terminator) -> Vec<usize> {
    script(text).unheard(first).iter().map(|mistake| mistake.place.line).collect()
}

#[test]
fn a_unit_that_would_end_before_its_end_is_told() {
    for (text, wrong) in [
        ("= a\\nb\n= a\\r\n< a\\n\n= a", vec![1, 3]),
        (".term ;\n= a;b\n< a;\n= a\\n\n<< a;b\n~ a;b", vec![2, 3]),
        // Its end and the terminator look alike: it is a unit where none follows.
        (".term \\r\\n\\r\\n\n= Host: x\\r\\n\n< Host: x\\r\\n\n= a\\r\\n\\r\\nb", vec![4]),
        (".term aa\n= xa\n< xa\n= xaa", vec![4]),
        (".term 3\n= abcd\n= abc\n= ab\n< abcd", vec![2, 5]),
        (".term none\n= a\\nb", vec![]),
        (".term ${port}\n= a\\nb\n= ${port}", vec![]),
    ] {
        assert_eq!(unheard(text, &Terminator::Line), wrong, "{text}");
    }
    assert_eq!(unheard("= a\\nb\n= a;b", &Terminator::Text(text(";"))), [2]);
    let mistake = script("= a\\nb").unheard(&Terminator::Line).remove(0);
    assert_eq!(
        mistake.what,
        "this is never heard: a line ends at its first \\n, which is after 1 of its bytes"
    );
    assert!(mistake.hint.unwrap().starts_with("'<<' hears bytes"));
}

#[test]
fn only_what_ends_units_on_every_way_counts() {
    let text = "? a -> x\n? b -> y\n:x\n.term none\n:y\n= a\\nb";
    assert!(unheard(text, &Terminator::Line).is_empty());
    let text = ".loop 2\n= a;b\n.term ;\n.end\n= a;b";
    assert_eq!(unheard(text, &Terminator::Line), [5]);
}
