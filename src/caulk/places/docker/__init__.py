"""Containers of a Docker or Podman engine, and the services of Compose: `docker:NAME`, `compose:SERVICE@PROJECT`.

Of a container that runs on this machine the files, the memory and the network are reached directly, whatever its image
lacks; of another, by the image's own Python, or by a helper container that shares its namespaces.
"""

from caulk.places.docker.containers import SCHEMES, targets
from caulk.places.docker.reaching import reach

NAME = "docker"

__all__ = ["NAME", "SCHEMES", "reach", "targets"]
