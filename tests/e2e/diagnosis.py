"""What was in the cluster when a test failed: files for whoever looks into it, and the gist of them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import yaml

from tests.e2e.cluster import OPERATOR_NAMESPACE, REPOSITORY, Space
from tests.e2e.kube import Kube, KubeError
from tests.objects import NAMESPACED_RESOURCES

_LINES = 400


def dump(space: Space, test: str) -> str:
    """Write everything there is to know about a test's namespace into a directory; return a summary with its path."""
    root = Path(os.environ.get("E2E_ARTIFACTS") or REPOSITORY / "tests" / "e2e" / "artifacts")
    directory = root / re.sub(r"[^A-Za-z0-9_.-]+", "-", test).strip("-")
    directory.mkdir(parents=True, exist_ok=True)
    kube = space.kube
    for kind in NAMESPACED_RESOURCES:
        if kind != "Secret":
            _write(directory / f"{kind.lower()}.yaml", partial(_objects, kube, kind, space.name))
    _write(directory / "operator.yaml", partial(_objects, kube, "Pod", OPERATOR_NAMESPACE))
    _write(directory / "pod.log", partial(_logs, kube, space.name))
    _write(directory / "operator.log", partial(_logs, kube, OPERATOR_NAMESPACE))
    _write(directory / "traefik.log", partial(_logs, kube, "traefik"))
    return f"objects and logs: {directory}\n{_safely(partial(_summary, space))}"


def _write(path: Path, make: Callable[[], str]) -> None:
    path.write_text(_safely(make), encoding="utf-8")


def _safely(make: Callable[[], str]) -> str:
    """A dump that fails must not hide why the test did."""
    try:
        return make()
    except Exception as error:
        return f"not to be had: {error}\n"


def _objects(kube: Kube, kind: str, namespace: str) -> str:
    return yaml.safe_dump_all(kube.objects(kind, namespace), sort_keys=False, width=120)


def _logs(kube: Kube, namespace: str) -> str:
    return "\n".join(_sections(kube, namespace))


def _sections(kube: Kube, namespace: str) -> Iterator[str]:
    for pod in kube.objects("Pod", namespace):
        for status in pod.get("status", {}).get("containerStatuses", []):
            for previous in (True, False) if status["restartCount"] else (False,):
                name, container = pod["metadata"]["name"], status["name"]
                yield f"==> {name}/{container}{' (before its restart)' if previous else ''}"
                try:
                    yield kube.logs(namespace, name, container, previous=previous, lines=_LINES)
                except KubeError as error:
                    yield f"not to be had: {error}"


def _summary(space: Space) -> str:
    lines = []
    for app in space.objects("ChainlitApp"):
        lines.append(f"ChainlitApp {app['metadata']['name']}, generation {app['metadata']['generation']}")
        lines += [
            f"  {c['type']}={c['status']} {c['reason']} (of {c['observedGeneration']}): {c['message']}"
            for c in app.get("status", {}).get("conditions", [])
        ]
    for pod in space.objects("Pod"):
        states = [
            f"{s['name']} {'ready' if s['ready'] else next(iter(s['state']), '?')}, {s['restartCount']} restarts"
            for s in pod.get("status", {}).get("containerStatuses", [])
        ]
        lines.append(f"Pod {pod['metadata']['name']}: {pod['status']['phase']}; {'; '.join(states)}")
    for event in space.objects("Event")[-15:]:
        about = event["involvedObject"]
        lines.append(f"Event {about['kind']} {about['name']}: {event['reason']}: {event['message']}")
    return "\n".join(lines)
