//! Cargo's build script. Links what is needed of libgcc into spile: loading libgcc_s.so.1 would be a fifth of the time
//! that `spile run` takes to start a program.

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=scripts/build.rs");
    if let Err(why) = link_libgcc() {
        // The shared library does as well, only slower.
        println!("cargo:warning=libgcc stays a shared library: {why}");
    }
}

/// rustc asks for `-lgcc_s`; a linker script of that name, found first, answers with the static ones.
fn link_libgcc() -> Result<(), String> {
    let target = |name| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    if target("OS") != "linux" || target("ENV") != "gnu" || std::env::var("HOST") != std::env::var("TARGET") {
        return Ok(());
    }
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
