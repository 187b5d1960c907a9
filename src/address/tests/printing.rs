//! That printing loses nothing, and that no text is too strange to be read.

use std::path::PathBuf;

use proptest::prelude::*;

use super::super::option_table::{OPTIONS, Takes};
use super::super::scheme_table::{Kind, SCHEMES};
use super::super::*;

fn any_value(takes: Takes) -> BoxedStrategy<Value> {
    match takes {
        Takes::Flag => any::<bool>().prop_map(Value::Flag).boxed(),
        Takes::Time => (0..1_000_000_u64, 0..1_000_000_000_u32)
            .prop_map(|(s, n)| Value::Time(std::time::Duration::new(s, n)))
            .boxed(),
        Takes::Size => any::<u32>().prop_map(|n| Value::Size(n.into())).boxed(),
        Takes::Number(low, high) => (low..=high).prop_map(Value::Number).boxed(),
        Takes::Tries => (0..=i64::MAX).prop_map(Value::Number).boxed(),
        Takes::Mode => (0..0o7777_u32).prop_map(Value::Mode).boxed(),
        Takes::Text | Takes::Or(_) => "[ -~é]{1,12}".prop_map(Value::Text).boxed(),
        Takes::Choice(words) => prop::sample::select(words).prop_map(|w| Value::Text(w.to_owned())).boxed(),
        Takes::Url => Just(Value::Text("socks5h://me@[::1]:1080".to_owned())).boxed(),
        Takes::Word(words) => prop::sample::select(words).prop_map(|w| Value::Text(w.to_owned())).boxed(),
    }
}

fn any_options(groups: u32, part: Part) -> BoxedStrategy<Options> {
    let rows: Vec<_> = OPTIONS.iter().filter(|row| row.fits(groups, part)).collect();
    if rows.is_empty() {
        return Just(Options::default()).boxed();
    }
    let one = prop::sample::select(rows).prop_flat_map(|row| (Just(row.key), any_value(row.takes)));
    prop::collection::vec(one, 0..4)
        .prop_map(|given| {
            let mut options = Options::default();
            options.extend(given);
            options
        })
        .boxed()
}

fn any_host() -> BoxedStrategy<Host> {
    prop_oneof![
        Just(Host::Any),
        "[a-z0-9][a-z0-9.-]{0,10}".prop_map(Host::Name),
        any::<std::net::Ipv6Addr>().prop_map(|ip| Host::Name(ip.to_string())),
    ]
    .boxed()
}

fn any_target(kind: Kind) -> BoxedStrategy<Target> {
    let path = "[ -~é]{1,12}";
    let port =
        prop_oneof![(1..=u16::MAX).prop_map(Port::Number), "[a-z][a-z0-9-]{0,8}".prop_map(Port::Service)];
    match kind {
        Kind::Stdio => Just(Target::Stdio).boxed(),
        Kind::Net(net, family) => {
            (any_host(), port).prop_map(move |(host, port)| Target::Net { net, family, host, port }).boxed()
        }
        Kind::Unix(kind) => prop_oneof![
            path.prop_filter("an @ is abstract", |p| !p.starts_with('@'))
                .prop_map(move |p| Target::Unix { kind, name: UnixName::Path(PathBuf::from(p)) }),
            path.prop_map(move |p| Target::Unix { kind, name: UnixName::Abstract(p) }),
        ]
        .boxed(),
        Kind::Abstract => {
            path.prop_map(|p| Target::Unix { kind: UnixKind::Stream, name: UnixName::Abstract(p) }).boxed()
        }
        Kind::Vsock => {
            (any::<Option<u32>>(), any::<u32>()).prop_map(|(cid, port)| Target::Vsock { cid, port }).boxed()
        }
        Kind::File => path.prop_map(|p| Target::File(p.into())).boxed(),
        Kind::Fifo => path.prop_map(|p| Target::Fifo(p.into())).boxed(),
        Kind::Fd => (0..1000).prop_map(Target::Fd).boxed(),
        Kind::Exec => ("[a-z/]{1,6}", prop::collection::vec("[ -~\n]{0,8}", 0..4))
            .prop_map(|(first, rest)| Target::Exec(std::iter::once(first).chain(rest).collect()))
            .boxed(),
        Kind::Shell => "[ -~\n]{1,20}".prop_map(Target::Shell).boxed(),
        Kind::Text => any::<Vec<u8>>().prop_map(Target::Text).boxed(),
        Kind::Systemd => prop::option::of("[a-z,]{1,6}").prop_map(Target::Systemd).boxed(),
        Kind::Pty => Just(Target::Pty).boxed(),
        Kind::Null => Just(Target::Null).boxed(),
        Kind::Echo => Just(Target::Echo).boxed(),
        Kind::Discard => Just(Target::Discard).boxed(),
        Kind::Zero => Just(Target::Zero).boxed(),
    }
}

fn any_end() -> impl Strategy<Value = End> {
    (prop::sample::select(SCHEMES.iter().collect::<Vec<_>>()), any::<bool>()).prop_flat_map(
        |(scheme, listen)| {
            let listening = matches!(scheme.kind, Kind::Systemd) || (listen && scheme.listens);
            let part = if listening { Part::Listening } else { Part::Connecting };
            (any_target(scheme.kind), any_options(scheme.groups, part))
                .prop_map(move |(target, options)| End { target, layer: scheme.layer, listening, options })
        },
    )
}

fn any_address() -> impl Strategy<Value = Address> {
    let joinable = |end: &End| {
        !end.listening && !matches!(end.target, Target::Exec(_) | Target::Shell(_) | Target::Text(_))
    };
    prop_oneof![
        3 => any_end().prop_map(Address::One),
        1 => (any_end(), any_end())
            .prop_filter("ends that can be joined", move |(a, b)| joinable(a) && !b.listening)
            .prop_map(|(a, b)| Address::Dual(a, b)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_reads_as_the_same(address in any_address()) {
        let text = address.to_string();
        prop_assert_eq!(Address::parse(&text, Role::Relay), Ok(address), "{}", text);
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        for role in [Role::Connect, Role::Listen, Role::Relay] {
            let _ = Address::parse(&text, role);
        }
    }

    #[test]
    fn no_text_like_an_address_panics(text in r#"(tcp|udp|unix|exec|text|sh|fd|-|@|/|\[)?(-l)?[a-z0-9:,=\\"'\[\]%!./ -]{0,24}"#) {
        for role in [Role::Connect, Role::Listen, Role::Relay] {
            if let Ok(address) = Address::parse(&text, role) {
                let _ = (address.describe(), address.explain());
                let printed = address.to_string();
                prop_assert_eq!(Address::parse(&printed, role), Ok(address), "{}", printed);
            }
        }
    }
}
