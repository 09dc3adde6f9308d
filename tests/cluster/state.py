"""What is remembered of each cluster between runs: its kubeconfig, its port, what it was made from."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import ports
from tests.cluster.errors import ClusterError

DEFAULT_NAME = "chainlit"


@dataclass(frozen=True)
class Edge:
    """An edge of the cluster, or its API server: its port on the node, the first port on the loopback address that is
    tried for it, and the file that remembers the chosen one."""

    node_port: int
    first_port: int
    file: str


TRAEFIK, CONTOUR = Edge(80, 8080, "port"), Edge(8080, 8180, "contour-port")
EDGES = (TRAEFIK, CONTOUR)
#: kind would take a port that the system also gives to programs that ask for any port. When a container engine is
#: killed, its forwarding rule stays, and such a program then hears nothing.
API_SERVER = Edge(6443, 16443, "api-port")

#: The file with the address of a node that has IPv6.
ADDRESS = "address"


def root() -> Path:
    """Return the directory of all clusters' state."""
    if chosen := os.environ.get("CHAINLIT_STATE"):
        return Path(chosen).absolute()
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base).absolute() / "chainlit-operator"


def write(path: Path, text: str) -> None:
    """Replace a file in one step, so that a killed run never leaves half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w") as file:
        file.write(text)
    Path(name).replace(path)


@dataclass(frozen=True)
class ClusterState:
    """The files of one cluster."""

    name: str

    @staticmethod
    def current() -> ClusterState:
        """Return the state of the cluster that the environment variable CLUSTER names.

        Raises ClusterError for a name that kind would refuse.
        """
        name = os.environ.get("CLUSTER") or DEFAULT_NAME
        if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", name):
            raise ClusterError(f"CLUSTER={name}: use up to 40 lower-case letters, digits and inner hyphens")
        return ClusterState(name)

    @property
    def directory(self) -> Path:
        """Where this cluster's files are."""
        return root() / "clusters" / self.name

    @property
    def kubeconfig(self) -> Path:
        """The cluster's own kubeconfig."""
        return self.directory / "kubeconfig"

    @property
    def node(self) -> str:
        """The name of the node's container."""
        return f"{self.name}-control-plane"

    def read(self, name: str) -> str:
        """Return a remembered value, or an empty text."""
        path = self.directory / name
        return path.read_text().strip() if path.is_file() else ""

    def remember(self, name: str, value: str) -> None:
        """Remember a value."""
        write(self.directory / name, value + "\n")

    def forget_making(self) -> None:
        """Forget that the cluster was completed; what remains is its port."""
        for name in ("made-from", "kubeconfig", ADDRESS):
            (self.directory / name).unlink(missing_ok=True)

    def forget(self) -> None:
        """Remove everything remembered of this cluster."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def port(self, edge: Edge = TRAEFIK) -> int:
        """Return an edge's port on the loopback address, choosing and remembering one the first time."""
        remembered = self.read(edge.file)
        return int(remembered) if remembered.isdigit() else self.choose_port(edge)

    def choose_port(self, edge: Edge = TRAEFIK) -> int:
        """Choose a port that is free and that no other edge or cluster has been given, and remember it."""
        others = {
            int(text)
            for path in (root() / "clusters").glob("*/*port")
            if path != self.directory / edge.file and (text := path.read_text().strip()).isdigit()
        }
        chosen = ports.choose(others, ports.is_free, edge.first_port + (self.name != DEFAULT_NAME))
        self.remember(edge.file, str(chosen))
        return chosen

    def url(self, edge: Edge = TRAEFIK) -> str:
        """Return where an edge is heard: at a port of the loopback address, or at the node's own address of IPv6.

        Not every engine forwards a port to pods that have IPv6 only.
        """
        if address := self.read(ADDRESS):
            return f"http://[{address}]:{edge.node_port}"
        return f"http://127.0.0.1:{self.port(edge)}"
