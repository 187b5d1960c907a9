//! `trap --send` to a tree that spile itself is in.

use crate::harness::*;

/// A shell that runs spile before all others of its tree: they come after it wherever a tree is told in its order.
/// It says "ready" when all sleep; spile waits for `go`.
fn family(dir: &tempfile::TempDir, signal: &str, nap: &str) -> String {
    let go = dir.path().join("go").display().to_string();
    let said = dir.path().join("said").display().to_string();
    let sender = format!(
        "until test -e {go}; do sleep .01; done; exec $SPILE trap --send {signal} --to tree:$0 2>{said}"
    );
    format!(
        "sh -c '{sender}' $$ & for i in 1 2 3 4 5 6 7 8; do setsid sleep {nap} >/dev/null 2>&1 & done; \
         echo ready; wait"
    )
}

fn asleep(nap: &str) -> Vec<u32> {
    with_argument(nap).into_iter().filter(|pid| is_a(*pid, "sleep")).collect()
}

#[test]
fn a_signal_to_our_own_tree_reaches_all_others_first() {
    let nap = unique_sleep();
    for (signal, number) in [("TERM", 15), ("KILL", 9), ("HUP", 1)] {
        let dir = tempfile::tempdir().unwrap();
        let process = shell(&family(&dir, signal, &nap)).gets("ready\n");
        wait_until("all sleep", || asleep(&nap).len() == 8);
        std::fs::write(dir.path().join("go"), "").unwrap();
        wait_until(&format!("{signal} has reached all"), || asleep(&nap).is_empty());
        process.ends().dies_of(number);
    }
}

#[test]
fn a_stop_to_our_own_tree_leaves_us_out_and_says_so() {
    let nap = unique_sleep();
    for signal in ["STOP", "TSTP"] {
        let dir = tempfile::tempdir().unwrap();
        let process = shell(&family(&dir, signal, &nap)).gets("ready\n");
        wait_until("all sleep", || asleep(&nap).len() == 8);
        std::fs::write(dir.path().join("go"), "").unwrap();
        // An orphaned group, as of setsid(1), is stopped by STOP alone.
        let stopped = || asleep(&nap).into_iter().filter(|pid| state_of(*pid) == 'T').count();
        wait_until("the shell is stopped", || state_of(process.pid()) == 'T');
        wait_until("all are stopped", || signal == "TSTP" || stopped() == 8);
        let said = || std::fs::read_to_string(dir.path().join("said")).unwrap_or_default();
        wait_until("spile has said it", || said().contains("has left itself out"));
        let tree = format!("tree:{}", process.pid());
        spile(["trap", "--send", "KILL", "--to", &tree]).eof().ends().exits(0);
        wait_until("nobody is left", || asleep(&nap).is_empty());
        process.ends().dies_of(9);
    }
}

/// A session leader that dies takes its terminal along: the HUP of that must not end us before all are told.
#[test]
fn a_signal_to_the_session_that_we_are_in_is_sent_to_all() {
    let nap = unique_sleep();
    for signal in ["TERM", "KILL"] {
        let line = format!(
            "for i in 1 2 3 4 5 6 7 8; do setsid sleep {nap} & done; echo ready; $SPILE trap --send {signal} --to tree:$$"
        );
        let terminal = Terminal::shell(&line).sees("ready");
        wait_until("nobody is left", || asleep(&nap).is_empty());
        terminal.ends();
    }
}

#[test]
fn a_signal_to_ourselves_alone_is_no_special_case() {
    for (signal, number) in [("TERM", 15), ("USR1", 10), ("KILL", 9)] {
        shell(&format!("exec $SPILE trap --send {signal} --to tree:$$")).eof().ends().dies_of(number);
    }
    shell("exec $SPILE trap --send STOP --to tree:$$").eof().ends().exits(0).complains("left itself out");
}
