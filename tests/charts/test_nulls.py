"""A null in a values file, such as a key with nothing behind it: an empty value, a default, or refused by name."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from .generated import NAMES, defaults, known_values
from .rendering import Object, Refused, Rendered, render

Path = tuple[str, ...]

#: Values of each chart with which all of its templates render something.
EVERYTHING: dict[str, Object] = {
    "chainlit": {
        "image": {"repository": "example/chat"},
        "app": {"files": {"app.py": "", "public/a": ""}},
        "chainlit": {"config": {"UI": {"name": "x"}}},
        "auth": {"secret": "k" * 32},
        "database": {"existingSecret": "x"},
        "storage": {"provider": "gcs", "existingSecret": "x"},
        "authProxy": {
            "enabled": True,
            "existingSecret": "x",
            "issuerURL": "https://login.example.com",
            "emailDomains": ["*"],
        },
        "operator": {"enabled": True},
        "route": {"controller": "traefik", "host": "a.example", "path": "/x", "certManager": {"issuer": "x"}},
        "autoscaling": {"enabled": True},
        "networkPolicy": {"enabled": True},
        "drain": {"enabled": True},
        "tests": {"image": {"repository": "example/operator"}, "connectTo": "edge", "caConfigMap": "x"},
    },
    "chainlit-operator": {
        "replicaCount": 2,
        "watchNamespaces": ["a"],
        "verification": {"caConfigMap": "x"},
        "metrics": {name: {"enabled": True} for name in ("serviceMonitor", "prometheusRule", "dashboard")},
        "commonAnnotations": {"a": "b"},
        "networkPolicy": {"enabled": True},
        "routePolicy": {"enabled": True},
    },
}

#: Values of each chart that it cannot do without.
BARE: dict[str, Object] = {"chainlit": {"image": {"repository": "example/chat"}}, "chainlit-operator": {}}


def places(tree: Object, path: Path = ()) -> Iterator[Path]:
    """Yield the paths of all values, and of the maps that they are in."""
    for name, value in tree.items():
        yield (*path, name)
        if isinstance(value, dict):
            yield from places(value, (*path, name))


def with_null(tree: Object, path: Path) -> Object:
    made = copy.deepcopy(tree)
    place = made
    for step in path[:-1]:
        place = place.setdefault(step, {})
    place[path[-1]] = None
    return made


def sections(node: Object, path: Path = ()) -> Iterator[Path]:
    """Yield the paths of the sections: maps whose keys are all known."""
    for name, child in node["keys"].items():
        if "keys" in child and "default" not in child:
            yield (*path, name)
            yield from sections(child, (*path, name))


def nulls(value: Any, where: str = "") -> Iterator[str]:
    """Yield the fields of an object that have nothing in them."""
    if value is None:
        yield where
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from nulls(item, f"{where}.{key}")


def rendered(chart: str, path: Path, values: Object) -> Rendered | str:
    """Return the objects of a release with a null at a path, or the message with which it is refused."""
    try:
        return render(chart, with_null(values, path) if path else values)
    except Refused as refused:
        return str(refused)


CASES = [
    pytest.param(chart, path, id=f"{chart}:{'.'.join(path)}") for chart in NAMES for path in places(defaults(chart))
]


@pytest.mark.parametrize(("chart", "path"), CASES)
def test_a_null_is_an_empty_value_or_refused_by_name(chart: str, path: Path) -> None:
    found = rendered(chart, path, EVERYTHING[chart])
    if isinstance(found, Rendered):
        assert "<nil>" not in json.dumps(found.objects)
        assert not [where for item in found.objects for where in nulls(item)]
        return
    assert "execution error" in found and ".".join(path) in found, found


SECTIONS = [
    pytest.param(chart, path, id=f"{chart}:{'.'.join(path)}")
    for chart in NAMES
    for path in sections(known_values(chart)["values"])
    if (chart, path) != ("chainlit", ("image",))  # it has no default repository
]


@pytest.mark.parametrize(("chart", "path"), SECTIONS)
def test_a_section_whose_children_are_commented_out_has_its_defaults(chart: str, path: Path) -> None:
    assert rendered(chart, path, BARE[chart]) == rendered(chart, (), BARE[chart])
