"""Defaults of a template that give way to what the user sets beside them.

The API server refuses these pairs, and Helm cannot take a default away in the values of a subchart. The app chart has
the same rules.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Fields = Mapping[str, Any]

#: Limits that nobody has set.
LIMITS: Mapping[str, str] = {"memory": "1Gi", "ephemeral-storage": "2Gi"}

_UNITS = {"": 1.0} | {
    unit: base**power
    for base, units in ((1000.0, ("k", "M", "G", "T", "P", "E")), (1024.0, ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei")))
    for power, unit in enumerate(units, 1)
}


def strategy(given: Fields) -> dict[str, Any]:
    """Return a Deployment's strategy without settings of a type that it does not have."""
    if given.get("type", "RollingUpdate") == "RollingUpdate":
        return dict(given)
    return {name: value for name, value in given.items() if name != "rollingUpdate"}


def lifecycle(given: Fields) -> dict[str, Any]:
    """Return a container's hooks without the default sleep, where ``preStop`` has another handler."""
    hook = given.get("preStop") or {}
    if len(hook) > 1 and "sleep" in hook:
        return {**given, "preStop": {name: value for name, value in hook.items() if name != "sleep"}}
    return dict(given)


def resources(given: Fields) -> dict[str, Any]:
    """Return a container's resources, with default limits lifted to requests that exceed them."""
    requests, limits = given.get("requests") or {}, given.get("limits") or {}
    lifted = {
        name: requests[name]
        for name, default in LIMITS.items()
        if limits.get(name) == default and size(requests.get(name, "")) > size(default)
    }
    return {**given, "limits": {**limits, **lifted}} if lifted else dict(given)


def size(quantity: object) -> float:
    """Return a quantity of memory in bytes; 0 for what is no such quantity."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]*)?(?:[eE][0-9]{1,2})?)([A-Za-z]*)", str(quantity))
    return float(found[1]) * _UNITS.get(found[2], 0.0) if found else 0.0
