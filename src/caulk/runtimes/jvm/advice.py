"""Patches, as text that can be applied, that give a JVM what a capture needs."""

from collections.abc import Sequence

from caulk.model.target import Target

CONTINUE = "kill -CONT PID"


def volumes_at(target: Target, paths: Sequence[str]) -> str:
    """What mounts a writable volume of disk at each of `paths`: for Kubernetes, for Compose, or in words."""
    if target.place == "kubernetes":
        return _kubernetes(target, paths)
    if target.place == "docker":
        return _compose(target, paths)
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


def _compose(target: Target, paths: Sequence[str]) -> str:
    names = {path: "caulk" + path.replace("/", "-").lower() for path in paths}
    return "\n".join(
        [
            "# docker compose -f compose.yaml -f FILE up -d",
            "services:",
            f"  {target.labels.get('service') or 'NAME'}:",
            "    volumes:",
            *(f"      - {name}:{path}" for path, name in names.items()),
            "volumes:",
            *(f"  {name}: {{}}" for name in names.values()),
            "",
        ]
    )
