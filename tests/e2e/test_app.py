"""An app that is files alone: put by the chart onto an image that has Chainlit, whose own app does not run then."""

from __future__ import annotations

import base64
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from tests.e2e.chat import ChatError
from tests.e2e.cluster import START, Space, image_values, set_json
from tests.e2e.demo import QUICK_PROBES
from tests.objects import resource
from tests.waiting import eventually

ECHO = """\
import chainlit as cl
from words import WORD


@cl.on_message
async def echo(message: cl.Message) -> None:
    await cl.Message(content=f"{WORD}: {message.content}").send()
"""
LOGIN = """\
import chainlit as cl


@cl.password_auth_callback
def check(username: str, password: str) -> cl.User | None:
    return cl.User(identifier=username) if password == "right" else None


@cl.oauth_callback
def check_elsewhere(provider: str, token: str, raw: dict[str, str], user: cl.User) -> cl.User | None:
    return None


@cl.on_message
async def hear(message: cl.Message) -> None:
    pass
"""
#: As OpenShift runs pods: any user that is not root, in the group 0.
ARBITRARY = {"runAsUser": 1000650000, "runAsGroup": 0, "fsGroup": None}
PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


def upgrade(space: Space, **values: Any) -> None:
    given: dict[str, Any] = {
        "image": image_values(space.cluster.demo_image),
        "route": {"path": "/chat", "host": space.host, "className": "traefik"},
        "operator": {"enabled": True},
        "probes": QUICK_PROBES,
        "terminationGracePeriodSeconds": 5,
    }
    space.helm("upgrade", "--install", "chat", "charts/chainlit", *set_json({**given, **values}))


def fetch(space: Space, path: str, form: dict[str, str] | None = None, cookie: str = "") -> Any:
    """Ask the edge, and return the answer; its body has been read into ``body``."""
    data = urllib.parse.urlencode(form).encode() if form else None
    request = urllib.request.Request(space.cluster.edge + path, data, {"Host": space.host, "Cookie": cookie})
    with urllib.request.urlopen(request, timeout=15.0) as answer:
        answer.body = answer.read()
        return answer


def redirected(space: Space, path: str) -> str:
    """Ask the edge, and return where it sends a browser."""
    edge = urllib.parse.urlsplit(space.cluster.edge)
    connection = http.client.HTTPConnection(edge.hostname or "", edge.port, timeout=15.0)
    try:
        connection.request("GET", path, headers={"Host": space.host})
        return connection.getresponse().headers["Location"] or ""
    finally:
        connection.close()


def await_reply(space: Space, text: str, reply: str) -> None:
    def answers() -> bool:
        try:
            return space.chat("/chat", text) == reply
        except ChatError as error:
            raise AssertionError(str(error)) from error

    eventually(answers, timeout=START, every=0.25)


def test_files_are_an_app_for_any_user(space: Space) -> None:
    """With a root file system that is read-only, and the restricted Pod Security Standard enforced."""
    translation = {"common": {"actions": {"cancel": "Lass gut sein"}}}
    app = {
        "files": {"app.py": ECHO, "words.py": "WORD = 'files'\n", "public/more/style.css": "body { color: teal }\n"},
        "binaryFiles": {"public/logo.gif": base64.b64encode(PIXEL).decode()},
    }
    chainlit = {
        "config": {"UI": {"name": "Helpdesk"}, "features": {"spontaneous_file_upload": {"max_files": 3}}},
        "translations": {"de-DE": translation},
        "readme": "# Ask us",
    }
    upgrade(space, app=app, chainlit=chainlit, podSecurityContext=ARBITRARY)
    await_reply(space, "hello", "files: hello")
    space.await_ready("chat-chainlit")
    # Until the pod that started without a root path is gone, Traefik may send requests to it.
    eventually(space.pods, lambda pods: len(pods) == 1, timeout=START)

    settings = json.loads(fetch(space, "/chat/project/settings?language=de-DE").body)
    assert settings["ui"]["name"] == "Helpdesk"
    upload = settings["features"]["spontaneous_file_upload"]
    assert (upload["enabled"], upload["accept"], upload["max_files"]) == (True, ["*/*"], 3)
    assert settings["markdown"] == "# Ask us"
    assert json.loads(fetch(space, "/chat/project/translations?language=de-DE").body)["translation"] == translation
    # What is not given is Chainlit's own, which it writes beside.
    french = json.loads(fetch(space, "/chat/project/translations?language=fr-FR").body)["translation"]
    assert french["common"]["actions"]["cancel"] == "Annuler"
    style = fetch(space, "/chat/public/more/style.css")
    assert (style.headers.get_content_type(), style.body) == ("text/css", b"body { color: teal }\n")
    assert fetch(space, "/chat/public/logo.gif").body == PIXEL

    (pod,) = space.pods()
    found = space.kubectl("exec", pod["metadata"]["name"], "--", "sh", "-c", "id -u; id -g; touch /app/x 2>&1 || true")
    assert found.split("\n")[:2] == ["1000650000", "0"]
    assert "Read-only file system" in found


def test_generated_secret_survives_upgrades(space: Space) -> None:
    """Who has logged in stays so, in other pods and in another release of the same name. OAuth returns to the path."""
    values: dict[str, Any] = {
        "app": {"files": {"app.py": LOGIN}},
        "auth": {"generate": True},
        "oauth": {"github": {"existingSecret": "logins"}},
        "operator": {"enabled": False},
        "route": {"path": "/chat", "host": space.host, "className": "traefik", "scheme": "https"},
    }
    keys = {"OAUTH_GITHUB_CLIENT_ID": "one", "OAUTH_GITHUB_CLIENT_SECRET": "two"}
    space.create(resource("Secret", "logins", stringData=keys))

    def log_in() -> Any:
        try:
            return fetch(space, "/chat/login", {"username": "ada", "password": "right"})
        except urllib.error.HTTPError as error:
            raise AssertionError(str(error)) from error

    def user(cookie: str) -> str:
        try:
            return str(json.loads(fetch(space, "/chat/user", cookie=cookie).body)["identifier"])
        except urllib.error.HTTPError as error:
            raise AssertionError(str(error)) from error

    upgrade(space, **values)
    answer = eventually(log_in)
    login, _ = sorted(each.partition(";")[0] for each in answer.headers.get_all("Set-Cookie"))
    assert login.startswith(f"{space.name}_chat-chainlit_access_token=")
    assert user(login) == "ada"
    sent_to = urllib.parse.urlsplit(redirected(space, "/chat/auth/oauth/github"))
    asked = urllib.parse.parse_qs(sent_to.query)
    assert sent_to.hostname == "github.com"
    assert asked["client_id"] == ["one"]
    assert asked["redirect_uri"] == [f"https://{space.host}/chat/auth/oauth/github/callback"]
    secret = space.get("Secret", "chat-chainlit-auth")["data"]

    before = space.get("Deployment", "chat-chainlit")["metadata"]["generation"]
    upgrade(space, **values)
    assert space.get("Deployment", "chat-chainlit")["metadata"]["generation"] == before

    space.helm("uninstall", "chat", "--wait")
    upgrade(space, **values, podAnnotations={"note": "1"})
    assert space.get("Secret", "chat-chainlit-auth")["data"] == secret
    assert eventually(lambda: user(login)) == "ada"


def test_all_that_runs_an_app_is_taken_by_the_api_server(space: Space) -> None:
    values = {
        "image": {"repository": "app"},
        "app": {"files": {"app.py": ECHO}},
        "autoscaling": {"enabled": True, "targetMemoryUtilizationPercentage": 80},
        "route": {"controller": "traefik", "host": space.host},
        "networkPolicy": {"enabled": True, "from": [{"namespaceSelector": {}}], "egress": [{}]},
        "extraPodSpec": {
            "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["db"]}],
            "dnsConfig": {"nameservers": ["1.1.1.1"]},
        },
        "extraObjects": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-more"}}],
        "operator": {"enabled": True},
        "tests": {"enabled": False},
    }
    objects = space.helm("template", "chat", "charts/chainlit", *set_json(values))
    taken = space.kubectl(
        "apply", "--dry-run=server", "--output=name", "--warnings-as-errors", "--filename=-", stdin=objects
    )
    assert {name.partition("/")[0] for name in taken.split()} >= {
        "horizontalpodautoscaler.autoscaling",
        "poddisruptionbudget.policy",
        "networkpolicy.networking.k8s.io",
        "deployment.apps",
    }
    assert "configmap/chat-more" in taken
