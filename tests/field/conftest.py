"""Fixtures: all set-ups in one API server, with the operator working on them until nothing changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from chainlit_operator.kinds import registry
from tests.admission.plane import ESTABLISHED, Plane, definition_of
from tests.e2e.kube import KubeError
from tests.field.building import HOST, NAMESPACE, SetUp
from tests.field.setups import SETUPS
from tests.objects import Object, path_of
from tests.waiting import eventually


class Field:
    """The set-ups in a cluster; ``refusals`` has the API server's message for each that it refused."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        self.refusals: dict[str, str] = {}

    def create(self) -> None:
        """Create the objects of all set-ups."""
        for kind in registry.WATCHED.values():
            if kind.is_optional and kind.kind not in ESTABLISHED:
                self._plane.establish(definition(kind))
        for setup in SETUPS:
            for namespace in (setup.name, f"infra-{setup.name}"):
                self._plane.admin.ensure_namespace(namespace)
            try:
                for obj in placed(setup):
                    where = path_of(obj["kind"], obj["metadata"]["namespace"])
                    self._plane.admin.request("POST", f"{where}?fieldManager=people", obj)
            except KubeError as error:
                self.refusals[setup.name] = error.message

    def settle(self) -> None:
        """Wait until each app has a status, and no object changes any more."""
        expected = {setup.name for setup in SETUPS} - self.refusals.keys()
        eventually(lambda: expected - self._judged(), lambda missing: not missing)
        seen = [self._versions()]
        eventually(lambda: seen.append(self._versions()), lambda _: seen[-3:] == [seen[-1]] * 3, every=1.0)

    def get(self, setup: SetUp, kind: str) -> Any:
        """Return the object ``chat`` of a kind."""
        return json.loads(self._plane.admin.request("GET", path_of(kind, setup.name, "chat")))

    def _judged(self) -> set[str]:
        found = json.loads(self._plane.admin.request("GET", path_of("ChainlitApp")))["items"]
        return {
            app["metadata"]["namespace"]
            for app in found
            if app.get("status", {}).get("observedGeneration") == app["metadata"]["generation"]
        }

    def _versions(self) -> dict[str, str]:
        kinds = ("ChainlitApp", *registry.WORKLOADS)
        listed = [json.loads(self._plane.admin.request("GET", path_of(kind)))["items"] for kind in kinds]
        return {obj["metadata"]["uid"]: obj["metadata"]["resourceVersion"] for items in listed for obj in items}


def placed(setup: SetUp) -> Iterator[Object]:
    """Yield the objects of a set-up with its namespace and its host."""
    for obj in setup.objects:
        text = json.dumps(obj).replace(NAMESPACE, setup.name).replace(HOST, f"{setup.name}.example.com")
        made: Object = json.loads(text)
        made["metadata"].setdefault("namespace", setup.name)
        yield made


def definition(kind: Any) -> Object:
    """Return a CRD of a kind that is watched, which takes any object."""
    return definition_of(kind.group, kind.version, kind.kind, kind.plural)


@pytest.fixture(scope="session")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    """All set-ups, each with the operator's final answer."""
    plane = Plane(tmp_path_factory.mktemp("field"))
    try:
        plane.start()
        made = Field(plane)
        made.create()
        with plane.operator():
            made.settle()
            yield made
    finally:
        plane.stop()
