"""Container images written directly as archives: one layer of files, no engine needed."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True)
class Image:
    """An image to write: files by their path inside it, symbolic links, and how it starts."""

    references: Sequence[str]
    files: Mapping[str, Path]
    links: Mapping[str, str] = field(default_factory=dict)
    directories: Sequence[str] = ("/tmp",)
    entrypoint: Sequence[str] = ()
    user: str = ""


def architecture() -> str:
    """Return this machine's architecture by the name that images use."""
    return ARCHITECTURES.get(platform.machine(), platform.machine())


def write(image: Image, into: Path) -> None:
    """Write an image as an archive that engines and containerd load. The same files give the same archive."""
    layer = into.with_suffix(".layer")
    _write_layer(image, layer)
    digest = _digest(layer)
    config = json.dumps(
        {
            "architecture": architecture(),
            "os": "linux",
            "config": {
                "Env": [f"PATH={DEFAULT_PATH}"],
                "Entrypoint": list(image.entrypoint),
                "User": image.user,
            },
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
            "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "tests.cluster"}],
        }
    ).encode()
    config_name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = [{"Config": config_name, "RepoTags": list(image.references), "Layers": [f"{digest}/layer.tar"]}]
    with tarfile.open(into, "w") as archive:
        _add_bytes(archive, "manifest.json", json.dumps(manifest).encode())
        _add_bytes(archive, config_name, config)
        with layer.open("rb") as content:
            entry = tarfile.TarInfo(f"{digest}/layer.tar")
            entry.size = layer.stat().st_size
            archive.addfile(entry, content)
    layer.unlink()


def _write_layer(image: Image, path: Path) -> None:
    parents = {
        parent.as_posix()
        for name in [*image.files, *image.links, *(f"{name}/x" for name in image.directories)]
        for parent in Path(name.lstrip("/")).parents
        if parent.as_posix() != "."
    }
    writable = {name.lstrip("/") for name in image.directories}
    with tarfile.open(path, "w") as layer:
        for name in sorted(parents):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if name in writable else 0o755
            layer.addfile(entry)
        for name, source in sorted(image.files.items()):
            with source.open("rb") as content:
                entry = tarfile.TarInfo(name.lstrip("/"))
                entry.mode, entry.size = source.stat().st_mode & 0o777 | 0o444, source.stat().st_size
                layer.addfile(entry, content)
        for name, target in sorted(image.links.items()):
            entry = tarfile.TarInfo(name.lstrip("/"))
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            layer.addfile(entry)


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
