"""What an app keeps: conversations in PostgreSQL, files in S3, and packages that only the values name."""

from __future__ import annotations

import base64
import io
import json
import sys
import zipfile
from functools import cache

import pytest

from tests.e2e.cluster import START, CommandError, Space, image_values, run, set_json
from tests.e2e.visitor import APP, Visitor, said
from tests.objects import Object
from tests.waiting import eventually

pytestmark = pytest.mark.slow

NOBODY = 65534  # Debian has this user, and PostgreSQL starts only as a user that there is
RESTRICTED = {
    "runAsNonRoot": True,
    "runAsUser": NOBODY,
    "fsGroup": NOBODY,
    "seccompProfile": {"type": "RuntimeDefault"},
}
POSTGRES = """\
set -e
bin=$(echo /usr/lib/postgresql/*/bin)
echo secret >/data/password
"$bin/initdb" --pgdata=/data/db --auth=scram-sha-256 --username=ann --pwfile=/data/password
echo "host all all all scram-sha-256" >>/data/db/pg_hba.conf
exec "$bin/postgres" -D /data/db -k /data -h '*'
"""
S3 = """\
mkdir -p /data/files/chat /data/attributes
exec versitygw --port :7070 --access key --secret secret-key posix --sidecar /data/attributes /data/files
"""
URL = "postgresql://ann:secret@postgres:5432/postgres"
#: An app whose own code needs the database, for each message.
COUNT = """\
import os

import chainlit as cl


@cl.on_message
async def count(message: cl.Message):
    import asyncpg

    database = await asyncpg.connect(os.environ["DATABASE_URL"], timeout=5)
    await cl.Message(content=str(await database.fetchval("select 42"))).send()
    await database.close()
"""
#: Proves a package: without it, the app does not start.
IMPORT = "import told  # noqa\n"


@cache
def images() -> dict[str, str]:
    """Return the images of the servers and of the app, which are built and loaded at need."""
    wanted = ["postgres", "s3", "runtime"]
    return dict(
        zip(wanted, run(sys.executable, "-m", "tests.cluster", "servers", *wanted, timeout=1800.0).split(), strict=True)
    )


def serve(space: Space, name: str, image: str, script: str, port: int, *extra: Object) -> None:
    """Create a server of one pod with a volume, and the Service of the same name."""
    container = {
        "name": name,
        "image": image,
        "command": ["sh", "-c", script],
        "ports": [{"containerPort": port}],
        "readinessProbe": {"tcpSocket": {"port": port}, "periodSeconds": 1},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    volume = {"name": "data", "emptyDir": {}}
    pod = {"securityContext": RESTRICTED, "containers": [container], "volumes": [volume]}
    service = {"selector": {"server": name}, "ports": [{"port": port}]}
    items = [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"server": name}}, "spec": pod},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": service},
        *extra,
    ]
    space.kubectl("apply", "--filename=-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))


def secret(name: str, **texts: str) -> Object:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": texts}


def serve_package(space: Space) -> str:
    """Serve a package inside the cluster, where nothing else is in reach. Returns the requirement."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("told.py", "")
        made.writestr("told-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: told\nVersion: 1.0\n")
        made.writestr("told-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        made.writestr("told-1.0.dist-info/RECORD", "")
    text = base64.b64encode(archive.getvalue()).decode()
    name = "told-1.0-py3-none-any.whl"
    script = f"echo {text} | base64 -d >/data/{name}; exec python3 -m http.server --directory /data 8000"
    serve(space, "packages", images()["runtime"], script, 8000)
    return f"told @ http://packages.{space.name}.svc:8000/{name}"


def put(space: Space, image: str, **values: object) -> str:
    """Install or upgrade the release."""
    given: Object = {
        "image": image_values(image),
        "fullnameOverride": "chat",
        "route": {"controller": "traefik", "className": "traefik", "host": space.host, "path": "/chat"},
        "auth": {"secret": "x" * 40},
        "terminationGracePeriodSeconds": 1,
        "lifecycle": {"preStop": None},
        "app": {"files": {"app.py": APP}},
        **values,
    }
    return space.helm("upgrade", "--install", "chat", "charts/chainlit", *set_json(given))


def log(space: Space, container: str) -> str:
    """Return what an init container of the newest pod said; fails while it has not begun."""
    newest = max((p for p in space.pods() if p["metadata"]["name"].startswith("chat-")), key=_age)
    try:
        return space.kubectl("logs", newest["metadata"]["name"], f"--container={container}")
    except CommandError as error:
        raise AssertionError(str(error)) from error


def _age(pod: Object) -> str:
    return str(pod["metadata"]["creationTimestamp"])


def visitor_of(space: Space) -> Visitor:
    """Return a visitor, as soon as the edge and the app answer."""
    visitor = Visitor(f"{space.cluster.edge}/chat", space.host)
    eventually(visitor.threads, lambda _: True, timeout=START)
    return visitor


def await_said(visitor: Visitor, thread: str, *texts: str) -> None:
    """Wait until the database has exactly these messages: Chainlit writes one after the browser has it."""
    eventually(lambda: said(visitor.thread(thread)), lambda found: found == [*texts])


def test_conversation_and_file_outlive_the_pod(space: Space) -> None:
    serve(space, "postgres", images()["postgres"], POSTGRES, 5432, secret("db", DATABASE_URL=URL))
    keys = secret("keys", APP_AWS_ACCESS_KEY="key", APP_AWS_SECRET_KEY="secret-key")
    serve(space, "s3", images()["s3"], S3, 7070, keys)
    storage = {"s3": {"bucket": "chat", "endpoint": f"http://s3.{space.name}.svc:7070", "existingSecret": "keys"}}
    app = {"files": {"app.py": IMPORT + APP}, "requirements": [serve_package(space)]}
    put(space, images()["runtime"], app=app, database={"existingSecret": "db"}, storage=storage)
    space.kubectl("rollout", "status", "deployment/chat", "--timeout=150s")
    assert "The packages of app.requirements are installed." in log(space, "requirements")
    assert "has all tables now; 45 columns were missing." in log(space, "migration")

    visitor = visitor_of(space)
    thread = visitor.say("one", file=b"kept")
    await_said(visitor, thread, "one", "echo: one")
    (file,) = eventually(lambda: visitor.thread(thread)["elements"])
    assert fetched(space, file["url"]) == "kept"

    (pod,) = [p for p in space.pods() if p["metadata"]["name"].startswith("chat-")]
    space.kubectl("delete", "pod", pod["metadata"]["name"])
    space.kubectl("rollout", "status", "deployment/chat", "--timeout=150s")
    assert said(visitor_of(space).thread(thread)) == ["one", "echo: one"]
    assert log(space, "migration").endswith("has all tables.\n")
    assert visitor.say("two", thread=thread) == thread
    await_said(visitor, thread, "one", "echo: one", "two", "echo: two")
    assert [found["id"] for found in visitor.threads()] == [thread]
    (file,) = visitor.thread(thread)["elements"]
    assert fetched(space, file["url"]) == "kept"


def fetched(space: Space, url: str) -> str:
    """Load a signed URL inside the cluster, whose name only pods know."""
    script = f"import urllib.request; print(urllib.request.urlopen({url!r}).read().decode(), end='')"
    return space.kubectl("exec", "deploy/chat", "--container=chainlit", "--", "python3", "-c", script)


def test_image_without_a_driver_says_so_before_the_app_starts(space: Space) -> None:
    space.kubectl("apply", "--filename=-", stdin=json.dumps(secret("db", DATABASE_URL=URL)))
    put(space, space.cluster.demo_image, database={"existingSecret": "db"})
    text = eventually(lambda: log(space, "migration"), lambda found: "error: " in found, timeout=START)
    assert "cannot import asyncpg" in text and "chainlit[custom-data]" in text


def test_hook_migrates_before_the_release(space: Space) -> None:
    database = {"existingSecret": "db", "migration": "hook"}
    space.kubectl("apply", "--filename=-", stdin=json.dumps(secret("db", DATABASE_URL=URL)))
    with pytest.raises(CommandError, match=r"cannot import asyncpg|BackoffLimitExceeded"):
        put(space, space.cluster.demo_image, database=database)
    assert not space.objects("Deployment")

    serve(space, "postgres", images()["postgres"], POSTGRES, 5432)
    put(space, images()["runtime"], database=database)
    assert not space.kubectl("get", "jobs", "--output=name")  # it is gone when it has done its work
    space.kubectl("rollout", "status", "deployment/chat", "--timeout=150s")
    visitor = visitor_of(space)
    await_said(visitor, visitor.say("one"), "one", "echo: one")


def test_helm_test_with_a_message_fails_without_driver_or_database(space: Space) -> None:
    tests = {"image": image_values(space.cluster.operator_image), "waitSeconds": 0, "message": "hello"}
    values = {"database": {"existingSecret": "db"}, "app": {"files": {"app.py": COUNT}}, "tests": tests}
    serve(space, "postgres", images()["postgres"], POSTGRES, 5432, secret("db", DATABASE_URL=URL))

    def complaint() -> str:
        try:
            space.helm("test", "chat")
        except CommandError:
            return space.kubectl("logs", "chat-test-service").strip()
        return ""

    put(space, space.cluster.demo_image, **values)  # it has no driver
    eventually(lambda: log(space, "migration"), lambda text: "cannot import asyncpg" in text, timeout=START)
    assert "failed" in complaint()

    put(space, images()["runtime"], **values)
    space.kubectl("rollout", "status", "deployment/chat", "--timeout=150s")
    eventually(complaint, lambda text: not text, timeout=START)

    space.kubectl("delete", "pod", "postgres", "--grace-period=1")
    assert "The chat at " in complaint()  # all that needs no code of the app still works

    serve(space, "postgres", images()["postgres"], POSTGRES, 5432)
    space.kubectl("rollout", "restart", "deployment/chat")  # the tables went with the database
    space.kubectl("rollout", "status", "deployment/chat", "--timeout=150s")
    eventually(complaint, lambda text: not text, timeout=START)
