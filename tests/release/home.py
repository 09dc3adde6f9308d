"""Where this software is published: home.env, and the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.errors import ClusterError
from tests.cluster.versions import REPOSITORY

FILE = REPOSITORY / "home.env"
NAMES = ("HOME_URL", "IMAGE_PREFIX")


@dataclass(frozen=True)
class Home:
    """The repository's URL, and the registry with the path that images and charts have; empty while there is none."""

    url: str
    prefix: str

    @property
    def registry(self) -> str:
        """The registry's host, with its port."""
        return self.prefix.partition("/")[0]

    @property
    def charts(self) -> str:
        """Where the charts are pushed to; empty without a registry."""
        return f"oci://{self.prefix}/charts" if self.prefix else ""

    def image(self, name: str) -> str:
        """Return the repository of an image; its bare name without a registry."""
        return f"{self.prefix}/{name}" if self.prefix else name


def read(file: Path = FILE, environment: Mapping[str, str] = os.environ) -> Home:
    """Return the home that the file states, or a variable of the environment. Raises ClusterError."""
    stated = dict(_lines(file))
    if unknown := stated.keys() - set(NAMES):
        raise ClusterError(f"{file.name}: {', '.join(sorted(unknown))} is not known; it has {' and '.join(NAMES)}")
    found = {name: environment.get(name) or stated.get(name, "") for name in NAMES}
    url, prefix = found["HOME_URL"], found["IMAGE_PREFIX"]
    if not re.fullmatch(r"https://[^\s/]+(/[^\s/]+)+", url):
        raise ClusterError(f"HOME_URL={url}: write https:// and the repository, without a slash at the end")
    if prefix and not re.fullmatch(r"[a-z0-9.-]+(:\d+)?(/[a-z0-9._-]+)*", prefix):
        raise ClusterError(
            f"IMAGE_PREFIX={prefix}: write a registry and a path in small letters, without oci:// and without a slash "
            "at the end, such as registry.example.com/team"
        )
    return Home(url, prefix)


def _lines(file: Path) -> list[tuple[str, str]]:
    found = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals:
            raise ClusterError(f"{file.name}:{number}: write NAME=value, not {line!r}")
        found.append((name, value))
    return found
