"""Compiles what is in C outside of the source tree, once per version of its source."""

import hashlib
import os
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
DEFAULT_SPILE = REPOSITORY / "target/release/spile"


def _cache():
    base = os.environ.get("XDG_CACHE_HOME")
    return pathlib.Path(base) / "spile-bench" if base else REPOSITORY / "target/bench"


def loadgen():
    """The path of the compiled load generator."""
    return _compiled("loadgen", sorted((HERE / "loadgen").glob("*.[ch]")), ["-pthread"])


def tlsgen():
    """The path of the load generator that speaks TLS; it alone needs OpenSSL's headers."""
    shared = [HERE / "loadgen" / name for name in ("net.c", "harness.c", "latency.c", "backend.c", "loadgen.h")]
    return _compiled("tlsgen", shared + sorted((HERE / "tlsgen").glob("*.[ch]")), ["-pthread"], ["-lssl", "-lcrypto"])


def heap():
    """The path of the library that gives a program a large heap."""
    return _compiled("heap", [HERE / "heap.c"], ["-shared", "-fPIC"])


def _compiled(name, sources, flags, libraries=()):
    """Compiled unless it is there: the file's name carries a hash of the source."""
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    program = _cache() / f"{name}-{digest[:12]}"
    if not program.exists():
        program.parent.mkdir(parents=True, exist_ok=True)
        unfinished = program.with_name(f"{program.name}.{os.getpid()}")
        files = [str(source) for source in sources if source.suffix == ".c"]
        subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", *flags, "-o", unfinished, *files, *libraries], check=True)
        unfinished.rename(program)
    return str(program)
