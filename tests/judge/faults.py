"""The faults that are planted. Each is a context: the fault is there inside, and gone after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple

from tests.e2e.demo import ROOT_PATH
from tests.judge.court import STICKY, Court
from tests.objects import ingress
from tests.waiting import eventually

EDGE = ("Deployment", "traefik", "traefik")


class Plan(NamedTuple):
    """A kind of fault; ``source`` says what can notice it: Watch, Service or Edge."""

    name: str
    source: str
    plant: Callable[[Court], AbstractContextManager[None]]


@contextmanager
def route_edited(court: Court) -> Iterator[None]:
    """The path of the Ingress changes. The operator aligns the app."""
    court.path = "/talk" if court.path == "/chat" else "/chat"
    court.space.move(court.path)
    yield


@contextmanager
def value_wrong(court: Court) -> Iterator[None]:
    """Somebody sets a wrong root path. The operator sets it right."""
    court.space.kubectl("set", "env", "deployment/chat", f"{ROOT_PATH}=/wrong")
    yield


@contextmanager
def pods_killed(court: Court) -> Iterator[None]:
    """All pods are deleted without any grace."""
    for pod in court.space.pods():
        if pod["metadata"]["labels"].get("app") == "chat":
            court.space.kube.delete("Pod", court.space.name, pod["metadata"]["name"], grace_seconds=0)
    yield


@contextmanager
def driver_missing(court: Court) -> Iterator[None]:
    """A database is configured whose driver the image does not have."""
    court.space.kubectl("set", "env", "deployment/chat", "DATABASE_URL=postgresql://nowhere.invalid/chat")
    yield
    court.space.kubectl("set", "env", "deployment/chat", "DATABASE_URL-")


@contextmanager
def affinity_removed(court: Court) -> Iterator[None]:
    """Nothing keeps a browser at one of the two pods."""
    court.space.patch("Service", {"metadata": {"annotations": dict.fromkeys(STICKY)}})
    yield
    court.space.patch("Service", {"metadata": {"annotations": STICKY}})


@contextmanager
def socket_taken(court: Court) -> Iterator[None]:
    """The Ingress of another team takes the WebSocket."""
    court.space.create(ingress(court.space.host, f"{court.path}/ws", "other"))
    yield
    court.space.kube.delete("Ingress", court.space.name, "other")


@contextmanager
def service_wrong(court: Court) -> Iterator[None]:
    """The Service leads to a port on which nothing listens."""
    _set_target_port(court, 9)
    yield
    _set_target_port(court, "http")


def _set_target_port(court: Court, port: int | str) -> None:
    court.space.patch("Service", {"spec": {"ports": [{"name": "http", "port": 80, "targetPort": port}]}})


@contextmanager
def app_hangs(court: Court) -> Iterator[None]:
    """The processes of the app stop, and nothing in the cluster changes until the probes fail."""
    pods = [pod["metadata"]["name"] for pod in court.space.pods() if pod["metadata"]["labels"].get("app") == "chat"]
    for pod in pods:
        court.operator.signal(pod, "STOP")
    yield
    for pod in pods:
        court.operator.signal(pod, "CONT")


@contextmanager
def edge_down(court: Court) -> Iterator[None]:
    """The ingress controller is gone."""
    kube, (kind, namespace, name) = court.space.kube, EDGE
    kube.patch(kind, namespace, name, {"spec": {"replicas": 0}})
    yield
    kube.patch(kind, namespace, name, {"spec": {"replicas": 1}})
    eventually(lambda: kube.get(kind, namespace, name)["status"].get("availableReplicas"))


PLANS = (
    Plan("route edited", "Watch", route_edited),
    Plan("root path set wrong", "Watch", value_wrong),
    Plan("pods killed", "Watch", pods_killed),
    Plan("database driver missing", "Service", driver_missing),
    Plan("affinity removed", "Watch", affinity_removed),
    Plan("WebSocket taken by another team", "Watch", socket_taken),
    Plan("Service leads nowhere", "Watch", service_wrong),
    Plan("app hangs", "Service", app_hangs),
    Plan("edge down", "Edge", edge_down),
)
