"""Patches, as text that can be applied, that give a JVM what a capture needs."""

from collections.abc import Sequence

from caulk.model.target import Target

#: A new volume is filled with what the image has there, its owner included.
_OWNER = "# where the image has no such directory, the volume is root's: chown it to the user of the JVM"


def volumes_at(target: Target, paths: Sequence[str]) -> str:
    """What mounts a writable volume of disk at each of `paths`: for Kubernetes, for Compose, or in words."""
    if target.place == "kubernetes":
        return _kubernetes(target, paths)
    if target.place == "docker":
        return _compose(target, paths) if target.labels.get("service") else _options(paths)
    return f"Make {' and '.join(paths)} writable for the user of the JVM, on a volume of disk with room for a dump."


def _kubernetes(target: Target, paths: Sequence[str]) -> str:
    names = {path: "caulk" + path.replace("/", "-").replace("_", "-").replace(".", "-").lower() for path in paths}
    return "\n".join(
        [
            "# kubectl patch deployment NAME --patch-file FILE",
            "spec:",
            "  template:",
            "    spec:",
            "      containers:",
            f"        - name: {target.labels.get('container') or 'NAME'}",
            "          volumeMounts:",
            *(f"            - {{name: {name}, mountPath: {path}}}" for path, name in names.items()),
            "      volumes:",
            *(f"        - {{name: {name}, emptyDir: {{}}}}" for name in names.values()),
            "",
        ]
    )


def _options(paths: Sequence[str]) -> str:
    options = " ".join(f"--volume=caulk{path.replace('/', '-').lower()}:{path}" for path in paths)
    return f"# start it with this among the options of docker run\n{_OWNER}\n{options}"


def _compose(target: Target, paths: Sequence[str]) -> str:
    names = {path: "caulk" + path.replace("/", "-").lower() for path in paths}
    return "\n".join(
        [
            "# docker compose -f compose.yaml -f FILE up -d",
            _OWNER,
            "services:",
            f"  {target.labels['service']}:",
            "    volumes:",
            *(f"      - {name}:{path}" for path, name in names.items()),
            "volumes:",
            *(f"  {name}: {{}}" for name in names.values()),
            "",
        ]
    )
