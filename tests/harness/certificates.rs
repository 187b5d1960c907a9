//! Certificates made by OpenSSL, once for all tests: certificates.sh says which.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const RECIPE: &str = include_str!("certificates.sh");

/// The directory of all certificates; whoever changes the recipe gets new ones.
pub fn certificates() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| {
        let mut hasher = DefaultHasher::new();
        RECIPE.hash(&mut hasher);
        let place =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("certificates-{:x}", hasher.finish()));
        if !place.exists() {
            make(&place);
        }
        place
    })
}

/// The path of one of the files, such as `ca.pem`.
pub fn certificate(name: &str) -> String {
    let path = certificates().join(name);
    assert!(path.exists(), "certificates.sh makes no {name}");
    path.display().to_string()
}

/// Made aside and moved there whole, since other test programs may be at it, too.
fn make(place: &Path) {
    let aside = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let output = Command::new("sh").args(["-c", RECIPE]).current_dir(&aside).output().unwrap();
    assert!(output.status.success(), "openssl: {}", String::from_utf8_lossy(&output.stderr));
    let aside = aside.keep();
    if std::fs::rename(&aside, place).is_err() {
        std::fs::remove_dir_all(&aside).unwrap();
        assert!(place.exists(), "no certificates at {}", place.display());
    }
}
