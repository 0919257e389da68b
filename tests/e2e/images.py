"""Images for the end-to-end tests, put together from what this machine has; no registry is asked.

A *bare* image holds a program, its runtime and their libraries: no shell, no tar, no tools of the JDK. A *full* one
has busybox, and for the JVM `jcmd`, beside them.
"""

import hashlib
import io
import json
import os
import platform
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PROGRAMS = Path(__file__).with_name("programs")
#: Everybody may run it, and it may write nowhere but where a volume lies.
USER = "10500:10500"


@dataclass(frozen=True)
class Image:
    """A program in an image: how it is made, and the command that it runs."""

    runtime: str
    fill: Callable[[Path, bool], None]
    command: tuple[str, ...]

    def name(self, *, is_bare: bool) -> str:
        return f"docker.io/local/caulk-{self.runtime}-{'bare' if is_bare else 'full'}:1"

    def is_ready(self, said: str) -> bool:
        """Whether the program has said that it holds what it is to hold."""
        return ("starting main dispatch loop" if self.runtime == "envoy" else "ready") in said

    def archive(self, to: Path, *, is_bare: bool) -> Path:
        """The image in the form of `docker save`, which every engine loads; made once."""
        path = to / f"{self.runtime}-{'bare' if is_bare else 'full'}.tar"
        if path.exists():
            return path
        root = to / f"{path.stem}.{os.getpid()}"
        shutil.rmtree(root, ignore_errors=True)
        for directory in ("tmp", "etc", "proc", "sys", "dev", "app", "dumps"):
            (root / directory).mkdir(parents=True)
        for directory in ("tmp", "dumps"):
            (root / directory).chmod(0o1777)
        (root / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\napp:x:10500:10500::/:/bin/sh\n")
        self.fill(root, is_bare)
        if not is_bare:
            _busybox(root)
        layer = root.with_name(f"{root.name}.layer")
        with tarfile.open(layer, "w") as archive:
            archive.add(root, ".", filter=_of_root)
        shutil.rmtree(root)
        part = root.with_name(f"{root.name}.part")
        _save(part, layer, self.name(is_bare=is_bare))
        layer.unlink()
        return part.rename(path)


def _save(to: Path, layer: Path, name: str) -> None:
    """One layer as an image: https://github.com/moby/docker-image-spec/blob/main/v1.2.md."""
    with layer.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    config = json.dumps(
        {
            "architecture": "arm64" if platform.machine() == "aarch64" else "amd64",
            "os": "linux",
            "config": {"Env": ["PATH=/usr/bin:/bin:/jre/bin"]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        }
    ).encode()
    stem = hashlib.sha256(config).hexdigest()
    manifest = json.dumps([{"Config": f"{stem}.json", "RepoTags": [name], "Layers": ["layer.tar"]}]).encode()
    with tarfile.open(to, "w") as archive:
        for file_name, data in ((f"{stem}.json", config), ("manifest.json", manifest)):
            info = tarfile.TarInfo(file_name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        archive.add(layer, "layer.tar")


def _of_root(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = "root"
    return info


def _busybox(root: Path) -> None:
    _copy("/bin/busybox", root, "bin/busybox")
    for name in subprocess.check_output(["/bin/busybox", "--list"], text=True).split():
        if name != "busybox":
            (root / "bin" / name).symlink_to("busybox")


def _copy(path: str, root: Path, to: str = "") -> None:
    """A file with every library that it is linked to."""
    target = root / (to or path.lstrip("/"))
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        shutil.copy2(path, target)
    for library in _libraries(path):
        if not (root / library.lstrip("/")).exists():
            (root / library.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(library, root / library.lstrip("/"))


def _libraries(path: str) -> Iterator[str]:
    answer = subprocess.run(["ldd", path], capture_output=True, text=True, check=False)
    for line in answer.stdout.splitlines():
        for word in line.split():
            if word.startswith("/") and Path(word).is_file():
                yield word


def _python(root: Path, is_bare: bool) -> None:
    """Debian's, with its library."""
    binary = Path("/usr/bin/python3").resolve()
    _copy(str(binary), root, "usr/bin/python3")
    library = Path("/usr/lib") / binary.name
    shutil.copytree(
        library,
        root / str(library).lstrip("/"),
        ignore=shutil.ignore_patterns("test", "__pycache__", "*.pyc", "idlelib"),
    )
    for module in library.glob("lib-dynload/*.so"):
        _copy(str(module), root)
    shutil.copy2(PROGRAMS / "hold.py", root / "app/hold.py")
    shutil.copytree(Path(__file__).parents[2] / "probe/src/caulk_probe", root / "app/caulk_probe")


def _node(root: Path, is_bare: bool) -> None:
    _copy(str(Path(shutil.which("node") or "/usr/bin/node").resolve()), root, "usr/bin/node")
    shutil.copy2(PROGRAMS / "hold.mjs", root / "app/hold.mjs")


def _jvm(root: Path, is_bare: bool) -> None:
    """Of a JDK the modules that a program needs; the full image has those of `jcmd` too."""
    javac = Path(shutil.which("javac") or "/usr/bin/javac").resolve()
    modules = ["java.base", "java.management", "jdk.management"] + ([] if is_bare else ["jdk.jcmd", "jdk.attach"])
    subprocess.run(
        [javac.with_name("jlink"), "--add-modules", ",".join(modules), "--strip-debug", "--output", root / "jre"],
        check=True,
    )
    for binary in [*(root / "jre/bin").iterdir(), *(root / "jre/lib").rglob("*.so")]:
        for library in _libraries(str(binary)):
            if not library.startswith(str(root)):
                _copy(library, root)
    subprocess.run([javac, "-d", root / "app", PROGRAMS / "Hold.java"], check=True)


def _go(root: Path, is_bare: bool) -> None:
    environ = {**os.environ, "CGO_ENABLED": "0"}
    subprocess.run(["go", "build", "-o", root / "app/hold", PROGRAMS / "hold.go"], check=True, env=environ)


def _envoy(root: Path, is_bare: bool) -> None:
    package = find_spec("envoy")
    assert package and package.submodule_search_locations
    _copy(f"{package.submodule_search_locations[0]}/_bin/envoy", root, "usr/bin/envoy")
    (root / "app/envoy.json").write_text(json.dumps(routes()))


def routes(admin: int = 9901, port: int = 10000) -> dict[str, object]:
    """Envoy with an admin interface and 4,000 routes that answer with 8 kB each: what it holds, it holds for these."""
    types = "type.googleapis.com/envoy.extensions.filters"
    routes = [
        {"match": {"path": f"/{n}"}, "direct_response": {"status": 200, "body": {"inline_string": f"{n} " * 2000}}}
        for n in range(4000)
    ]
    manager = {
        "@type": f"{types}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "hold",
        "http_filters": [
            {"name": "envoy.filters.http.router", "typed_config": {"@type": f"{types}.http.router.v3.Router"}}
        ],
        "route_config": {
            "max_direct_response_body_size_bytes": 65536,
            "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}],
        },
    }
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    listener = {"name": "hold", "address": _address(port), "filter_chains": [{"filters": filters}]}
    return {"admin": {"address": _address(admin)}, "static_resources": {"listeners": [listener]}}


def _address(port: int) -> dict[str, object]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


IMAGES = {
    image.runtime: image
    for image in (
        Image("cpython", _python, ("/usr/bin/python3", "/app/hold.py")),
        Image("node", _node, ("/usr/bin/node", "/app/hold.mjs")),
        Image("jvm", _jvm, ("/jre/bin/java", "-Xmx128m", "-cp", "/app", "Hold")),
        Image("go", _go, ("/app/hold",)),
        Image("envoy", _envoy, ("/usr/bin/envoy", "-c", "/app/envoy.json", "--concurrency", "1")),
    )
}

#: What the analysis of a capture has to name: who holds the tickets, or who allocates them.
LEAKS = {"cpython": "OPEN", "node": "open", "jvm": "Hold.OPEN", "go": "main.fileTicket", "native": "file_ticket"}


def names_the_leak(runtime: str, analysis: dict[str, Any]) -> bool:
    """Whether the first finding names the planted leak; Envoy has no symbols: there one place must hold most of it."""
    findings = analysis["findings"]
    if not findings:
        return False
    if runtime == "envoy":
        return bool(findings[0]["share"] > 0.25)
    first = findings[0]
    said = [first["title"], str(first["holder"]), str(first["allocator"])]
    return any(LEAKS[runtime] in words for words in said)


def names_what_filled_the_heap(analysis: dict[str, Any]) -> bool:
    """The same for a JVM at its OutOfMemoryError, which is in the midst of filing: `main` has the map in hand, too."""
    first = analysis["findings"][0]
    return first["type"] == "Hold$Ticket" and first["holder"] in ("Hold.OPEN", "local of Hold.main")
