//! What processes read and write, as the kernel counts it (proc_pid_io(5)), without touching the data.

use super::proc;
use super::tree::Seen;

/// Bytes that a process has read and written, whatever from and to; splice(2) is not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transfer {
    /// `rchar`.
    pub read: u64,
    /// `wchar`.
    pub written: u64,
}

impl Transfer {
    /// Asks about one process and those of its children that it has reaped; also about a zombie.
    pub fn of(pid: i32) -> Option<Transfer> {
        parse(&String::from_utf8_lossy(&proc::read(&format!("{pid}/io")).ok()?))
    }

    /// Asks about several.
    pub fn of_all(processes: &[Seen]) -> Transfer {
        let sum = |sum: Transfer, one: Transfer| Transfer {
            read: sum.read + one.read,
            written: sum.written + one.written,
        };
        processes.iter().filter_map(|seen| Transfer::of(seen.pid)).fold(Transfer::default(), sum)
    }
}

fn parse(text: &str) -> Option<Transfer> {
    let number = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    Some(Transfer { read: number("rchar:")?, written: number("wchar:")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_writing_is_counted() {
        let me = std::process::id() as i32;
        let before = Transfer::of(me).unwrap();
        std::fs::write("/dev/null", vec![0; 100_000]).unwrap();
        assert!(Transfer::of(me).unwrap().written >= before.written + 100_000);
    }

    #[test]
    fn the_lines_of_the_kernel_are_read() {
        let text = "rchar: 12\nwchar: 345\nsyscr: 1\n";
        assert_eq!(parse(text), Some(Transfer { read: 12, written: 345 }));
        assert_eq!(parse(""), None);
    }
}
