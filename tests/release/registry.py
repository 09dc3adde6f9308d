"""A registry on this machine, and what its access log says was pulled."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.console import tail, wait_until
from tests.cluster.errors import ClusterError
from tests.cluster.traefik import answers
from tests.release import tools

_CONFIG = """\
version: 0.1
log: {{accesslog: {{disabled: false}}, level: error}}
storage:
  filesystem: {{rootdirectory: {directory}}}
  maintenance: {{readonly: {{enabled: {read_only}}}, uploadpurging: {{enabled: false}}}}
http: {{addr: "{address}"}}
"""
_GOT = re.compile(r'"GET /v2/(?P<name>\S+)/(?P<kind>manifests|blobs)/(?P<reference>[^\s?]+)\S* HTTP/[\d.]+" 20[06] ')


@dataclass(frozen=True)
class Pull:
    """Something that was fetched: the repository, ``manifests`` or ``blobs``, and a tag or a digest."""

    name: str
    kind: str
    reference: str


@dataclass(frozen=True)
class Registry:
    """A registry that serves; ``address`` is its host and port."""

    address: str
    log: Path

    def pulls(self) -> list[Pull]:
        """Return what was fetched, in its order."""
        return pulls(self.log.read_text(encoding="utf-8", errors="replace"))


def pulls(log: str) -> list[Pull]:
    """Return what an access log says was fetched with success, in its order."""
    return [Pull(**found.groupdict()) for found in _GOT.finditer(log)]


@contextmanager
def serve(directory: Path, address: str, *, read_only: bool = False) -> Iterator[Registry]:
    """Serve what a directory keeps, at an address of this machine. Raises ClusterError.

    Its configuration and its log lie beside the directory, so that one directory has as many doors as addresses.
    """
    config, log = (directory.parent / f"registry-{address.replace(':', '-')}.{end}" for end in ("yaml", "log"))
    text = _CONFIG.format(directory=directory, address=address, read_only=str(read_only).lower())
    config.write_text(text, encoding="utf-8")
    with log.open("wb") as out:
        serving = subprocess.Popen([tools.registry(), "serve", config], stdout=out, stderr=out)
    try:
        _wait(serving, address, log)
        yield Registry(address, log)
    finally:
        serving.terminate()
        serving.wait(timeout=30)


def _wait(serving: subprocess.Popen[bytes], address: str, log: Path) -> None:
    def heard() -> bool:
        if serving.poll() is not None:
            raise ClusterError(f"the registry at {address} ended:\n{tail(log.read_bytes())}")
        return answers(f"http://{address}/v2/")

    wait_until(heard, seconds=30, what=f"an answer of the registry at {address}")
