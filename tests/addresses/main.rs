//! Addresses, their families and options; proxies; the words that spile is started with.

#[path = "../harness/mod.rs"]
mod harness;

mod address_families;
mod families;
mod options_take_effect;
mod proxies;
mod proxy_headers;
mod readline;
mod resolve;
mod strange_words;
mod usage;
