//! Both ways against the programs that people use today, as clients and as servers.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::path::Path;

use crate::harness::*;

fn with_port(args: &[&str], port: &str) -> Vec<String> {
    args.iter().map(|arg| arg.replace("PORT", port)).collect()
}

const REQUEST: &[u8] = b"a request\nof two lines\n";

/// `client` talks to a spile that turns letters; it must get the whole answer after its end of file.
fn their_client(name: &str, args: &[&str]) {
    let bytes = noise(5, 300_000);
    let mut relay = spile(["relay", "tcp-l:127.0.0.1:0", "echo"]);
    let port = relay.port().to_string();
    let args = with_port(args, &port);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut client = program(name, &args);
    client.write(REQUEST);
    client.read(REQUEST);
    client.write(&bytes);
    let ended = client.eof().ends().exits(0);
    assert!(ended.stdout == bytes, "{name}: {} of {} bytes", ended.stdout.len(), bytes.len());
}

#[test]
fn clients_of_others_get_everything_from_our_relay() {
    their_client("socat", &["-t5", "-", "TCP:127.0.0.1:PORT"]);
    their_client("ncat", &["127.0.0.1", "PORT"]);
    their_client("nc.openbsd", &["-N", "127.0.0.1", "PORT"]);
    their_client("busybox", &["nc", "127.0.0.1", "PORT"]);
}

#[test]
fn our_client_talks_to_their_servers_and_half_closes() {
    let servers: [(&str, &[&str]); 2] = [
        ("socat", &["-t5", "TCP-LISTEN:PORT,bind=127.0.0.1,reuseaddr", "SYSTEM:cat; echo end"]),
        ("socat", &["-t5", "TCP6-LISTEN:PORT,bind=[::1],reuseaddr", "SYSTEM:cat; echo end"]),
    ];
    for (name, args) in servers {
        let port = free_port();
        let args = with_port(args, &port);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let _server = peer(name, &args, &port);
        let wanted = [REQUEST, b"end\n"].concat();
        spile(["connect", "localhost", &port]).sends(REQUEST).eof().ends().exits(0).says(wanted);
    }
}

#[test]
fn our_client_talks_to_a_program_behind_ncat() {
    let port = free_port();
    // ncat 7.93 loses what its program says after our end of file, so the program does not wait for it.
    let script = "read a; read b; echo $b; echo $a";
    let _server = peer("ncat", &["-l", "-k", "127.0.0.1", &port, "--sh-exec", script], &port);
    spile(["connect", "127.0.0.1", &port]).sends("1\n2\n").ends().exits(0).says("2\n1\n");
    let mut relay = spile(["relay", "tcp-l:127.0.0.1:0", &format!("127.0.0.1:{port}")]);
    program("ncat", &["127.0.0.1", &relay.port().to_string()]).sends("1\n2\n").gets("2\n1\n");
}

#[test]
fn our_client_sends_to_a_listening_nc_and_receives_from_it() {
    for (name, prefix, suffix) in [
        ("nc.openbsd", &["-N", "-l"][..], &["127.0.0.1"][..]),
        ("busybox", &["nc", "-l", "-p"], &[]), // it cannot be told an address
        ("ncat", &["-l", "127.0.0.1"], &[]),
    ] {
        let port = free_port();
        let mut args = prefix.to_vec();
        match name {
            "nc.openbsd" => args.extend([suffix[0], &port]),
            _ => args.push(&port),
        }
        let server = peer(name, &args, &port).sends("from the server");
        let client = spile(["connect", "127.0.0.1", &port]).gets("from the server").sends(REQUEST).eof();
        let said = server.gets(REQUEST).eof().ends();
        assert!(said.stdout.is_empty(), "{name}");
        client.ends().exits(0);
    }
}

#[test]
fn our_listener_serves_the_clients_of_others() {
    let clients: [(&str, &[&str]); 4] = [
        ("socat", &["-t5", "-", "TCP:127.0.0.1:PORT"]),
        ("ncat", &["127.0.0.1", "PORT"]),
        ("nc.openbsd", &["-N", "127.0.0.1", "PORT"]),
        ("busybox", &["nc", "127.0.0.1", "PORT"]),
    ];
    let mut listener = spile(["listen", "-k", "0", "--", "sh", "-c", "sort -r; sleep 0.3; echo late"]);
    let port = listener.port().to_string();
    for (name, args) in clients {
        let args = with_port(args, &port);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        program(name, &args).sends("1\n2\n").eof().ends().exits(0).says("2\n1\nlate\n");
    }
}

#[test]
fn unix_sockets_and_datagrams_go_both_ways_with_socat() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s").display().to_string();
    let mut relay = spile(["relay", &format!("unix-l:{path}"), "sh:cat; echo end"]);
    relay.line("listening unix");
    program("socat", &["-t5", "-", &format!("UNIX-CONNECT:{path}")])
        .sends("x\n")
        .eof()
        .ends()
        .exits(0)
        .says("x\nend\n");
    let theirs = dir.path().join("t").display().to_string();
    let _server = program("socat", &["-t5", &format!("UNIX-LISTEN:{theirs},fork"), "SYSTEM:cat; echo end"]);
    wait_until("socat listens", || Path::new(&theirs).exists());
    // The path is there a moment before its listener.
    spile(["connect", "--retry-for", "5s", &theirs]).sends("x\n").eof().ends().exits(0).says("x\nend\n");
    let port = free_port();
    let _udp = program(
        "socat",
        &["-T5", &format!("UDP4-RECVFROM:{port},bind=127.0.0.1,fork"), "SYSTEM:read x; echo got $x"],
    );
    wait_until("socat listens", || !output_of("ss", &["-Hlun", &format!("sport = :{port}")]).is_empty());
    spile(["connect", "-u", "-W1", "127.0.0.1", &port]).sends("q\n").eof().ends().exits(0).says("got q\n");
    let mut ours = spile(["relay", "udp-l:127.0.0.1:0", "sh:read x; echo got $x"]);
    let ours = format!("UDP:127.0.0.1:{}", ours.port());
    program("socat", &["-t1", "-", &ours]).sends("q\n").eof().ends().exits(0).says("got q\n");
}

#[test]
fn curl_fetches_from_python_through_a_relay_byte_by_byte_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = noise(8, 5_000_000);
    std::fs::write(dir.path().join("file"), &bytes).unwrap();
    let port = free_port();
    let directory = dir.path().display().to_string();
    let _python =
        peer("python3", &["-m", "http.server", "--bind", "127.0.0.1", "-d", &directory, &port], &port);
    let mut relay = spile(["relay", "tcp-l:127.0.0.1:0", &format!("127.0.0.1:{port}")]);
    let url = format!("http://127.0.0.1:{}/file", relay.port());
    let fetched = program("curl", &["-sS", "--fail", &url]).eof().ends().exits(0);
    assert!(fetched.stdout == bytes);
    let all = program("curl", &["-sS", "--fail", "-Z", "-o", "/dev/null", &url, "-o", "/dev/null", &url]);
    all.eof().ends().exits(0);
    let head = spile(["connect", "127.0.0.1", &port]).sends("HEAD /file HTTP/1.0\r\n\r\n").ends().exits(0);
    assert!(String::from_utf8_lossy(&head.stdout).contains("Content-Length: 5000000"), "{head:?}");
}

const NGINX: &str = "daemon off; master_process off; pid DIR/pid; error_log DIR/error;
events { worker_connections 512; }
http { access_log off; client_body_temp_path DIR; proxy_temp_path DIR; fastcgi_temp_path DIR;
  uwsgi_temp_path DIR; scgi_temp_path DIR;
  server { listen unix:DIR/web; root DIR/www; keepalive_timeout 60; }
  server { listen 127.0.0.1:PORT; location / { proxy_pass http://127.0.0.1:BACK; } } }";

#[test]
fn nginx_serves_behind_a_relay_and_proxies_to_one() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().display().to_string();
    std::fs::create_dir(dir.path().join("www")).unwrap();
    std::fs::write(dir.path().join("www/index.html"), "from nginx").unwrap();
    let mut relay = spile(["relay", "tcp-l:127.0.0.1:0", &format!("unix:{root}/web")]);
    let relay_port = relay.port();
    let port = free_port();
    let config = NGINX.replace("DIR", &root).replace("PORT", &port).replace("BACK", &relay_port.to_string());
    std::fs::write(dir.path().join("conf"), config).unwrap();
    let _nginx = peer("nginx", &["-p", &root, "-c", "conf"], &port);
    for port in [&relay_port.to_string(), &port] {
        let url = format!("http://127.0.0.1:{port}/");
        // Twice over one connection: keep-alive passes through, too.
        program("curl", &["-sS", "--fail", &url, &url]).eof().ends().exits(0).says("from nginxfrom nginx");
    }
}

#[test]
fn redis_answers_through_a_relay_from_tcp_to_its_unix_socket() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("redis").display().to_string();
    let root = dir.path().display().to_string();
    let _redis =
        program("redis-server", &["--port", "0", "--unixsocket", &path, "--save", "", "--dir", &root]);
    spile(["wait", "--send", "PING\\r\\n", "--expect", "PONG", &path]).ends().exits(0);
    let mut relay = spile(["relay", "tcp-l:127.0.0.1:0", &path]);
    let port = relay.port().to_string();
    let redis = |words: &[&str]| {
        let mut args = vec!["-h", "127.0.0.1", "-p", &port];
        args.extend(words);
        String::from_utf8(program("redis-cli", &args).eof().ends().exits(0).stdout).unwrap()
    };
    assert_eq!(redis(&["PING"]), "PONG\n");
    let value = "v".repeat(200_000);
    let store = format!("*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$200000\r\n{value}\r\nGET key\r\nQUIT\r\n");
    let said = spile(["connect", "127.0.0.1", &port]).sends(store).eof().ends().exits(0);
    assert_eq!(said.stdout, format!("+OK\r\n$200000\r\n{value}\r\n+OK\r\n").as_bytes());
    assert_eq!(redis(&["STRLEN", "key"]), "200000\n");
}

#[test]
fn postgres_answers_through_a_relay() {
    let server = postgres("me", "");
    let socket = server.path(&format!(".s.PGSQL.{}", server.port()));
    let mut relay = spile(["relay", "tcp-l:127.0.0.1:0", &socket]);
    let url = format!("host=127.0.0.1 port={} user=me dbname=postgres", relay.port());
    let query = "select sum(n), sum(length(repeat('x', 1000))) from generate_series(1, 1000) n";
    program("psql", &[&url, "-Atc", query]).eof().ends().exits(0).says("500500|1000000\n");
}

#[test]
fn a_relay_between_others_keeps_resets_and_ends_apart() {
    let port = free_port();
    let _server =
        peer("socat", &["-u", "SYSTEM:echo done", &format!("TCP-LISTEN:{port},bind=127.0.0.1")], &port);
    let mut relay = spile(["relay", "tcp-l:127.0.0.1:0", &format!("127.0.0.1:{port}")]);
    let stream: TcpStream = connect(relay.port());
    assert_eq!(read_all(&stream), b"done\n");
    let _ = (&stream).write_all(b"too late");
    let _ = stream.shutdown(Shutdown::Write);
}
