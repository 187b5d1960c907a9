"""Compiles the load generator outside of the source tree, once per version of its source."""

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
    """The path of the compiled load generator. Its name carries a hash of the source."""
    sources = sorted((HERE / "loadgen").glob("*.[ch]"))
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    program = _cache() / f"loadgen-{digest[:12]}"
    if not program.exists():
        program.parent.mkdir(parents=True, exist_ok=True)
        unfinished = program.with_name(f"{program.name}.{os.getpid()}")
        files = [str(source) for source in sources if source.suffix == ".c"]
        subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-pthread", "-o", unfinished, *files], check=True)
        unfinished.rename(program)
    return str(program)
