//! CPU time that processes have used counts also when they have ended.

use crate::harness::*;

/// A Python program that starts ten others, one after the other, each for a tenth of a second of CPU time. Their parent
/// has ended by then, so whoever runs the program reaps them.
const ORPHANS: &str = "
import os, time
for _ in range(10):
    out, into = os.pipe()
    if os.fork() == 0:
        if os.fork() == 0:
            while time.process_time() < .1: sum(range(10000))
        os._exit(0)
    os.close(into); os.wait(); os.read(out, 1); os.close(out)
print('all have ended')
";

/// Four fifths of a second of CPU time once stdin has ended.
const BUSY: &str = "import sys, time
sys.stdin.read()
while time.process_time() < .8: sum(range(10000))";

#[test]
fn what_reaped_orphans_have_used_is_not_forgotten() {
    let run = |flags: &[&str]| spile([flags, &["--", "python3", "-c", ORPHANS]].concat()).eof().ends();
    run(&["run", "--cpu-timeout", "500ms"]).exits(124).says("").complains("--cpu-timeout");
    run(&["trap", "--after", "cpu:500ms=exit:9"]).exits(9).says("");
    run(&["trap", "--after", "user:500ms=exit:9"]).exits(9).says("");
    run(&["run", "--cpu-timeout", "60s"]).exits(0).says("all have ended\n");
}

#[test]
fn what_a_stage_has_used_that_has_ended_is_not_forgotten() {
    let run = |limit: &str| {
        let stage = ["python3", "-c", BUSY];
        spile([&["pipe", "--cpu-timeout", limit][..], &stage, &["::"], &stage].concat()).eof().ends()
    };
    run("1300ms").exits(124).complains("--cpu-timeout");
    run("60s").exits(0);
}
