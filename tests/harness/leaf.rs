//! A certificate of the tests' authority that a test makes for itself, with OpenSSL.

use std::path::Path;
use std::process::Command;

use super::{certificates, start};

/// A directory with a certificate, `leaf.pem`, and its key, `leaf.key`.
pub struct Leaf {
    dir: tempfile::TempDir,
}

impl Leaf {
    /// With this subject and these lines of an OpenSSL configuration as extensions.
    pub fn new(subject: &str, extensions: &str) -> Leaf {
        Leaf::by("ca", subject, extensions)
    }

    /// The same, of another authority: `other-ca` is one that nobody trusts.
    pub fn by(issuer: &str, subject: &str, extensions: &str) -> Leaf {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ext"), extensions).unwrap();
        let line = "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out leaf.key
            openssl req -new -utf8 -key leaf.key -subj \"$SUBJECT\" -out request
            openssl x509 -req -in request -CA $PKI/ISSUER.pem -CAkey $PKI/ISSUER.key -set_serial 77 -days 30 \
                -extfile ext -out leaf.pem";
        run_in(dir.path(), &line.replace("ISSUER", issuer), subject);
        Leaf { dir }
    }

    /// Another line, in its directory.
    pub fn runs(&self, line: &str) {
        run_in(self.dir.path(), line, "");
    }

    /// The path of one of its files.
    pub fn file(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }
}

/// What bash makes of these lines, in which `$PKI` is the directory of the certificates.
pub fn run_in(dir: &Path, lines: &str, subject: &str) {
    let mut command = Command::new("bash");
    command.args(["-ec", lines]).current_dir(dir).env("PKI", certificates()).env("SUBJECT", subject);
    start(command).eof().ends().exits(0);
}

/// Revocation lists: `over.pem` is of the tests' authority and has ended, `other.pem` is of another one, `revokes.pem`
/// takes back the certificate for clients.
pub struct Lists {
    dir: tempfile::TempDir,
}

impl Lists {
    pub fn new() -> Lists {
        let dir = tempfile::tempdir().unwrap();
        let lines = "mkdir new && : >index && echo 01 >number
            printf '[ca]\\ndefault_ca=x\\n[x]\\ndatabase=index\\ndefault_md=sha256\\nnew_certs_dir=new\\n' >conf
            printf 'crlnumber=number\\ncrl_extensions=list\\n[list]\\nauthorityKeyIdentifier=keyid\\n' >>conf
            openssl ca -config conf -gencrl -cert $PKI/ca.pem -keyfile $PKI/ca.key -crl_lastupdate 20200101000000Z \
                -crl_nextupdate 20200201000000Z -out over.pem
            openssl ca -config conf -gencrl -cert $PKI/other-ca.pem -keyfile $PKI/other-ca.key -crldays 30 \
                -out other.pem
            openssl ca -config conf -revoke $PKI/client.pem -cert $PKI/ca.pem -keyfile $PKI/ca.key
            openssl ca -config conf -gencrl -cert $PKI/ca.pem -keyfile $PKI/ca.key -crldays 30 -out revokes.pem";
        run_in(dir.path(), lines, "");
        Lists { dir }
    }

    /// The path of one of them.
    pub fn file(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }
}
