"""The values files that run in a cluster (running.yaml), and how helm gets one with what differs there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

from tests.charts.rendering import Object, load
from tests.values.files import RELEASES, ValuesFile, files

ROWS = Path(__file__).with_name("running.yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A row of running.yaml, whose head explains the fields. Texts may have ``$names``, which ``filled`` replaces."""

    file: str
    at: list[str]
    edge: str = "traefik"
    values: Mapping[str, Any] = field(default_factory=dict)
    image: str = "demo"
    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    config_maps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    objects: list[Object] = field(default_factory=list)
    servers: Mapping[str, Object] = field(default_factory=dict)
    database: bool = False
    ready: int | None = None
    answers: Mapping[str, str] = field(default_factory=dict)
    login: str = ""
    command: list[str] = field(default_factory=list)

    def values_file(self) -> ValuesFile:
        """Return the values file. Raises KeyError if there is none of the name."""
        return {found.name: found for found in files()}[self.file]

    @property
    def release(self) -> str:
        """The name of the release."""
        return RELEASES[self.values_file().chart][0]

    def filled(self, **names: str) -> Run:
        """Return the row with texts in the place of its ``$names``. Raises KeyError for a name that has none."""
        return _row(self.file, _filled(_ROWS[self.file], names))

    def options(self, image: str, host: str) -> Iterator[str]:
        """Yield helm's options: the file, the image and the host of the cluster, and then the row's values."""
        yield f"--values={self.values_file().path}"
        stated = load(self.values_file().path.read_text(encoding="utf-8"))
        prefix = "chainlit." if self.values_file().chart == "umbrella" else ""
        repository, _, tag = image.rpartition(":")
        cluster = {"image.repository": repository, "image.tag": tag, "image.digest": ""}
        if (stated["chainlit"] if prefix else stated)["route"].get("host"):
            cluster["route.host"] = host
        given = {prefix + path: value for path, value in cluster.items()} | dict(self.values)
        yield from (f"--set-json={path}={json.dumps(value)}" for path, value in given.items())

    def __str__(self) -> str:
        return self.file


def runs() -> list[Run]:
    """Return all rows, with their ``$names``. Raises TypeError for a field that a row cannot have."""
    return [_row(file, row) for file, row in _ROWS.items()]


def _row(file: str, row: Object) -> Run:
    return Run(file=file, **row)


def _filled(row: Any, names: Mapping[str, str]) -> Any:
    if isinstance(row, str):
        return Template(row).substitute(names)
    if isinstance(row, dict):
        return {key: _filled(value, names) for key, value in row.items()}
    return [_filled(each, names) for each in row] if isinstance(row, list) else row


_ROWS: dict[str, Object] = load(ROWS.read_text(encoding="utf-8"))
