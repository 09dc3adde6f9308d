"""Kinds of objects: those of Kubernetes, those whose definition a Go module carries, and all others."""

from __future__ import annotations

import re
from functools import cache

from tests.charts import openapi
from tests.charts.rendering import Object, load_all

#: API groups that come with Kubernetes.
BUILT_IN = re.compile(r"(|apps|batch|autoscaling|policy|.*\.k8s\.io)")


@cache
def definitions() -> tuple[Object, ...]:
    """Return the published definitions of custom resources. Raises ClusterError."""
    found = [item for path in openapi.definitions() for item in load_all(path.read_text(encoding="utf-8"))]
    return tuple(item for item in found if item["kind"] == "CustomResourceDefinition")


@cache
def _published() -> set[tuple[str, str]]:
    return {(item["spec"]["group"], item["spec"]["names"]["kind"]) for item in definitions()}


def has_schema(item: Object) -> bool:
    """Tell whether an object is of a kind with a published schema. Raises ClusterError."""
    group = item["apiVersion"].rpartition("/")[0]
    return (group, item["kind"]) in _published() or bool(BUILT_IN.fullmatch(group))
