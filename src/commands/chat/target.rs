//! Whom to talk to: the address that is typed, with what conversations need of it.

use crate::address::{Address, End, Key, Layer, Net, Role, Target as Named, UnixKind, Value};
use crate::certificate::escaped;
use crate::chat::{Expect, Op, Script, Step};
use crate::commands::flags::terminal_size;
use crate::commands::reading::ReadingArgs;
use crate::commands::words::{AddressFlags, Converses};
use crate::error::Failure;

/// Columns and rows of a terminal when not said otherwise, so that programs do everywhere the same.
const USUAL: (u16, u16) = (80, 24);

/// How a program on a terminal is run.
#[derive(Clone, Copy, Debug, clap::Args)]
#[command(next_help_heading = "Programs")]
pub struct ProgramArgs {
    /// Size of the terminal of pty: (80x24)
    #[arg(long, value_name = "COLSxROWS", value_parser = terminal_size)]
    size: Option<(u16, u16)>,
    /// The terminal of pty: echoes what it is told
    #[arg(long)]
    echo: bool,
    /// How long a program may take to end after the conversation, and again after HUP and TERM, before KILL; whom HUP
    /// ends has status 129 for .exit; a terminal that pty,raw: made raw is hung up at once, as ^D is no end there, unless
    /// .exit asks for the program's status
    #[arg(long, value_name = "TIME", value_parser = crate::commands::flags::duration, default_value = "2s")]
    pub grace: std::time::Duration,
}

/// Whether a step begins TLS; before it there is none, whatever the address says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartTls {
    /// None does.
    Never,
    /// One does.
    ByStep,
}

impl StartTls {
    /// What these scripts do.
    pub fn of<'a>(scripts: impl IntoIterator<Item = &'a Script>) -> StartTls {
        let mut steps = scripts.into_iter().flat_map(|script| &script.steps);
        match steps.any(|step| step.op == Op::StartTls) {
            true => StartTls::ByStep,
            false => StartTls::Never,
        }
    }
}

/// Whom to talk to.
pub struct Target {
    /// As it is opened, or listened on.
    pub address: Address,
    /// What is spoken from the first byte on, where no step begins TLS.
    layer: Layer,
}

impl Target {
    /// Reads what is typed: a target for each text. TLS is part of it where a step begins it, so that its options can
    /// be said.
    pub fn read(
        texts: &[&str],
        starttls: StartTls,
        reading: &ReadingArgs,
        program: ProgramArgs,
        flags: &AddressFlags<Converses>,
    ) -> Result<Vec<Target>, Failure> {
        let (mut targets, mut role, mut has_terminal) = (Vec::new(), Role::Connect, false);
        for text in texts {
            let (mut address, own_role) = parse(text)?;
            let mut layer = Layer::Plain;
            role = own_role;
            for end in address.ends() {
                layer = end.layer;
                has_terminal |= program.apply(end);
                if starttls == StartTls::ByStep {
                    secure(end)?;
                }
            }
            targets.push(Target { address, layer });
        }
        let given = [("--size", program.size.is_some()), ("--echo", program.echo)];
        if let Some((flag, _)) = given.iter().find(|(_, given)| *given && !has_terminal) {
            return Err(Failure::usage(*flag, format!("is not for {}", texts.join(" or ")))
                .hint("pty:'CMD' is a program on a terminal"));
        }
        reading.configure(targets.iter_mut().map(|target| &mut target.address), &flags.options, role)?;
        Ok(targets)
    }

    /// What is spoken from the first byte on, where no step begins TLS.
    pub fn layer(&self) -> Layer {
        self.layer
    }

    /// As it is opened for a script.
    pub fn address_for(&self, script: &Script) -> Address {
        self.address.clone().over(match StartTls::of([script]) {
            StartTls::ByStep => Layer::Plain,
            StartTls::Never => self.layer,
        })
    }

    /// What `>` adds when not said otherwise.
    pub fn eol(&self) -> &'static [u8] {
        let (Address::One(end) | Address::Dual(_, end)) = &self.address;
        match &end.target {
            Named::Net { .. } | Named::Unix { .. } | Named::Vsock { .. } | Named::Systemd(_) => b"\r\n",
            Named::Pty => b"\r",
            Named::Exec(_) | Named::Shell(_) if end.options.flag(Key::PtyFlag) == Some(true) => b"\r",
            _ => b"\n",
        }
    }

    /// Fails for a step that means nothing here.
    pub fn check(&self, step: &Step) -> Result<(), Failure> {
        let bad = |why: String| Failure::usage(escaped(&format!("{}: {}", step.place, step.text)), why);
        match &step.op {
            Op::Exit(None) if !self.is_program() => {
                let why = format!("would exit as the program does, and {} is none", self.address);
                Err(bad(why).hint(".exit 0, or another number"))
            }
            Op::Send { text, has_eol: false } | Op::Expect(Expect::RawStart(text))
                if text.is_empty() && self.is_stream() =>
            {
                let why = format!("is an empty message, and {} is a stream of bytes", self.address);
                Err(bad(why).hint("> alone is an empty line, = alone hears one"))
            }
            _ => Ok(()),
        }
    }

    /// Whether it is a program, which has a status.
    fn is_program(&self) -> bool {
        self.has(|end| matches!(end.target, Named::Exec(_) | Named::Shell(_)))
    }

    /// Whether it surely has no messages.
    fn is_stream(&self) -> bool {
        let is_stream = |end: &End| match &end.target {
            Named::Net { net, .. } => *net == Net::Tcp,
            Named::Unix { kind, .. } => *kind == UnixKind::Stream,
            Named::Exec(_) | Named::Shell(_) | Named::Pty | Named::Stdio => true,
            _ => false,
        };
        self.has(is_stream)
    }

    /// Whether it is our own stdin and stdout.
    pub fn is_stdio(&self) -> bool {
        self.has(|end| end.target == Named::Stdio)
    }

    fn has(&self, is_it: impl Fn(&End) -> bool) -> bool {
        match &self.address {
            Address::One(end) => is_it(end),
            Address::Dual(read, write) => is_it(read) || is_it(write),
        }
    }
}

/// `listen:` makes a server of any address; all others are what they say they are.
pub fn parse(text: &str) -> Result<(Address, Role), Failure> {
    if let Some(rest) = text.strip_prefix("listen:") {
        return Ok((Address::parse(rest, Role::Listen)?, Role::Listen));
    }
    let address = Address::parse(text, Role::Relay)?;
    match address.listener() {
        Some(_) => Ok((address, Role::Relay)),
        // A bare path is a socket here.
        None => Ok((Address::parse(text, Role::Connect)?, Role::Connect)),
    }
}

/// Makes TLS part of an address that can have it.
fn secure(end: &mut End) -> Result<(), Failure> {
    let has_tls = matches!(
        end.target,
        Named::Net { net: Net::Tcp, .. } | Named::Unix { kind: UnixKind::Stream, .. } | Named::Vsock { .. }
    );
    if !has_tls {
        return Err(Failure::usage(".starttls", format!("is not for {end}")).hint("HOST:PORT or unix:PATH"));
    }
    if end.options.has(Key::Starttls) {
        return Err(Failure::usage("option 'starttls'", "and a step .starttls would begin TLS twice"));
    }
    end.layer = Layer::Tls;
    Ok(())
}

impl ProgramArgs {
    /// Gives a program's terminal what is said of it, or what is usual; false for what has none.
    fn apply(self, end: &mut End) -> bool {
        let is_program = matches!(end.target, Named::Exec(_) | Named::Shell(_));
        if !is_program || end.options.flag(Key::PtyFlag) != Some(true) {
            return false;
        }
        let (cols, rows) = self.size.unwrap_or(USUAL);
        let usual = [
            (Key::Cols, Value::Number(cols.into())),
            (Key::Rows, Value::Number(rows.into())),
            // What is said would be heard again.
            (Key::Echo, Value::Flag(self.echo)),
        ];
        for (key, value) in usual {
            if !end.options.has(key) {
                end.options.push(key, value);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listen_makes_a_server_of_any_address() {
        for text in ["listen:7000", "listen:tcp:127.0.0.1:0", "tcp-l:7000", "listen:unix:/run/x", "tls-l:1"] {
            let (address, _) = parse(text).unwrap();
            assert!(address.listener().is_some(), "{text}");
        }
        for text in ["h:80", "run:cat", "pty:cat", "-", "/run/x"] {
            assert!(parse(text).unwrap().0.listener().is_none(), "{text}");
        }
        assert!(parse("7000").is_err());
    }

    #[test]
    fn lines_end_as_the_peer_expects() {
        let eol = |text: &str| Target { address: parse(text).unwrap().0, layer: Layer::Plain }.eol();
        assert_eq!(["h:80", "/run/x", "udp:h:1"].map(eol), [b"\r\n", b"\r\n", b"\r\n"]);
        assert_eq!(["run:cat", "sh:cat", "-"].map(eol), [b"\n", b"\n", b"\n"]);
        assert_eq!(eol("pty:cat"), b"\r");
    }

    #[test]
    fn a_terminal_has_a_size_and_no_echo() {
        let (mut address, _) = parse("pty,rows=5:cat").unwrap();
        let program = ProgramArgs { size: None, echo: false, grace: std::time::Duration::ZERO };
        let end = address.ends().remove(0);
        assert!(program.apply(end));
        let options = &end.options;
        assert_eq!((options.number(Key::Cols), options.number(Key::Rows)), (Some(80), Some(5)));
        assert_eq!(options.flag(Key::Echo), Some(false));
    }
}
