//! The shell lines of spile-python-ssl(7) print what the page says, and each name of Python's ssl has its row.

use std::collections::BTreeMap;

use crate::harness::*;

/// Names that this Python may no longer have, or not yet: 2.7 and 3.6 to 3.15, on all systems.
const OTHERS: &[(&str, &str)] = &[
    (
        "THE MODULE",
        "wrap_socket sslwrap_simple match_hostname get_protocol_name RAND_egd RAND_pseudo_bytes socket_error \
         PROTOCOL_SSLv2 PROTOCOL_SSLv3 HAS_NPN HAS_PSK HAS_PSK_TLS13 HAS_PHA HAS_NEVER_CHECK_COMMON_NAME \
         OP_LEGACY_SERVER_CONNECT OP_ENABLE_KTLS OP_IGNORE_UNEXPECTED_EOF OP_ENABLE_MIDDLEBOX_COMPAT \
         VERIFY_X509_PARTIAL_CHAIN VERIFY_ALLOW_PROXY_CERTS enum_certificates enum_crls",
    ),
    (
        "SSLCONTEXT",
        "set_npn_protocols set_psk_client_callback set_psk_server_callback security_level set_groups get_groups \
         set_client_sigalgs set_server_sigalgs",
    ),
    (
        "SSLSOCKET AND SSLOBJECT",
        "selected_npn_protocol get_verified_chain get_unverified_chain group client_sigalg server_sigalg",
    ),
];

/// The names of this Python as JSON, by the heading of the page; a socket's are left out that are not TLS's.
const NAMES: &str = "import inspect, json, socket, ssl
def public(thing, but=()):
    return [name for name in dir(thing) if not name.startswith('_') and name not in but]
inherited = set(dir(socket.socket)) - set(ssl.SSLSocket.__dict__)
print(json.dumps({
    'THE MODULE': [name for name in public(ssl) if not inspect.ismodule(getattr(ssl, name))],
    'SSLCONTEXT': public(ssl.SSLContext),
    'SSLSOCKET AND SSLOBJECT': public(ssl.SSLSocket, inherited) + public(ssl.SSLObject),
    'MEMORYBIO': public(ssl.MemoryBIO),
    'SSLSESSION': public(ssl.SSLSession),
}))";

fn page() -> Page {
    Page::read("spile-python-ssl.7")
}

#[test]
fn each_row_does_what_the_page_says() {
    // Most of the time is spent waiting: --check hears the server out for a second.
    page().examples_print_what_they_say(Beginning::FirstExample, 40);
}

#[test]
fn every_name_of_the_module_and_its_classes_has_its_row() {
    let names = output_of("python3", &["-c", NAMES]);
    let mut names: BTreeMap<String, Vec<String>> = serde_json::from_str(&names).unwrap();
    for (heading, others) in OTHERS {
        names.get_mut(*heading).unwrap().extend(others.split_whitespace().map(str::to_owned));
    }
    let rows = page().names();
    for (heading, names) in names {
        assert!(names.len() > 4, "Python has lost the names of {heading}");
        let missing: Vec<_> = names.iter().filter(|name| !rows[&heading].contains(*name)).collect();
        assert!(missing.is_empty(), "no row under {heading} for {missing:?}");
    }
}
