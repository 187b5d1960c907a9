//! Servers of Debian's that chat's ready scripts talk to, each with files, ports and processes of its own.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{
    DEADLINE, Process, certificates, free_port, is_listening, output_of, postgres_programs, shell, wait_until,
};

/// A server, and what it needs to run. In every text `DIR` is a directory of its own, `PKI` that of the certificates,
/// `PORT0`, `PORT1`… are free ports, and `USER` is who runs the tests.
pub struct Recipe<'a> {
    /// Files and what is in them; a directory's name ends with `/`.
    pub files: &'a [(&'a str, &'a str)],
    /// How many ports it listens on.
    pub ports: usize,
    /// The shell line that becomes the server.
    pub line: &'a str,
    /// The signal that ends it at once and in order.
    pub stop: &'static str,
}

/// A server that listens; it is asked to end when the value goes.
pub struct Daemon {
    /// Its ports.
    pub ports: Vec<String>,
    process: Process,
    stop: &'static str,
    dir: tempfile::TempDir,
}

impl Recipe<'_> {
    /// Starts it and waits until it listens on all its ports.
    pub fn start(&self) -> Daemon {
        // Sockets have short names, and servers that become somebody else must get in.
        let mut place = tempfile::Builder::new();
        let dir = place.permissions(std::fs::Permissions::from_mode(0o755)).tempdir_in("/tmp").unwrap();
        let ports: Vec<String> = (0..self.ports).map(|_| free_port()).collect();
        let filled = |text: &str| fill(text, dir.path(), &ports);
        for (name, content) in self.files {
            let path = dir.path().join(name);
            match name.ends_with('/') {
                true => std::fs::create_dir(path).unwrap(),
                false => std::fs::write(path, filled(content)).unwrap(),
            }
        }
        let process = shell(&filled(self.line));
        let mut daemon = Daemon { ports, process, stop: self.stop, dir };
        daemon.listens();
        daemon
    }
}

fn fill(text: &str, dir: &Path, ports: &[String]) -> String {
    let mut text = text.replace("DIR", &dir.display().to_string());
    text = text.replace("PKI", &certificates().display().to_string());
    text = text.replace("USER", output_of("id", &["-un"]).trim());
    for (at, port) in ports.iter().enumerate() {
        text = text.replace(&format!("PORT{at}"), port);
    }
    text
}

impl Daemon {
    /// `HOST:PORT` of its first port.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.ports[0])
    }

    /// Its first port as a number.
    pub fn port(&self) -> u16 {
        self.ports[0].parse().unwrap()
    }

    /// A file in its directory.
    pub fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    fn listens(&mut self) {
        let ports = self.ports.clone();
        wait_until("the server listens, or has ended", || {
            ports.iter().all(|port| is_listening(port)) || !self.process.is_running()
        });
        if !self.process.is_running() {
            let stderr = self.process.line_with("");
            panic!("the server has ended: {stderr}");
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.process.signal_if_running(self.stop);
        let end = Instant::now() + DEADLINE;
        while self.process.is_running() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Dovecot for IMAP, POP3 and submission, in this order: everybody's password is `secret`. What is submitted goes on to
/// a server at `relay`, and only within TLS.
pub fn dovecot(relay: u16) -> Daemon {
    // Without root it cannot become anybody else.
    let [inner, login, mail] = match rustix::process::geteuid().is_root() {
        true => ["dovecot", "dovenull", "nobody"],
        false => ["USER"; 3],
    };
    let group = |user: &str| {
        let args: &[&str] = if user == "USER" { &["-gn"] } else { &["-gn", user] };
        output_of("id", args).trim().to_owned()
    };
    let users = format!(
        "default_internal_user = {inner}\ndefault_internal_group = {}\ndefault_login_user = {login}\n\
         submission_relay_port = {relay}\nuserdb {{\n driver = static\n args = uid={mail} gid={} home=DIR/mail/%u\n}}\n",
        group(inner),
        group(mail),
    );
    let conf = format!("{DOVECOT}{users}");
    let line = "chmod 777 DIR/mail; exec dovecot -F -c DIR/conf";
    Recipe { files: &[("mail/", ""), ("conf", &conf)], ports: 3, line, stop: "TERM" }.start()
}

// A wrong password delays nobody who comes later: no penalties.
const DOVECOT: &str = "
base_dir = DIR/run
state_dir = DIR/run
log_path = /dev/stderr
protocols = imap pop3 submission
listen = 127.0.0.1
first_valid_uid = 1
ssl_cert = <PKI/server.pem
ssl_key = <PKI/server.key
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
mail_location = maildir:DIR/mail/%u
submission_relay_host = 127.0.0.1
submission_relay_ssl = no
passdb {
  driver = static
  args = password=secret
}
service anvil {
  chroot =
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service imap-login {
  chroot =
  inet_listener imap {
    port = PORT0
  }
  inet_listener imaps {
    port = 0
  }
}
service pop3-login {
  chroot =
  inet_listener pop3 {
    port = PORT1
  }
  inet_listener pop3s {
    port = 0
  }
}
service submission-login {
  chroot =
  inet_listener submission {
    port = PORT2
  }
  inet_listener submissions {
    port = 0
  }
}
";

/// vsftpd for anonymous users alone, with `hello.txt` of 13 bytes. It needs root.
pub fn vsftpd() -> Daemon {
    let conf = "listen=YES\nlisten_address=127.0.0.1\nlisten_port=PORT0\nbackground=NO\nanonymous_enable=YES\n\
                anon_root=DIR/pub\nlocal_enable=NO\nsecure_chroot_dir=DIR/empty\ndelay_failed_login=0\n\
                xferlog_enable=NO\n";
    let files = [("pub/", ""), ("pub/hello.txt", "hello, world\n"), ("empty/", ""), ("conf", conf)];
    Recipe { files: &files, ports: 1, line: "exec vsftpd DIR/conf", stop: "TERM" }.start()
}

/// Redis, which keeps nothing.
pub fn redis() -> Daemon {
    let line = "exec redis-server --bind 127.0.0.1 --port PORT0 --save '' --dir DIR";
    Recipe { files: &[], ports: 1, line, stop: "TERM" }.start()
}

/// memcached.
pub fn memcached() -> Daemon {
    let line = "exec memcached -l 127.0.0.1 -p PORT0 -U 0 -u USER";
    Recipe { files: &[], ports: 1, line, stop: "TERM" }.start()
}

/// nginx with `index.html`, whose length it tells, and `/chunked`, a page in chunks.
pub fn nginx() -> Daemon {
    let conf = "daemon off; master_process off; pid DIR/pid; error_log DIR/error; events {}\n\
                http { access_log off; client_body_temp_path DIR; proxy_temp_path DIR; fastcgi_temp_path DIR;\n\
                uwsgi_temp_path DIR; scgi_temp_path DIR; ssi_types *;\n\
                server { listen 127.0.0.1:PORT0; root DIR/www; location /chunked { ssi on; } } }";
    let page = "<p>from nginx\n";
    let files = [("www/", ""), ("www/index.html", page), ("www/chunked", page), ("conf", conf)];
    Recipe { files: &files, ports: 1, line: "exec nginx -p DIR -e DIR/error -c DIR/conf", stop: "TERM" }
        .start()
}

/// Dropbear, an SSH server, with an Ed25519 key.
pub fn dropbear() -> Daemon {
    let line = "dropbearkey -t ed25519 -f DIR/key >&2 && exec dropbear -F -E -p 127.0.0.1:PORT0 -r DIR/key -P DIR/pid";
    Recipe { files: &[], ports: 1, line, stop: "TERM" }.start()
}

/// PostgreSQL with one user, who needs no password, and with these settings besides; ready to answer. The certificate of
/// localhost is in `DIR/server.pem` and `DIR/server.key`.
pub fn postgres(user: &str, settings: &str) -> Daemon {
    // It refuses to run as root, and to read a key that others may read.
    let as_user = match rustix::process::geteuid().is_root() {
        true => "chown -R nobody DIR && exec setpriv --reuid=65534 --regid=65534 --clear-groups",
        false => "exec",
    };
    let programs = postgres_programs();
    let line = format!(
        "cp PKI/server.pem PKI/server.key DIR && {as_user} sh -c 'cd DIR && \
         {programs}/initdb --no-sync -A trust -U {user} -D DIR/d >/dev/null && \
         exec {programs}/postgres -D DIR/d -p PORT0 -c fsync=off -k DIR -h 127.0.0.1 {settings}'"
    );
    let mut daemon = Recipe { files: &[], ports: 1, line: &line, stop: "INT" }.start();
    daemon.process.line_with("ready to accept connections");
    daemon
}
