//! Resource limits by name, as `ulimit` and prlimit(1) know them.

use nix::libc;

use super::program::Limit;

/// Names with their RLIMIT_… numbers, getrlimit(2).
const RESOURCES: [(&str, u32); 15] = [
    ("as", libc::RLIMIT_AS),
    ("core", libc::RLIMIT_CORE),
    ("cpu", libc::RLIMIT_CPU),
    ("data", libc::RLIMIT_DATA),
    ("fsize", libc::RLIMIT_FSIZE),
    ("locks", libc::RLIMIT_LOCKS),
    ("memlock", libc::RLIMIT_MEMLOCK),
    ("msgqueue", libc::RLIMIT_MSGQUEUE),
    ("nice", libc::RLIMIT_NICE),
    ("nofile", libc::RLIMIT_NOFILE),
    ("nproc", libc::RLIMIT_NPROC),
    ("rss", libc::RLIMIT_RSS),
    ("rtprio", libc::RLIMIT_RTPRIO),
    ("sigpending", libc::RLIMIT_SIGPENDING),
    ("stack", libc::RLIMIT_STACK),
];

/// The name of a resource.
pub fn name(resource: u32) -> &'static str {
    RESOURCES.iter().find(|(_, number)| *number == resource).map_or("?", |(name, _)| name)
}

/// Reads `NAME=SOFT[:HARD]`; a value is a number with K, M or G, or `unlimited`. Without HARD both are the same.
pub fn parse(text: &str) -> Result<Limit, String> {
    let (word, value) = text.split_once('=').ok_or_else(|| format!("'{text}' is not NAME=VALUE"))?;
    let (_, resource) =
        RESOURCES.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).ok_or_else(|| {
            let names: Vec<&str> = RESOURCES.iter().map(|(name, _)| *name).collect();
            format!("'{word}' is no limit; there are {}", names.join(" "))
        })?;
    let (soft, hard) = value.split_once(':').unwrap_or((value, value));
    let limit = Limit { resource: *resource, soft: amount(soft)?, hard: amount(hard)? };
    match limit.soft <= limit.hard {
        true => Ok(limit),
        false => Err(format!("'{value}': the soft limit is above the hard one")),
    }
}

fn amount(text: &str) -> Result<u64, String> {
    match text {
        "unlimited" | "infinity" => Ok(libc::RLIM_INFINITY),
        _ => crate::address::size(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_with_units() {
        let limit = |soft, hard| Ok(Limit { resource: libc::RLIMIT_AS, soft, hard });
        assert_eq!(parse("as=1G"), limit(1 << 30, 1 << 30));
        assert_eq!(parse("AS=64KiB:unlimited"), limit(64 << 10, libc::RLIM_INFINITY));
        for text in ["as", "as=", "as=x", "as=2:1", "nope=1", "as=99999999999G"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
