"""The programs compared: their command lines and configuration files, and what kind of row each is."""

import dataclasses
import enum
import os
import pathlib
import pwd
import shlex
import shutil
import typing


class Kind(enum.Enum):
    SPILE = "judged against the targets"
    PEER = "may be the best peer"
    SHOWN = "only shown: direct, a yardstick, or added by hand"


@dataclasses.dataclass
class Site:
    """Where one run of a tool happens."""

    listen: int  # the port it listens on
    backend: int  # the port it connects to
    directory: str  # for its configuration, gone after the run
    capacity: int  # connections it must be able to hold


@dataclasses.dataclass
class Tool:
    name: str
    kind: Kind
    command: typing.Optional[typing.Callable]  # Site -> argv; None: no tool between the ends
    most_idle: typing.Optional[int] = None  # a process per connection: more of them tells nothing new


def words(template):
    """A command line in which {L}, {B} (or {P}, the same) stand for the ports."""

    def command(site):
        places = {"{L}": site.listen, "{B}": site.backend, "{P}": site.backend, "{N}": site.capacity}
        argv = shlex.split(template)
        for place, value in places.items():
            argv = [word.replace(place, str(value)) for word in argv]
        return argv

    return command


def write(site, name, text):
    path = os.path.join(site.directory, name)
    pathlib.Path(path).write_text(text)
    return path


def _cpus():
    return len(os.sched_getaffinity(0))


HAPROXY = """\
global
    maxconn {most}
    nbthread {threads}
    tune.pipesize 262144
    maxpipes 200
{settings}defaults
    mode tcp
    timeout connect 5s
    timeout client 100s
    timeout server 100s
    option splice-request
    option splice-response
frontend in
    bind 127.0.0.1:{listen} backlog 4096{tls}
    maxconn {most}
    default_backend out
backend out
    server one 127.0.0.1:{backend} maxconn {most}
"""


def haproxy(site, tls="", settings=""):
    """With both splice options and 256 KiB pipes: about half the CPU of haproxy's defaults.

    haproxy refuses to start when 2 x maxconn and its pipes do not fit under the limit of open files,
    so maxconn follows the run.
    """
    text = HAPROXY.format(
        most=site.capacity, threads=_cpus(), listen=site.listen, backend=site.backend, tls=tls, settings=settings
    )
    return ["haproxy", "-db", "-f", write(site, "haproxy.cfg", text)]


NGINX = """\
{load_module}
{user}
worker_processes {workers};
daemon off;
pid {directory}/pid;
error_log {directory}/errors;
events {{ worker_connections {connections}; }}
stream {{
    server {{
        listen 127.0.0.1:{listen} {listen_options}backlog=4096;
        tcp_nodelay on;{settings}
        proxy_pass 127.0.0.1:{backend};
        proxy_timeout 100s;
    }}
}}
"""
NGINX_STREAM_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so"


def nginx(site, listen_options="", settings=""):
    """The stream module with its defaults. A relayed connection counts twice in worker_connections."""
    module = f"load_module {NGINX_STREAM_MODULE};" if os.path.exists(NGINX_STREAM_MODULE) else ""
    user = f"user {pwd.getpwuid(0).pw_name};" if os.geteuid() == 0 else ""
    text = NGINX.format(
        load_module=module, user=user, workers=_cpus(), directory=site.directory,
        connections=2 * site.capacity + 100, listen=site.listen, backend=site.backend,
        listen_options=listen_options, settings=settings,
    )
    path = write(site, "nginx.conf", text)
    return ["nginx", "-p", site.directory, "-c", path, "-e", os.path.join(site.directory, "errors")]


def socket_proxyd(site):
    folders = ("/usr/lib/systemd", "/lib/systemd")
    program = shutil.which("systemd-socket-proxyd", path=os.pathsep.join(folders)) or "systemd-socket-proxyd"
    return words(f"systemd-socket-activate -l 127.0.0.1:{{L}} {program} -c {{N}} 127.0.0.1:{{B}}")(site)


SOCAT_ENDS = "TCP-LISTEN:{L},bind=127.0.0.1,reuseaddr,fork,backlog=4096 TCP:127.0.0.1:{B}"

RELAY_PEERS = [
    Tool("socat", Kind.PEER, words(f"socat {SOCAT_ENDS}"), most_idle=1000),
    Tool("socat -b 65536", Kind.PEER, words(f"socat -b 65536 {SOCAT_ENDS}"), most_idle=1000),
    Tool("ncat", Kind.PEER, words('ncat -l -k -m {N} 127.0.0.1 {L} --sh-exec "exec ncat 127.0.0.1 {B}"'),
         most_idle=100),
    Tool("haproxy", Kind.PEER, haproxy),
    Tool("nginx", Kind.PEER, nginx),
    Tool("systemd-socket-proxyd", Kind.PEER, socket_proxyd),
    Tool("direct", Kind.SHOWN, None),
]

C_LOOP, SOCAT_PIPE = "C epoll loop", "socat PIPE"


def echo_peers(loadgen):
    """A C loop that does three system calls a request and no more; socat with a process for each connection."""
    return [
        Tool(C_LOOP, Kind.SHOWN, words(f"{shlex.quote(loadgen)} echo {{L}}")),
        Tool(SOCAT_PIPE, Kind.PEER, words("socat TCP-LISTEN:{L},bind=127.0.0.1,reuseaddr,fork,backlog=4096 PIPE")),
    ]


STDIN_PEERS = [
    Tool("nc -N", Kind.PEER, words("nc -N 127.0.0.1 {P}")),
    Tool("socat -b 262144", Kind.PEER, words("socat -u -b 262144 - TCP:127.0.0.1:{P}")),
    Tool("socat", Kind.PEER, words("socat -u - TCP:127.0.0.1:{P}")),
    Tool("ncat", Kind.PEER, words("ncat --send-only 127.0.0.1 {P}")),
    Tool("busybox nc", Kind.PEER, words("busybox nc 127.0.0.1 {P}")),
    Tool("bash cat >/dev/tcp", Kind.PEER, words("bash -c 'exec cat >/dev/tcp/127.0.0.1/{P}'")),
]

STARTUP_PEERS = [
    Tool("nc -h", Kind.PEER, words("nc -h")),
    Tool("busybox true", Kind.PEER, words("busybox true")),
    Tool("ncat --version", Kind.PEER, words("ncat --version")),
    Tool("socat -V", Kind.PEER, words("socat -V")),
    Tool("haproxy -v", Kind.PEER, words("haproxy -v")),
    Tool("true", Kind.SHOWN, words("/bin/true")),
]

SPAWN_PEERS = [
    Tool("timeout 5", Kind.PEER, words("timeout 5 true")),
    Tool("tini -s", Kind.PEER, words("tini -s -- true")),
    Tool("dumb-init", Kind.PEER, words("dumb-init true")),
    Tool("env", Kind.PEER, words("env true")),
    Tool("true", Kind.SHOWN, words("/bin/true")),
]

INIT_PEERS = [
    Tool("tini -s", Kind.PEER, words("tini -s -- true")),
    Tool("dumb-init", Kind.PEER, words("dumb-init true")),
    Tool("true", Kind.SHOWN, words("/bin/true")),
]

SLEEPING_INITS = [
    Tool("tini -s", Kind.PEER, words("tini -s -- sleep 60")),
    Tool("dumb-init", Kind.PEER, words("dumb-init sleep 60")),
]


def select(options, spile_arguments, peers, command=words):
    """spile's row, the peers', then what --add brought, cut down to --tools; `command` reads the words of the first
    and the last.

    An added name that begins with "spile" is judged like spile; one that is already there replaces it.
    """
    spile = shlex.quote(options.spile)
    tools = {"spile": Tool("spile", Kind.SPILE, command(f"{spile} {spile_arguments}"))}
    tools.update((peer.name, peer) for peer in peers)
    for text in options.add:
        name, _, template = text.partition("=")
        kind = Kind.SPILE if name.startswith("spile") else Kind.SHOWN
        tools[name] = Tool(name, kind, command(template))
    if options.tools is None:
        return list(tools.values())
    added = [text.partition("=")[0] for text in options.add]
    unknown = [name for name in options.tools if name not in tools]
    if unknown:
        raise SystemExit(f"bench: no such tool: {', '.join(unknown)} (there are: {', '.join(tools)})")
    return [tool for tool in tools.values() if tool.name in options.tools or tool.name in added]
