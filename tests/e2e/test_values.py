"""Values files as teams have them, each installed with the few changes of tests/values/running.yaml: a chat answers."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e import certificates
from tests.e2e.chat import ChatError, converse
from tests.e2e.cluster import START, Space, run
from tests.e2e.forwarding import forwarded
from tests.e2e.test_persistence import POSTGRES, serve
from tests.e2e.visitor import Visitor
from tests.objects import Object, resource
from tests.values.files import chart_of
from tests.values.running import Run, runs
from tests.waiting import eventually

pytestmark = pytest.mark.slow

#: Chats at each URL: with several pods, one chat may meet one pod only by luck.
CHATS = 4
#: An image for root, whose app and Python are where no other image has them.
ROOT = """\
FROM {demo}
USER root
ENV PATH=/usr/local/bin:/usr/bin:/bin HOME=/root
RUN mv /app /srv/app && mv /srv/app/app.py /srv/app/main.py && ln -s /opt/venv /opt/conda
CMD ["/opt/conda/bin/chainlit", "run", "/srv/app/main.py"]
"""


@cache
def server(name: str) -> str:
    """Return the image of a server, which is built and loaded at need."""
    return run(sys.executable, "-m", "tests.cluster", "servers", name, timeout=1800.0).strip()


@contextmanager
def image_of(space: Space, name: str) -> Iterator[str]:
    """Yield the image of an app, which the cluster has."""
    if name != "root":
        yield space.cluster.demo_image if name == "demo" else server(name)
        return
    engine, reference = os.environ["ENGINE"], f"localhost/chainlit-root:{space.name}"
    run(engine, "build", "--tag", reference, "-", stdin=ROOT.format(demo=space.cluster.demo_image))
    try:
        run(sys.executable, "-m", "tests.cluster", "load", reference)
        yield reference
    finally:
        run(engine, "image", "rm", reference)


def names_of(space: Space, row: Run) -> dict[str, str]:
    """Return what the row's ``$names`` stand for."""
    needs_proxy = "$oauth2_proxy" in row.values.values()
    node = '{.items[0].status.addresses[?(@.type=="InternalIP")].address}'
    return {
        "authority": certificates.authority().certificate,
        "host": space.host,
        "image": space.cluster.demo_image,
        "namespace": space.name,
        "node": run("kubectl", "get", "nodes", f"--output=jsonpath={node}"),
        "oauth2_proxy": server("oauth2-proxy") if needs_proxy else "",
    }


def prepare(space: Space, row: Run) -> None:
    """Create what the values file expects to be there."""
    items = [
        *(resource("Secret", name, stringData=dict(keys)) for name, keys in row.secrets.items()),
        *(resource("ConfigMap", name, data=dict(data)) for name, data in row.config_maps.items()),
        *row.objects,
    ]
    for item in items:
        space.kubectl("create", "--filename=-", stdin=json.dumps(item))
    for name, given in row.servers.items():
        serve(space, name, space.cluster.demo_image, given["script"], given["port"])
    if row.database:
        serve(space, "postgres", server("postgres"), POSTGRES, 5432)
        space.kubectl("label", "pod", "postgres", "app=postgres")


def await_pods(space: Space, row: Run) -> str:
    """Wait until the newest pods of the only Deployment are ready, and return its name."""

    def settled() -> str:
        (found,) = space.objects("Deployment")
        status, replicas = found.get("status", {}), row.ready or found["spec"]["replicas"]
        assert status.get("observedGeneration") == found["metadata"]["generation"], "an older generation"
        assert status.get("readyReplicas") == replicas, f"{status}, not {replicas} ready"
        assert status["updatedReplicas"] == status["replicas"], "a rollout"
        return str(found["metadata"]["name"])

    return eventually(settled, timeout=2 * START)


@contextmanager
def edge_of(space: Space, row: Run, name: str) -> Iterator[dict[str, str]]:
    """Yield what answers in the place of the hosts, by scheme."""
    if row.edge == "service":
        with forwarded(space.name, f"service/{name}", "80") as place:
            yield {"http": place}
        return
    http = urlsplit(space.cluster.contour_edge if row.edge == "contour" else space.cluster.edge).netloc
    with forwarded("traefik", "service/traefik", "443") as https:
        yield {"http": http, "https": https}


def await_chat(url: str, host: str) -> None:
    """Wait until all chats of some browsers at once are answered."""

    def answer() -> list[str]:
        try:
            return [chat(url, host, f"hello {number}") for number in range(CHATS)]
        except ChatError as error:
            raise AssertionError(f"{host}: {error}") from error

    expected = [f"echo: hello {number}" for number in range(CHATS)]
    eventually(answer, lambda replies: replies == expected, timeout=START, every=0.25)


def chat(url: str, host: str, text: str) -> str:
    return asyncio.run(converse(url, text, host=host, timeout=45.0, verify=False))


def fetch(url: str, host: str) -> str:
    """Return what a URL has; fails for an answer that is none."""
    asked = urllib.request.Request(url, headers={"Host": host})
    try:
        with urllib.request.urlopen(asked, timeout=15.0, context=ssl._create_unverified_context()) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{url}: {error}") from error


def ask(row: Run, edge: dict[str, str]) -> None:
    """Chat at each URL of the row, and look at the other answers."""
    for url in row.at:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{edge[parts.scheme]}"
        if row.login:
            visitor = Visitor(origin + parts.path, parts.netloc, password=row.login)
            eventually(partial(visitor.say, "hello"), timeout=START)
        else:
            await_chat(origin + parts.path, parts.netloc)
        for path, text in row.answers.items():
            assert text in fetch(origin + path, parts.netloc), path


def lacking_a_node(space: Space) -> list[Object]:
    """Return the pods that no node can take."""
    return [
        pod
        for pod in space.pods()
        if any(c.get("reason") == "Unschedulable" for c in pod.get("status", {}).get("conditions", []))
    ]


@pytest.mark.parametrize("row", runs(), ids=str)
def test_a_values_file_runs(row: Run, space: Space, tmp_path: Path) -> None:
    row = row.filled(**names_of(space, row))
    with image_of(space, row.image) as image:
        prepare(space, row)
        chart = chart_of(row.values_file().chart, tmp_path)
        space.helm("install", row.release, str(chart), *row.options(image, space.host))
        for app in space.objects("ChainlitApp"):
            space.await_ready(app["metadata"]["name"])
        name = await_pods(space, row)
        with edge_of(space, row, name) as edge:
            ask(row, edge)
        if row.command:
            space.kubectl("exec", f"deployment/{name}", "--container=chainlit", "--", *row.command)
        replicas = space.get("Deployment", name)["spec"]["replicas"]
        assert len(lacking_a_node(space)) == replicas - (row.ready or replicas)
