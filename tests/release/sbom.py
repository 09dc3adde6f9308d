"""The packages of an image as CycloneDX, read from the image itself and held against the file that pins them."""

from __future__ import annotations

import json
import re
import subprocess
import tarfile
from collections.abc import Iterable, Mapping
from email.parser import HeaderParser
from pathlib import Path
from typing import IO

from tests.cluster.errors import ClusterError
from tests.release import tools

#: Our own environment in the image; what the base brings elsewhere is the base's.
_INSTALLED = re.compile(r"(?:\./)?opt/venv/lib/python3[.\d]*/site-packages/[^/]+\.dist-info/METADATA")
_PINNED = re.compile(r"(?m)^([A-Za-z0-9._-]+)==([^\s;\\]+)")
#: What `python3 -m venv` itself puts into an environment that keeps pip.
OF_PYTHON = frozenset({"pip", "setuptools"})


def installed(reference: str, platform: str = "") -> dict[str, str]:
    """Return the packages that an image in a registry has, with their versions. Raises ClusterError.

    An image for several platforms is read for one of them, such as ``linux/arm64``.
    """
    command = [str(tools.crane()), "export", *([f"--platform={platform}"] if platform else []), reference, "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as exported:
        assert exported.stdout is not None and exported.stderr is not None
        try:
            found = packages(exported.stdout)
        except tarfile.TarError as error:
            raise ClusterError(f"{reference}: {exported.stderr.read().decode().strip() or error}") from None
    if not found:
        raise ClusterError(f"{reference} has no Python packages in /opt/venv")
    return found


def packages(archive: IO[bytes]) -> dict[str, str]:
    """Return the packages in the files of an image."""
    with tarfile.open(fileobj=archive, mode="r|") as files:
        metadata = (files.extractfile(member) for member in files if _INSTALLED.fullmatch(member.name))
        headers = (HeaderParser().parsestr(file.read().decode()) for file in metadata if file is not None)
        return {canonical(found["Name"]): found["Version"] for found in headers}


def pinned(lock: Path) -> dict[str, str]:
    """Return the packages that a requirements file pins, with their versions."""
    return {canonical(name): version for name, version in _PINNED.findall(lock.read_text(encoding="utf-8"))}


def differences(found: Mapping[str, str], lock: Mapping[str, str]) -> list[str]:
    """Return a line for each package in which an image and the file that pins its packages differ."""
    said = []
    for name in sorted(found.keys() | lock.keys()):
        if name in OF_PYTHON and name not in lock:
            continue
        if found.get(name) != lock.get(name):
            said.append(f"{name}: the image has {found.get(name, 'none')}, the lock file {lock.get(name, 'none')}")
    return said


def document(name: str, version: str, found: Mapping[str, str]) -> str:
    """Return the CycloneDX document of an image; the same packages give the same bytes."""
    subject = {"type": "container", "bom-ref": name, "name": name, "version": version}
    components = list(_components(found.items()))
    needs = [{"ref": name, "dependsOn": [component["bom-ref"] for component in components]}]
    made = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "metadata": {"component": subject}}
    return json.dumps({**made, "components": components, "dependencies": needs}, indent=2) + "\n"


def _components(found: Iterable[tuple[str, str]]) -> Iterable[dict[str, str]]:
    for name, version in sorted(found):
        purl = f"pkg:pypi/{name}@{version}"
        yield {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def canonical(name: str) -> str:
    """Return the name of a package as the index spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()
