"""The programs that end TLS in front of a plain backend: their command lines, and the identity all of them show."""

import atexit
import functools
import os
import pathlib
import re
import subprocess
import tempfile

import peers
from peers import Kind, Tool

SPILE_ARGUMENTS = "relay tls-l:127.0.0.1:{L},cert={C},key={K} tcp:127.0.0.1:{B}"


@functools.cache
def identity():
    """A directory with `both` (certificate and key) and `key`, P-256, made once and gone at the end."""
    directory = tempfile.TemporaryDirectory(prefix="spile-bench-identity-")
    atexit.register(directory.cleanup)
    key, certificate, both = (pathlib.Path(directory.name, name) for name in ("key", "certificate", "both"))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", key, "-out", certificate],
        check=True, stderr=subprocess.DEVNULL,
    )
    both.write_text(certificate.read_text() + key.read_text())
    both.chmod(0o600)
    return directory.name


def with_identity(template):
    """`peers.words`, where {C} also stands for the file of certificate and key, and {K} for that of the key alone."""

    def command(site):
        files = {"{C}": "both", "{K}": "key"}
        argv = peers.words(template)(site)
        for place, name in files.items():
            argv = [word.replace(place, os.path.join(identity(), name)) for word in argv]
        return argv

    return command


def haproxy(site, settings=""):
    return peers.haproxy(site, tls=f" ssl crt {identity()}/both", settings=settings)


def haproxy_large(site):
    return haproxy(site, "    tune.bufsize 65536\n")


NGINX_TLS = """
        ssl_certificate {identity}/both;
        ssl_certificate_key {identity}/key;
        ssl_protocols TLSv1.3;
        ssl_session_cache shared:sessions:10m;
        proxy_buffer_size {buffer};"""


def nginx(site, buffer="16k"):
    return peers.nginx(site, "ssl ", NGINX_TLS.format(identity=identity(), buffer=buffer))


def nginx_large(site):
    return nginx(site, "64k")


STUNNEL = """\
foreground = yes
pid =
debug = 0
syslog = no
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
[relay]
accept = 127.0.0.1:{listen}
connect = 127.0.0.1:{backend}
cert = {identity}/both
"""


def stunnel(site):
    text = STUNNEL.format(listen=site.listen, backend=site.backend, identity=identity())
    return ["stunnel4", peers.write(site, "stunnel.conf", text)]


SOCAT_ENDS = (
    "OPENSSL-LISTEN:{L},bind=127.0.0.1,reuseaddr,fork,backlog=4096,nodelay,cert={C},verify=0 TCP:127.0.0.1:{B},nodelay"
)
SOCAT = Tool("socat", Kind.PEER, with_identity(f"socat {SOCAT_ENDS}"), most_idle=200)
STUNNEL_TOOL = Tool("stunnel", Kind.PEER, stunnel)
HAPROXY = Tool("haproxy", Kind.PEER, haproxy)
NGINX = Tool("nginx", Kind.PEER, nginx)

IDLE_PEERS = [SOCAT, STUNNEL_TOOL, HAPROXY, NGINX]
BULK_PEERS = [
    *IDLE_PEERS,
    Tool("socat -b 65536", Kind.PEER, with_identity(f"socat -b 65536 {SOCAT_ENDS}")),
    Tool("haproxy 64k", Kind.PEER, haproxy_large),
    Tool("nginx 64k", Kind.PEER, nginx_large),
]
# s_server turns each line round itself: it has no backend to connect to, so it is no relay to compare with.
HANDSHAKE_PEERS = [
    *IDLE_PEERS,
    Tool("openssl s_server", Kind.SHOWN,
         with_identity("openssl s_server -accept 127.0.0.1:{L} -cert {C} -key {K} -rev -quiet")),
]


def tools(options, among):
    return peers.select(options, SPILE_ARGUMENTS, among, with_identity)


VERSION_COMMANDS = [
    ["openssl", "version"], ["stunnel4", "-version"], ["haproxy", "-v"], ["nginx", "-v"], ["socat", "-V"],
]


@functools.cache
def versions():
    """The versions of the peers and of the OpenSSL they run on, in one line."""
    return ", ".join(filter(None, map(_version, VERSION_COMMANDS)))


def _version(argv):
    try:
        said = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except OSError:
        return ""
    number = re.search(r"\d+\.\d+(\.\d+)*\w*", said.stdout + said.stderr)
    return f"{argv[0]} {number.group()}" if number else ""
