"""Debian packages: what the machine's own sources say, and installing what is missing."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.console import run, step, succeeds
from tests.cluster.errors import ClusterError

SOURCES = Path("/etc/apt")
ARCHIVE_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


@dataclass(frozen=True)
class Source:
    """One archive that apt is told to use."""

    uri: str
    suites: tuple[str, ...]
    components: tuple[str, ...]


def parse_list(text: str) -> Iterator[Source]:
    """Read the one-line format (`deb [options] uri suite component…`)."""
    for line in text.splitlines():
        words = line.split("#")[0].split()
        if not words or words[0] != "deb":
            continue
        rest = words[1:]
        if rest and rest[0].startswith("["):
            while rest and not rest.pop(0).endswith("]"):
                pass
        if len(rest) >= 2:
            yield Source(rest[0], (rest[1],), tuple(rest[2:]))


def parse_deb822(text: str) -> Iterator[Source]:
    """Read the format of `.sources` files: stanzas of fields, continued on indented lines."""
    for stanza in _stanzas(text):
        if "deb" not in stanza.get("types", "").split() or stanza.get("enabled", "yes").lower() == "no":
            continue
        for uri in stanza.get("uris", "").split():
            yield Source(uri, tuple(stanza.get("suites", "").split()), tuple(stanza.get("components", "").split()))


def _stanzas(text: str) -> Iterator[dict[str, str]]:
    fields: dict[str, str] = {}
    name = ""
    for line in [*text.splitlines(), ""]:
        if line.startswith("#"):
            continue
        if not line.strip():
            if fields:
                yield fields
            fields, name = {}, ""
        elif line[0].isspace():
            fields[name] = f"{fields.get(name, '')} {line.strip()}"
        elif ":" in line:
            name, value = line.split(":", 1)
            name = name.strip().lower()
            fields[name] = value.strip()


def machine_sources(base: Path = SOURCES) -> list[Source]:
    """Return every archive in the machine's apt configuration."""
    found: list[Source] = []
    for file in [base / "sources.list", *sorted((base / "sources.list.d").glob("*"))]:
        if file.suffix == ".list" and file.is_file():
            found += parse_list(file.read_text())
        elif file.suffix == ".sources" and file.is_file():
            found += parse_deb822(file.read_text())
    return found


def mirror(sources: Iterable[Source], release: str) -> str | None:
    """Return the address that serves the main archive of a release, if the sources name one."""
    for source in sources:
        if release in source.suites and "main" in source.components and source.uri.startswith("http"):
            return source.uri
    return None


def os_release(path: Path = Path("/etc/os-release")) -> dict[str, str]:
    """Return the fields of os-release; empty where there is none."""
    if not path.is_file():
        return {}
    pairs = (line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)
    return {name: value.strip().strip('"') for name, value in pairs}


def debian_mirror() -> str:
    """Return the mirror for a Debian root file system. Raises ClusterError when the machine has none."""
    codename = os_release().get("VERSION_CODENAME", "")
    found = mirror(machine_sources(), codename) if os_release().get("ID") == "debian" else None
    if found is None:
        raise ClusterError(
            "building the node image from source needs a Debian machine whose apt sources name a Debian mirror; "
            "elsewhere let the image registry serve it (NODE_IMAGE=registry)"
        )
    return found


def require(programs: Mapping[str, str], why: str) -> None:
    """See to it that programs (command → package) are there, installing packages where we may.

    Raises ClusterError naming the packages where they cannot be installed.
    """
    _install({package for program, package in programs.items() if not _present(program)}, why)


def require_modules(modules: Mapping[str, str], why: str) -> None:
    """See to it that Python's own modules (name → package), which Debian splits off, are there.

    Raises ClusterError naming the packages where they cannot be installed.
    """
    _install({package for module, package in modules.items() if importlib.util.find_spec(module) is None}, why)


def _install(packages: Collection[str], why: str) -> None:
    missing = sorted(packages)
    if not missing:
        return
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise ClusterError(f"{why} needs packages that are not installed: {' '.join(missing)}")
    with step(f"apt packages ({' '.join(missing)})"):
        install = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        if not succeeds(install, env=quiet, timeout=900):
            # A broken source of something else must not stop us; whether ours worked the next line tells.
            succeeds(["apt-get", "update"], timeout=300)
            run(install, env=quiet, timeout=900)


def _present(program: str) -> bool:
    if program.startswith("/"):
        return Path(program).exists()
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is not None
