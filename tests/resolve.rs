//! `resolve`: what the databases of this host say, as lines and as JSON.

mod harness;

use harness::*;

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
    spile(["resolve", "203.0.113.77"]).ends().exits(6).complains("203.0.113.77");
    spile(["resolve"]).ends().exits(2).complains("nothing to look up");
}

#[test]
fn services_and_protocols_are_found_by_name_and_number() {
    spile(["resolve", "--service", "443"]).ends().exits(0).says("https 443/tcp\n");
    spile(["resolve", "--service", "domain/udp"]).ends().exits(0).says("domain 53/udp\n");
    spile(["resolve", "--protocol", "udp", "--protocol", "6"]).ends().exits(0).says("udp 17\ntcp 6\n");
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
