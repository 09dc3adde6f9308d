"""The charts and the Python package with the places where they are published: links, images, digests.

The checkout names no registry, and its links are relative. A package is read elsewhere, so it gets absolute links and
the images of its own version.
"""

from __future__ import annotations

import posixpath
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster.errors import ClusterError
from tests.cluster.versions import REPOSITORY
from tests.release.home import Home
from tests.release.table import IMAGES, ReleaseImage

#: What a chart's page on Artifact Hub links to: titles, and paths of the repository or URLs.
LINKS = {
    "chainlit": {"Documentation": "charts/chainlit", "Chainlit": "https://docs.chainlit.io"},
    "chainlit-operator": {"Documentation": "charts/chainlit-operator", "Conditions": "docs/reference/reasons.md"},
}
_LINK = re.compile(r"\]\((?![a-z]+:|#)([^)#\s]+)(#[^)\s]*)?\)")
_CLONE = re.compile(r"(?s)<!-- from a clone -->\n.*?<!-- end -->\n")
_INSTALL = """\
```console
helm install {name} {charts}/{chart} --version {version} --namespace {name} --create-namespace
```
"""


@dataclass(frozen=True)
class Stamp:
    """What a package is stamped with; ``digests`` are those of the images by name, where they are pushed already."""

    home: Home
    version: str
    digests: Mapping[str, str] = field(default_factory=dict)

    def url(self, path: str) -> str:
        """Return the URL of a file or a directory of the repository at this version."""
        kind = "tree" if (REPOSITORY / path).is_dir() else "blob"
        return f"{self.home.url}/{kind}/v{self.version}/{path}"


def chart(stamp: Stamp, name: str, into: Path) -> Path:
    """Write a stamped copy of a chart below a directory and return its place. Raises ClusterError."""
    made = into / name
    shutil.copytree(REPOSITORY / "charts" / name, made, symlinks=True)
    edit(made / "Chart.yaml", lambda text: metadata(stamp, name, text))
    edit(made / "README.md", lambda text: readme(stamp, name, text))
    for image in IMAGES if stamp.home.prefix else ():
        for path in paths(image, name):
            edit(made / "values.yaml", lambda text, image=image, path=path: values(stamp, image, path, text))  # type: ignore[misc]
            edit(made / "README.md", lambda text, image=image, path=path: table(stamp, image, path, text))  # type: ignore[misc]
    return made


def metadata(stamp: Stamp, name: str, text: str) -> str:
    """Return a Chart.yaml with the home, its links, and the images in a registry."""
    links = {title: place if "://" in place else stamp.url(place) for title, place in LINKS[name].items()}
    lines = ["  artifacthub.io/links: |"]
    for title, url in links.items():
        lines += [f"    - name: {title}", f"      url: {url}"]
    used = [image for image in IMAGES if paths(image, name)] if stamp.home.prefix else []
    if used:
        lines.append("  artifacthub.io/images: |")
    for image in used:
        lines += [f"    - name: {image.name}", f"      image: {reference(stamp, image)}"]
    text = _replaced(
        text, r"(?m)^annotations:\n", "annotations:\n" + "\n".join(lines) + "\n", "annotations of Chart.yaml"
    )
    return text + f"home: {stamp.home.url}\nsources:\n  - {stamp.home.url}\n"


def readme(stamp: Stamp, name: str, text: str) -> str:
    """Return a README of a chart with absolute links; with a registry, its commands install from there."""
    text = links(stamp, f"charts/{name}", text)
    if not stamp.home.prefix:
        return text
    install = _INSTALL.format(charts=stamp.home.charts, chart=name, name=name, version=stamp.version)
    text = _CLONE.sub(lambda _: install, text)
    text = re.sub(r" --set image\.repository=registry\.example\.com/chainlit-operator(?= )", "", text)
    return re.sub(r"(?m)^(.*\bhelm (?:install|upgrade)\b.*?) charts/(?=chainlit)", rf"\1 {stamp.home.charts}/", text)


def links(stamp: Stamp, folder: str, text: str) -> str:
    """Return a page of a folder with absolute links."""

    def absolute(found: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(folder, found[1]))
        return f"]({stamp.url(path)}{found[2] or ''})"

    return _LINK.sub(absolute, text)


def values(stamp: Stamp, image: ReleaseImage, path: str, text: str) -> str:
    """Return a values.yaml in which one image is that of the registry."""
    for key, value in _image(stamp, image, path).items():
        text = set_value(text, f"{path}.{key}", value)
    return text


def table(stamp: Stamp, image: ReleaseImage, path: str, text: str) -> str:
    """Return a README in which the table of values has the image of the registry."""
    for key, value in _image(stamp, image, path).items():
        row = rf"(?m)^(\| {re.escape(path)}\.{key} \| string \| )`[^`]*`"
        text = _replaced(text, row, rf'\g<1>`"{value}"`', f"row {path}.{key} of the README")
    return text


def _image(stamp: Stamp, image: ReleaseImage, path: str) -> dict[str, str]:
    found = {"repository": stamp.home.image(image.name)}
    if image.by_tag(path):
        return {**found, "tag": stamp.version}
    return {**found, "digest": stamp.digests.get(image.name, "")}


def reference(stamp: Stamp, image: ReleaseImage) -> str:
    """Return the name of an image in the registry, by its digest where it is known."""
    name, digest = stamp.home.image(image.name), stamp.digests.get(image.name)
    return f"{name}@{digest}" if digest else f"{name}:{stamp.version}"


def paths(image: ReleaseImage, chart: str) -> list[str]:
    """Return the values of a chart that an image fills."""
    return [value.partition("/")[2] for value in image.values if value.partition("/")[0] == chart]


def set_value(text: str, path: str, value: str) -> str:
    """Return a values.yaml with another text at a dotted path. Raises ClusterError without such a key."""
    lines, start = text.splitlines(), 0
    for depth, key in enumerate(path.split(".")):
        line = re.compile(rf"{'  ' * depth}{re.escape(key)}:")
        found = next((number for number, held in enumerate(lines[start:], start) if line.match(held)), None)
        if found is None:
            raise ClusterError(f"values.yaml has no {path}")
        start = found + 1
    key = lines[start - 1].partition(":")[0]
    lines[start - 1] = f'{key}: "{value}"'
    return "\n".join(lines) + "\n"


def edit(file: Path, change: Callable[[str], str]) -> None:
    """Change the text of a file."""
    file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")


def _replaced(text: str, pattern: str, replacement: str, what: str) -> str:
    text, count = re.subn(pattern, replacement, text)
    if count != 1:
        raise ClusterError(f"{what}: expected once, found {count} times")
    return text
