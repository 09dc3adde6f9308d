"""Schemas for kubeconform: of Kubernetes' releases, made from their OpenAPI, and of definitions of custom resources.

As strict as the API server: a field that a release does not know is an error, which the published OpenAPI leaves open.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.cluster import cache, golang, traefik
from tests.cluster.kubernetes import MODULE
from tests.cluster.versions import pinned

from .generated import CHARTS
from .rendering import load_all

Schema = dict[str, Any]

OPENAPI = "api/openapi-spec/swagger.json"
PROMETHEUS = "github.com/prometheus-operator/prometheus-operator"
CONTOUR = "github.com/projectcontour/contour"
ARGO_CD = "github.com/argoproj/argo-cd/v3"
FLUX = "github.com/fluxcd"
OURS = CHARTS / "chainlit-operator/files/chainlitapps.yaml"

_PREFIX = "#/definitions/"
#: Types that JSON writes in another way than the OpenAPI says, which has room for one type only.
_LOOSE = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": ["string", "number"],
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": ["string", "integer"],
}


def schemas() -> list[str]:
    """Return where the schemas are, as kubeconform's ``-schema-location``. Raises ClusterError."""
    parts: list[str | Path] = [Path(__file__), OURS, traefik.definitions(), pinned().contour]
    versions = [pinned().prometheus_operator, pinned().argo_cd, *pinned().flux.values()]
    key = cache.key_of([*parts, *pinned().charts_kubernetes, *versions])
    made = cache.entry("schemas", key, _make)
    name = "{{.ResourceKind}}{{.KindSuffix}}.json"
    return [f"{made}/{{{{.NormalizedKubernetesVersion}}}}/{name}", f"{made}/custom/{name}"]


def _make(into: Path) -> None:
    for version in pinned().charts_kubernetes:
        published = Path(golang.module_info(MODULE, version)["Dir"]) / OPENAPI
        (into / version).mkdir()
        for name, schema in of_release(json.loads(published.read_text(encoding="utf-8"))["definitions"]):
            (into / version / name).write_text(json.dumps(schema), encoding="utf-8")
    (into / "custom").mkdir()
    for file in definitions():
        for definition in load_all(file.read_text(encoding="utf-8")):
            for name, schema in of_definition(definition):
                (into / "custom" / name).write_text(json.dumps(schema), encoding="utf-8")


def definitions() -> Iterator[Path]:
    """Yield the files with definitions of custom resources that the charts know. Raises ClusterError."""
    prometheus = Path(golang.module_info(PROMETHEUS, pinned().prometheus_operator)["Dir"])
    for name in ("podmonitors", "prometheusrules", "servicemonitors"):
        yield prometheus / f"example/prometheus-operator-crd/monitoring.coreos.com_{name}.yaml"
    yield Path(golang.module_info(CONTOUR, pinned().contour)["Dir"]) / "examples/contour/01-crds.yaml"
    yield from traefik.definitions().glob("*.yaml")
    yield Path(golang.module_info(ARGO_CD, pinned().argo_cd)["Dir"]) / "manifests/crds/application-crd.yaml"
    for name, version in pinned().flux.items():
        yield from Path(golang.module_info(f"{FLUX}/{name}", version)["Dir"]).glob("config/crd/bases/*.yaml")
    yield OURS


def of_release(definitions: dict[str, Schema]) -> Iterator[tuple[str, Schema]]:
    """Yield file name and schema of each kind that a release's OpenAPI defines."""
    strict = {name: _strict(schema) for name, schema in definitions.items()}
    strict |= {name: {"type": types} for name, types in _LOOSE.items()}
    for name, schema in definitions.items():
        for kind in schema.get("x-kubernetes-group-version-kind", ()):
            needed: dict[str, Schema] = {}
            _collect(name, strict, needed)
            yield _file(kind["group"], kind["version"], kind["kind"]), {"$ref": _PREFIX + name, "definitions": needed}


def of_definition(definition: Schema) -> Iterator[tuple[str, Schema]]:
    """Yield file name and schema of each version of a CustomResourceDefinition; nothing for other objects."""
    if definition.get("kind") != "CustomResourceDefinition":
        return
    spec = definition["spec"]
    for version in spec["versions"]:
        schema = _strict(version["schema"]["openAPIV3Schema"])
        schema["properties"]["metadata"] = {"type": "object"}  # of which the definition says no more
        yield _file(spec["group"], version["name"], spec["names"]["kind"]), schema


def _file(group: str, version: str, kind: str) -> str:
    return "-".join(part for part in (kind.lower(), group.partition(".")[0], version) if part) + ".json"


def _collect(name: str, definitions: dict[str, Schema], found: dict[str, Schema]) -> None:
    """Add a definition and all that it refers to."""
    if name not in found:
        found[name] = definitions[name]
        for reference in _references(definitions[name]):
            _collect(reference.removeprefix(_PREFIX), definitions, found)


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        for value in schema.values():
            yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)


def _strict(schema: Schema) -> Schema:
    """Return a schema in which maps with known fields have no others, without what only people read."""
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["string", "integer"]}
    made = {key: value for key, value in schema.items() if not key.startswith("x-") and key != "description"}
    for key in ("items", "additionalProperties", "not"):
        if isinstance(made.get(key), dict):
            made[key] = _strict(made[key])
    if "properties" in made:
        made["properties"] = {name: _strict(value) for name, value in made["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            made.setdefault("additionalProperties", False)
    if made.pop("nullable", False) and "type" in made:
        made["type"] = [made["type"], "null"]
    return made
