//! Letters that mean different things in different ncs: spile takes none of them, and says what to type.

/// The letter, and what to type.
const LETTERS: &[(&str, &str)] = &[
    ("-c", COMMAND),
    ("-e", COMMAND),
    (
        "-i",
        "--idle-timeout TIME ends a silent session (ncat's -i), --delay TIME passes each piece on later (nc's)",
    ),
    ("-l", "'spile listen PORT' listens; in a relay the address does: tcp-l:PORT"),
    ("-t", "telnet's options are not answered (nc's -t); --raw puts the terminal in raw mode"),
    (
        "-x",
        "--capture IN,OUT writes what passes to files (ncat's -x dumps it); --proxy http://HOST:PORT or socks5h:// goes through a proxy (nc's)",
    ),
];

const COMMAND: &str = "a command comes last, after --: spile listen 7000 -- CMD ARG, or -- sh -c LINE";

/// What to type in place of a letter of nc that was typed to connect, listen or relay.
pub fn hint(subcommand: &str, argument: &str) -> Option<&'static str> {
    let speaks_nc = ["connect", "listen", "relay"].contains(&subcommand);
    LETTERS.iter().find(|(letter, _)| speaks_nc && *letter == argument).map(|(_, hint)| *hint)
}
