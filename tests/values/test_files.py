"""Each values file as it is: it has a title, and its chart renders it to objects that an API server takes."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.admission.plane import definition_of
from tests.bench.controlplane import DRIVER, ControlPlane
from tests.charts.rendering import Object
from tests.cluster import tools
from tests.cluster.console import run
from tests.starting import started
from tests.values import kinds
from tests.values.files import ValuesFile, files

FILES = [pytest.param(file, id=file.name) for file in files()]
#: What an API server says that is no fault of the chart.
SAID = ('annotation "kubernetes.io/ingress.class" is deprecated',)  # the only one that GKE reads


class Server:
    """A bare API server with the definitions of all custom resources that the files use."""

    def __init__(self, work: Path) -> None:
        self._plane, self._work = ControlPlane(work), work
        self._environment: dict[str, str] = {}

    def start(self) -> None:
        """Start it. Raises ClusterError."""
        self._plane.start()
        self._environment = {"KUBECONFIG": str(self._plane.kubeconfig(DRIVER))}
        rendered = [item for file in files() for item in file.objects()]
        namespaces = {item["metadata"].get("namespace") for item in rendered} | {file.namespace for file in files()}
        self._create(*kinds.definitions(), *_others(rendered), *map(_namespace, sorted(namespaces - {None})))
        self._kubectl("wait", "--for=condition=Established", "--all", "--timeout=60s", "crd")

    def stop(self) -> None:
        """Stop it."""
        self._plane.stop()

    def try_out(self, objects: tuple[Object, ...], namespace: str) -> tuple[int, str]:
        """Apply objects without keeping them; returns the exit status and what the API server says beside names."""
        command = [str(tools.kubectl()), "apply", "--server-side", "--dry-run=server", "--field-manager=helm"]
        told = subprocess.run(
            [*command, "--filename=-"],
            input=_list(objects),
            env=os.environ | {"KUBECONFIG": str(self._in(namespace))},
            capture_output=True,
            text=True,
            check=False,
        )
        assert told.returncode or told.stdout.count("serverside-applied") == len(objects), told.stdout
        return told.returncode, told.stderr

    def _in(self, namespace: str) -> Path:
        """Return a kubeconfig whose namespace is that of objects without one; an option would refuse others."""
        text = self._plane.kubeconfig(DRIVER).read_text(encoding="utf-8")
        file = self._work / f"{namespace}.kubeconfig"
        file.write_text(text.replace("namespace: default", f"namespace: {namespace}"), encoding="utf-8")
        return file

    def _create(self, *objects: Object) -> None:
        self._kubectl("apply", "--server-side", "--filename=-", stdin=_list(objects))

    def _kubectl(self, *arguments: str, stdin: str | None = None) -> None:
        run([tools.kubectl(), *arguments], env=self._environment, stdin=stdin)


def _list(objects: tuple[Object, ...]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})


def _namespace(name: str) -> Object:
    """A namespace whose API server warns of pods that the restricted standard would refuse."""
    labels = {"pod-security.kubernetes.io/warn": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _others(objects: list[Object]) -> Iterator[Object]:
    """Yield a definition that takes anything for each kind without a published one."""
    for api, kind in sorted({(item["apiVersion"], item["kind"]) for item in objects if not kinds.has_schema(item)}):
        group, _, version = api.rpartition("/")
        yield definition_of(group, version, kind, f"{kind.lower()}s")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with started(Server(tmp_path_factory.mktemp("server"))) as made:
        yield made


def test_there_are_many() -> None:
    assert len(FILES) >= 60
    titles = [file.title for file in files()]
    assert len(set(titles)) == len(titles)
    assert [title for title in titles if not re.fullmatch(r"[A-Za-z].{10,110}\.", title)] == []


@pytest.mark.parametrize("file", FILES)
def test_an_api_server_takes_it(server: Server, file: ValuesFile) -> None:
    """With no field that it does not know, and with pods of the restricted standard."""
    status, said = server.try_out(file.objects(), file.namespace)
    assert (status, [line for line in said.splitlines() if not any(known in line for known in SAID)]) == (0, [])


def test_what_it_refuses_is_said(server: Server) -> None:
    wrong = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}, "spec": {"ports": [{"port": 0}]}}
    status, said = server.try_out((wrong,), "demo")
    assert status and "spec.ports[0].port" in said


def test_pods_that_may_too_much_are_said(server: Server) -> None:
    (file,) = [file for file in files() if file.name == "chainlit/no-route"]
    (deployment,) = [item for item in file.objects() if item["kind"] == "Deployment"]
    pod = {**deployment["spec"]["template"]["spec"], "hostNetwork": True}
    loose = {**deployment, "spec": {**deployment["spec"], "template": {**deployment["spec"]["template"], "spec": pod}}}
    assert "would violate PodSecurity" in server.try_out((loose,), "demo")[1]
