//! Cargo's build script: what is told to the linker so that programs start sooner. What is needed of libgcc becomes part
//! of spile: loading libgcc_s.so.1 would be a fifth of the time that `spile run` takes to start a program. What the
//! dynamic linker has to relocate is packed: a tenth of it. What all starts run through stands side by side.

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=scripts/build.rs");
    if !is_native() {
        return;
    }
    if let Err(why) = link_libgcc() {
        // The shared library does as well, only slower.
        println!("cargo:warning=libgcc stays a shared library: {why}");
    }
    if knows_packed_relocations() {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    if is_release() && !has_linker_of_its_own() {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/startup.ld");
        println!("cargo:rerun-if-changed={script}");
        println!("cargo:rustc-link-arg-bins=-Wl,-T,{script}");
    }
}

fn is_release() -> bool {
    std::env::var("PROFILE").is_ok_and(|profile| profile == "release")
}

/// Not all linkers know all of the language of scripts; what rustc takes by itself does.
fn has_linker_of_its_own() -> bool {
    let flags = std::env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    flags.contains("fuse-ld") || flags.contains("linker=") || std::env::var_os("RUSTC_LINKER").is_some()
}

/// True where what is built is for a machine such as this one, with the GNU C library.
fn is_native() -> bool {
    let target = |name| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    target("OS") == "linux" && target("ENV") == "gnu" && std::env::var("HOST") == std::env::var("TARGET")
}

/// The C library reads DT_RELR since 2.36.
fn knows_packed_relocations() -> bool {
    let output = Command::new("getconf").arg("GNU_LIBC_VERSION").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let version = text.trim().strip_prefix("glibc ").and_then(|version| version.split_once('.'));
    let number = |text: &str| text.parse::<u32>().unwrap_or(0);
    version.is_some_and(|(major, minor)| (number(major), number(minor)) >= (2, 36))
}

/// rustc asks for `-lgcc_s`; a linker script of that name, found first, answers with the static ones.
fn link_libgcc() -> Result<(), String> {
    let (exceptions, rest) = (library("libgcc_eh.a")?, library("libgcc.a")?);
    let dir = std::env::var("OUT_DIR").map_err(|why| why.to_string())?;
    let script = format!("GROUP ( {} {} )\n", exceptions.display(), rest.display());
    std::fs::write(Path::new(&dir).join("libgcc_s.so"), script).map_err(|why| why.to_string())?;
    println!("cargo:rustc-link-search=native={dir}");
    Ok(())
}

/// Where the C compiler has a library of its own.
fn library(name: &str) -> Result<PathBuf, String> {
    let output = Command::new("cc").arg(format!("-print-file-name={name}")).output();
    let path = output.map_err(|why| format!("cc: {why}"))?.stdout;
    let path = PathBuf::from(String::from_utf8_lossy(&path).trim());
    if path.is_absolute() && path.exists() { Ok(path) } else { Err(format!("{name} is not installed")) }
}
