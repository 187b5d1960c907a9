//! Flags for services: which ones run beside the program, and when they count as ready.

use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command, Error};
use regex::bytes::Regex;

use super::retries::{CommandLine, command_line};
use crate::commands::flags::duration;
use crate::services::{Ready, Show, Wanted};

/// Where a URL without a port points to.
const HTTP_PORT: u16 = 80;

/// `--with`, each with the `--ready` that follow it.
#[derive(Clone, Debug)]
pub struct ServiceArgs {
    /// The services in their order.
    pub wanted: Vec<Wanted>,
    /// How long each may take to get ready.
    pub patience: Duration,
    /// What happens to their output.
    pub show: Show,
}

/// `[NAME=]CMD`.
#[derive(Clone, Debug)]
struct With {
    name: String,
    command: CommandLine,
}

fn with(text: &str) -> Result<With, String> {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    };
    let (name, line) = match text.split_once('=') {
        Some((name, line)) if is_name(name) => (Some(name.to_owned()), line),
        _ => (None, text),
    };
    let command = command_line(line)?;
    let program = command.0[0].to_string_lossy().into_owned();
    let short = program.rsplit('/').next().unwrap_or_default().to_owned();
    Ok(With { name: name.unwrap_or(short), command })
}

fn ready(text: &str) -> Result<Ready, String> {
    if let Some(pattern) = text.strip_prefix("line:") {
        return Regex::new(pattern).map(Ready::Line).map_err(|why| why.to_string());
    }
    if let Some(line) = text.strip_prefix("cmd:") {
        return command_line(line).map(|CommandLine(argv)| Ready::Command(argv));
    }
    if let Some(rest) = text.strip_prefix("unix+http:") {
        let (path, page) = rest.split_once(':').unwrap_or((rest, "/"));
        return page_of(format!("unix:{path}"), "localhost".to_owned(), page);
    }
    if text.starts_with("https://") {
        return Err("https comes with TLS; cmd:'curl -fsk URL' asks meanwhile".to_owned());
    }
    let Some(rest) = text.strip_prefix("http://") else { return Ok(Ready::Address(local(text))) };
    let at = rest.find('/').unwrap_or(rest.len());
    let (host, page) = rest.split_at(at);
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let place = if has_port { host.to_owned() } else { format!("{host}:{HTTP_PORT}") };
    page_of(format!("tcp:{place}"), host.to_owned(), page)
}

fn page_of(address: String, host: String, page: &str) -> Result<Ready, String> {
    let path = if page.is_empty() { "/" } else { page };
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if !path.starts_with('/') || !is_plain(path) || !is_plain(&host) {
        return Err(format!("'{path}' is no path of a URL"));
    }
    Ok(Ready::Http { address, host, path: path.to_owned() })
}

/// A port alone is one of this host.
fn local(text: &str) -> String {
    let port = text.strip_prefix("tcp:").unwrap_or(text);
    match port.parse::<u16>() {
        Ok(port) => format!("localhost:{port}"),
        Err(_) => text.to_owned(),
    }
}

impl clap::Args for ServiceArgs {
    fn augment_args(command: Command) -> Command {
        let flag = |name: &'static str, value: &'static str, help: &'static str| {
            Arg::new(name).long(name).value_name(value).help(help).help_heading("Services")
        };
        command
            .arg(
                flag(
                    "with",
                    "[NAME=]CMD",
                    "Start this first and end it afterwards; it is split into words, its stdin is empty",
                )
                .action(ArgAction::Append)
                .value_parser(with),
            )
            .arg(
                flag(
                    "ready",
                    "WHEN",
                    "When the service before it is ready: an address that answers, http://HOST:PORT/PATH, \
                     unix+http:SOCKET:/PATH, line:REGEX of its output, or cmd:'CMD' that succeeds",
                )
                .action(ArgAction::Append)
                .requires("with")
                .value_parser(ready),
            )
            .arg(
                flag("ready-timeout", "TIME", "How long each service may take to get ready")
                    .default_value("30s")
                    .value_parser(duration),
            )
            .arg(
                flag("show-services", "", "Show the output of services on stderr, the name before each line")
                    .action(ArgAction::SetTrue),
            )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for ServiceArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<ServiceArgs, Error> {
        let services = placed::<With>(matches, "with");
        let signs = placed::<Ready>(matches, "ready");
        let mut wanted: Vec<(usize, Wanted)> = Vec::new();
        for (at, With { name, command: CommandLine(argv) }) in services {
            wanted.push((at, Wanted { name, argv, ready: Vec::new() }));
        }
        for (at, ready) in signs {
            let Some((_, service)) = wanted.iter_mut().rev().find(|(with, _)| *with < at) else {
                let text = "--ready stands before every --with; it belongs after its service\n";
                return Err(Error::raw(clap::error::ErrorKind::ArgumentConflict, text));
            };
            service.ready.push(ready);
        }
        let show = if matches.get_flag("show-services") { Show::AtOnce } else { Show::OnFailure };
        let patience = matches.get_one("ready-timeout").copied().unwrap_or_default();
        Ok(ServiceArgs { wanted: wanted.into_iter().map(|(_, wanted)| wanted).collect(), patience, show })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = ServiceArgs::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The values of a flag with their places on the command line.
fn placed<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, name: &str) -> Vec<(usize, T)> {
    let values = matches.get_many::<T>(name).into_iter().flatten().cloned();
    matches.indices_of(name).into_iter().flatten().zip(values).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_told_from_a_command() {
        let name = |text| with(text).map(|with| with.name);
        assert_eq!(name("db=postgres -D d"), Ok("db".to_owned()));
        assert_eq!(name("/usr/bin/env A=1 server"), Ok("env".to_owned()));
        assert!(with("").is_err());
    }

    #[test]
    fn signs_are_read() {
        assert!(matches!(ready("tcp:5432"), Ok(Ready::Address(address)) if address == "localhost:5432"));
        assert!(matches!(ready("5432"), Ok(Ready::Address(address)) if address == "localhost:5432"));
        assert!(matches!(ready("http://a/b"), Ok(Ready::Http { address, host, path })
            if address == "tcp:a:80" && host == "a" && path == "/b"));
        assert!(matches!(ready("unix+http:/run/s:/_ping"), Ok(Ready::Http { address, path, .. })
            if address == "unix:/run/s" && path == "/_ping"));
        assert!(ready("https://a/").is_err_and(|why| why.contains("TLS")));
        assert!(ready("line:(").is_err());
    }
}
