//! `resolve`: what the databases of this host say, as lines and as JSON.

use crate::harness::*;

fn json(args: &[&str]) -> serde_json::Value {
    let stdout = spile(args.iter().copied()).ends().exits(0).stdout;
    serde_json::from_slice(&stdout).unwrap()
}

#[test]
fn names_become_addresses_and_addresses_names() {
    let lines = String::from_utf8(spile(["resolve", "localhost"]).ends().exits(0).stdout).unwrap();
    assert!(lines.lines().any(|line| line == "127.0.0.1"), "{lines}");
    spile(["resolve", "-4", "localhost:https"]).ends().exits(0).says("127.0.0.1:443\n");
    spile(["resolve", "127.0.0.1"]).ends().exits(0).says("localhost\n");
    let canonical = json(&["resolve", "-4", "-c", "--json", "localhost:80"]);
    assert_eq!(canonical["schema"], "spile.resolve/1");
    let wanted = serde_json::json!(
        {"name": "localhost", "canonical": "localhost", "port": 80, "addresses": ["127.0.0.1"]}
    );
    assert_eq!(canonical["answers"][0], wanted);
}

#[test]
fn what_is_not_there_has_its_status_and_the_rest_is_still_told() {
    let ended = spile(["resolve", "-4", "no-such-host.invalid", "localhost"]).ends().exits(6);
    ended.says("127.0.0.1\n").complains("no-such-host.invalid");
    let nameless = "cannot find the name of 203.0.113.77: it has none\n";
    spile(["resolve", "203.0.113.77"]).ends().exits(6).complains(nameless);
    spile(["resolve", "localhost:"]).ends().exits(2).complains("'localhost:': the port is missing\n");
    spile(["resolve", ""]).ends().exits(2).complains("'': the name is empty\n");
    spile(["resolve"]).ends().exits(2).complains("nothing to look up");
}

#[test]
fn services_and_protocols_are_found_by_name_and_number() {
    spile(["resolve", "--service", "443"]).ends().exits(0).says("https 443/tcp\n");
    spile(["resolve", "--service", "domain/udp"]).ends().exits(0).says("domain 53/udp\n");
    spile(["resolve", "--protocol", "udp", "--protocol", "6"]).ends().exits(0).says("udp 17\ntcp 6\n");
}

#[test]
fn what_is_found_is_told_whatever_else_is_not() {
    let both = spile(["resolve", "--service", "https", "--service", "no-such"]).ends().exits(6);
    both.says("https 443/tcp\n").complains("'no-such'");
    let mixed = spile(["resolve", "--protocol", "no-such", "--service", "no", "-4", "localhost"]).ends();
    mixed.exits(6).says("127.0.0.1\n");
    let stdout = spile(["resolve", "--service", "no-such", "-i", "--hostname"]).ends().exits(6).stdout;
    assert!(String::from_utf8(stdout).unwrap().contains(" lo up 127.0.0.1"));
}

#[test]
fn a_dot_at_the_end_of_localhost_changes_nothing() {
    spile(["resolve", "-4", "localhost."]).ends().exits(0).says("127.0.0.1\n");
    let port = server(|_| ());
    spile(["connect", "-z", "localhost.", &port.to_string()]).ends().exits(0);
}

#[test]
fn interfaces_and_this_host_are_told() {
    let lo = &json(&["resolve", "--interfaces", "--json"])["answers"][0];
    assert_eq!((&lo["name"], &lo["up"]), (&"lo".into(), &true.into()));
    assert!(lo["addresses"].as_array().unwrap().contains(&"127.0.0.1".into()), "{lo}");
    let name = String::from_utf8(spile(["resolve", "--hostname"]).ends().exits(0).stdout).unwrap();
    let host = nix::unistd::gethostname().unwrap().to_string_lossy().into_owned();
    assert!(name.trim().starts_with(host.split('.').next().unwrap()), "{name} {host}");
}
