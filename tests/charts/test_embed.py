"""The app in pages of other sites: embed.origins, and the script that writes it into the image's config.toml."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from . import controllers
from .controllers import Preset
from .generated import CHARTS
from .rendering import Object, Rendered, app, dump, notes, refusal

SCRIPT = CHARTS / "chainlit/files/embed.py"
ORIGINS = ["https://www.example.com", "https://docs.example.com:8443"]
HTTPS: Object = {"route": {"host": "chat.example.com", "scheme": "https"}, "embed": {"origins": ORIGINS}}


def embedded(**values: Any) -> Rendered:
    return app({**HTTPS, **values})


def config(release: Rendered) -> Object:
    """The config.toml that the chart makes."""
    (text,) = [
        text
        for item in release.all("ConfigMap")
        for name, text in item["data"].items()
        if name.startswith(".chainlit-config.toml")
    ]
    return tomllib.loads(text)


# ------------------------------------------------------------------------------------------------ one value


def test_nothing_of_it_by_default() -> None:
    assert "CHAINLIT_COOKIE_SAMESITE" not in app().env()
    assert [item["name"] for item in app().pod()["spec"]["initContainers"]] == ["app-root"]


def test_one_value_allows_the_sites_and_sends_the_cookies_there() -> None:
    release = embedded(route={**HTTPS["route"], "className": "nginx"}, replicaCount=2)
    assert release.env()["CHAINLIT_COOKIE_SAMESITE"] == "none"
    annotations = release.one("Ingress")["metadata"]["annotations"]
    assert annotations["nginx.ingress.kubernetes.io/session-cookie-samesite"] == "None"
    assert annotations["nginx.ingress.kubernetes.io/session-cookie-secure"] == "true"
    first, last = release.pod()["spec"]["initContainers"]
    assert (first["name"], last["name"]) == ("app-root", "embed")
    assert last["command"][1:3] == ["/run/scripts/embed.py", "/chainlit/.chainlit/config.toml"]
    assert last["command"][4:] == ORIGINS
    assert {"name": "app-root", "mountPath": "/chainlit"} in last["volumeMounts"]
    assert last["securityContext"] == release.container()["securityContext"]
    scripts = release.named("ConfigMap", "chat-chainlit-scripts")["data"]
    assert scripts == {"embed.py": SCRIPT.read_text(encoding="utf-8")}


def test_settings_of_the_values_have_the_sites() -> None:
    release = embedded(chainlit={"config": {"UI": {"name": "Helpdesk"}}})
    assert config(release)["project"]["allow_origins"] == ORIGINS
    assert config(release)["UI"]["name"] == "Helpdesk"
    assert [item["name"] for item in release.pod()["spec"]["initContainers"]] == ["app-root"]
    assert release.env()["CHAINLIT_COOKIE_SAMESITE"] == "none"


def test_notes_have_the_script_for_the_page() -> None:
    text = notes("chainlit", {**HTTPS, "image": {"repository": "example/chat"}})
    assert '<script src="https://chat.example.com/copilot/index.js"></script>' in text
    assert 'chainlitServer: "https://chat.example.com"' in text
    assert "accessToken" not in text


@pytest.mark.parametrize("login", [{"auth": {"secret": "x" * 40}}, {"auth": {"existingSecret": "chat"}}])
def test_notes_name_the_token_for_an_app_with_a_login(login: Object) -> None:
    text = notes("chainlit", {**HTTPS, **login, "image": {"repository": "example/chat"}})
    assert "add accessToken beside chainlitServer" in text


@pytest.mark.parametrize(
    "preset", [item for item in controllers.presets() if "affinity" in item.facts], ids=lambda item: item.name
)
def test_several_pods_only_with_a_cookie_that_other_sites_send(preset: Preset) -> None:
    values = {**preset.values, "embed": {"origins": ORIGINS}}
    values["route"] = {**values["route"], "scheme": "https"}
    if preset.facts["affinity"].get("isLax"):
        assert f"route.controller {preset.controller}, whose cookie" in refusal("chainlit", values)
        assert app({**values, "replicaCount": 1}).objects
        return
    text = dump({"objects": app(values).objects}).lower()
    if preset.controller not in WITHOUT_SAMESITE:
        assert any(form in text for form in ('samesite": "none"', 'same-site": "none"', "samesite=none"))


#: Load balancers that send a second cookie for other sites, and a controller that needs no cookie.
WITHOUT_SAMESITE = ("alb", "agic", "nginx-gateway")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"route": {}}, ["embed.origins needs https", "route.tls"]),
        ({"route": {"scheme": "https", "affinity": {"sameSite": "Lax"}}}, ["route.affinity.sameSite Lax", "remove it"]),
        (
            {"chainlit": {"config": {"project": {"allow_origins": ["*"]}}}},
            ["chainlit.config.project.allow_origins", "keep it in embed.origins"],
        ),
        ({"app": {"files": {".chainlit/config.toml": ""}}}, [".chainlit/config.toml", "chainlit.config"]),
        (
            {"chainlit": {"appRoot": {"path": ""}}, "env": {"CHAINLIT_APP_ROOT": "/app"}},
            ["needs an app root", "chainlit.appRoot.path"],
        ),
        ({"env": {"CHAINLIT_COOKIE_SAMESITE": "lax"}}, ["CHAINLIT_COOKIE_SAMESITE", "remove it"]),
        (
            {
                "authProxy": {
                    "enabled": True,
                    "existingSecret": "x",
                    "issuerURL": "https://login.example.com",
                    "emailDomains": ["*"],
                }
            },
            ["authProxy", "use a login of Chainlit"],
        ),
        ({"embed": {"origins": ["https://a.io/"]}}, ["embed.origins[0]", "use the origin of the site"]),
        ({"embed": {"origins": ["*"]}}, ["embed.origins[0]", "use the origin of the site"]),
    ],
)
def test_values_that_cannot_work_are_refused(values: Object, words: list[str]) -> None:
    message = refusal("chainlit", {**HTTPS, "image": {"repository": "example/chat"}, **values})
    assert [word for word in words if word not in message] == []


# ------------------------------------------------------------------------------------------------ the script

LINE = f"allow_origins = {ORIGINS}".replace("'", '"')
#: Texts of config.toml, and the settings of its section project beside allow_origins.
TEXTS = [
    ("", {}),
    ('[UI]\nname = "x"\n', {}),
    ('[project]\nallow_origins = ["*"]\nsession_timeout = 5\n[UI]\nname = "x"', {"session_timeout": 5}),
    ('[project] # of the app\nsession_timeout = 5\n[UI]\nname = "x"\n', {"session_timeout": 5}),
    ("  [ project ]\nsession_timeout = 5\n", {"session_timeout": 5}),
    ('[project]\n# allow_origins = ["a"]\nsession_timeout = 5\n', {"session_timeout": 5}),
    (
        '[project]\nallow_origins = [\n  "https://a.io",\n  "https://b.io",\n]\nsession_timeout = 5',
        {"session_timeout": 5},
    ),
    ("[project]\r\nsession_timeout = 5\r\n", {"session_timeout": 5}),
]


def written(path: Path, default: str = "", **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-IS", str(SCRIPT), str(path), default, *ORIGINS]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


@pytest.mark.parametrize(("text", "others"), TEXTS)
def test_other_settings_of_the_image_stay(tmp_path: Path, text: str, others: Object) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode())
    for _ in range(2):  # a pod's init containers may run again
        assert written(path).returncode == 0
        made = tomllib.loads(path.read_text(encoding="utf-8"))
        assert made["project"] == {**others, "allow_origins": ORIGINS}
        assert made.get("UI") == tomllib.loads(text).get("UI")


def test_an_image_without_settings_gets_those_of_chainlit(tmp_path: Path) -> None:
    path = tmp_path / ".chainlit/config.toml"
    (container,) = [item for item in embedded().pod()["spec"]["initContainers"] if item["name"] == "embed"]
    done = written(path, container["command"][3])
    assert done.stdout == f"{path} has {LINE}.\n"
    made = tomllib.loads(path.read_text(encoding="utf-8"))
    assert made["project"] == {"allow_origins": ORIGINS, "session_timeout": 3600}
    assert made["UI"]["name"] and made["meta"]["generated_by"]  # Chainlit refuses a file without them


def test_an_error_names_the_value_and_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xff")
    done = written(path, env=dict(os.environ))
    assert done.returncode == 1
    assert done.stderr.startswith(f"embed.origins cannot be written to {path}: ")
    assert done.stderr.endswith("Set allow_origins in chainlit.config instead.\n")


# ------------------------------------------------------------------------------------------------ settings of Chainlit


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"UI": {"nmae": "x"}}, "chainlit.config.UI.nmae is not a setting of Chainlit, which ignores it; did you mean"),
        ({"UI": {"allow_origins": ["*"]}}, "did you mean chainlit.config.project.allow_origins?"),
        ({"features": {"mcp": {"enabeld": True}}}, "did you mean chainlit.config.features.mcp.enabled?"),
    ],
)
def test_a_mistake_in_the_settings_is_refused(given: Object, meant: str) -> None:
    assert meant in refusal("chainlit", {"image": {"repository": "example/chat"}, "chainlit": {"config": given}})


def test_settings_that_chainlit_ignores_are_in_the_notes() -> None:
    """A later release of Chainlit may have them, so they are no error."""
    values: Object = {"image": {"repository": "example/chat"}}
    given = {"UI": {"name": "x", "wobble": 1}, "features": {"mcp": {"enabled": True}}}
    text = notes("chainlit", {**values, "chainlit": {"config": given}})
    assert "ignores these settings" in text and "\n  chainlit.config.UI.wobble\n" in text
    assert "chainlit.config.UI.name" not in text
    assert "ignores these settings" not in notes("chainlit", values)


# ------------------------------------------------------------------------------------------------ annotations


def test_annotations_of_every_object() -> None:
    values: Object = {
        "commonAnnotations": {"team": "x", "helm.sh/resource-policy": "delete"},
        "serviceAccount": {"annotations": {"team": "y"}},
        "auth": {"secret": "x" * 40},
        "app": {"files": {"app.py": ""}, "requirements": ["x"]},
        "database": {"existingSecret": "db", "migration": "hook"},
        "persistence": {"enabled": True, "accessModes": ["ReadWriteMany"]},
        "networkPolicy": {"enabled": True},
        "podDisruptionBudget": {"enabled": True},
        "autoscaling": {"enabled": True},
        "route": {"controller": "kong", "host": "a.io"},
        "operator": {"enabled": True},
        "tests": {"image": {"repository": "example/operator"}},
    }
    release = app(values)
    found = {item["kind"]: item["metadata"].get("annotations", {}) for item in release.objects}
    assert {kind: annotations for kind, annotations in found.items() if "team" not in annotations} == {}
    assert found["ServiceAccount"]["team"] == "y"
    assert found["Job"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert found["PersistentVolumeClaim"]["helm.sh/resource-policy"] == "keep"
    assert "annotations" not in app().one("Deployment")["metadata"]
