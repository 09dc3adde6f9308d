"""Renders the charts as a user would, with the ``helm`` on PATH, each combination once per session."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from .generated import CHARTS

Object = dict[str, Any]
Values = Mapping[str, Any]

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

#: No cluster, whatever the environment of the tests has.
_ENVIRONMENT = os.environ | {"KUBECONFIG": os.devnull}


class Refused(Exception):
    """Helm would not render; the message is Helm's own."""


@dataclass(frozen=True)
class Rendered:
    """The objects of one release. They are shared between tests: not to be changed."""

    objects: tuple[Object, ...]

    def all(self, kind: str) -> list[Object]:
        return [item for item in self.objects if item["kind"] == kind]

    def one(self, kind: str) -> Object:
        (item,) = self.all(kind)
        return item

    def named(self, kind: str, name: str) -> Object:
        """Return the object of that kind and name."""
        (item,) = [item for item in self.all(kind) if item["metadata"]["name"] == name]
        return item

    def pod(self) -> Object:
        """The pod template of the only Deployment."""
        template: Object = self.one("Deployment")["spec"]["template"]
        return template

    def container(self) -> Object:
        """The first container of the only Deployment, which is the chart's own."""
        container: Object = self.pod()["spec"]["containers"][0]
        return container

    def env(self) -> dict[str, Any]:
        """The variables of that container: values, or the whole entry where there is a ``valueFrom``."""
        entries = self.container()["env"]
        names = [entry["name"] for entry in entries]
        assert len(names) == len(set(names)), f"repeated variables: {names}"
        return {entry["name"]: entry.get("value", entry) for entry in entries}


def load(text: str) -> Any:
    return yaml.load(text, Loader=_Loader)


def load_all(text: str) -> list[Any]:
    return [document for document in yaml.load_all(text, Loader=_Loader) if document]


def helm(*arguments: str, values: str = "{}") -> str:
    """Run helm with ``values`` on its standard input."""
    result = subprocess.run(
        ["helm", *arguments], input=values, capture_output=True, text=True, check=False, env=_ENVIRONMENT
    )
    if result.returncode:
        raise Refused(result.stderr + result.stdout)
    return result.stdout


class _Dumper(yaml.SafeDumper):
    """Quotes every string: PyYAML and Helm do not agree on which plain words are strings (``y``, ``0o7``)."""


_Dumper.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


def dump(values: Values) -> str:
    """Values as YAML in ASCII, where every character has an escape that Helm reads."""
    return yaml.dump(dict(values), Dumper=_Dumper, allow_unicode=False)


@cache
def _render(chart: Path, values: str, release: str, namespace: str, apis: tuple[str, ...]) -> Rendered | Refused:
    options = [f"--api-versions={name}" for name in apis]
    try:
        text = helm("template", release, str(chart), "--namespace", namespace, *options, "--values", "-", values=values)
    except Refused as refused:
        return refused
    return Rendered(tuple(load_all(text)))


def render(
    chart: str | Path,
    values: Values | None = None,
    *,
    release: str = "chat",
    namespace: str = "demo",
    apis: tuple[str, ...] = (),
) -> Rendered:
    """Render a chart for a cluster that has ``apis`` beside those of Kubernetes. Raises Refused."""
    result = _render(CHARTS / chart, dump(values or {}), release, namespace, apis)
    if isinstance(result, Refused):
        raise result
    return result


def app(
    values: Values | None = None, *, release: str = "chat", namespace: str = "demo", apis: tuple[str, ...] = ()
) -> Rendered:
    """Render the chart ``chainlit`` with an image, which has no default."""
    given = dict(values or {})
    given["image"] = {"repository": "example/chat", **given.get("image", {})}
    return render("chainlit", given, release=release, namespace=namespace, apis=apis)


def operator(values: Values | None = None, *, release: str = "op", namespace: str = "system") -> Rendered:
    return render("chainlit-operator", values, release=release, namespace=namespace)


def notes(chart: str, values: Values, *, release: str = "chat", namespace: str = "demo") -> str:
    """Return what the user reads after an installation."""
    arguments = ("install", "--dry-run=client", release, str(CHARTS / chart), "--namespace", namespace)
    return helm(*arguments, "--values", "-", values=dump(values)).partition("\nNOTES:\n")[2]


def refusal(chart: str, values: Values) -> str:
    """Return the message with which the values are refused."""
    try:
        render(chart, values)
    except Refused as refused:
        return str(refused)
    raise AssertionError(f"not refused: {values}")
