//! `spile cert`.

#[path = "../harness/mod.rs"]
mod harness;

mod files;
mod make;
mod places;
mod show;
mod verify;
