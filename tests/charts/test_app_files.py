"""The files of an app: from values to a ConfigMap, and from there into a root that Chainlit can write to."""

from __future__ import annotations

import base64
import json
import tomllib
from typing import Any

import pytest

from .rendering import Object, Rendered, app, refusal

IMAGE = {"image": {"repository": "example/chat"}}
HEADLESS = "--headless"
APP = "import chainlit as cl\n\nx = '<&> {{ not a template }} ünï'\n"


def files(release: Rendered) -> dict[str, Any]:
    """The files, text or bytes, as the pod sees them, by their names below the app root."""
    held = {**release.one("ConfigMap").get("data", {})}
    held |= {key: base64.b64decode(data) for key, data in release.one("ConfigMap").get("binaryData", {}).items()}
    (volume,) = [volume for volume in release.pod()["spec"]["volumes"] if volume["name"] == "app-files"]
    assert volume["configMap"]["name"] == release.one("ConfigMap")["metadata"]["name"]
    items = volume["configMap"]["items"]
    assert {item["key"] for item in items} == held.keys()
    return {item["path"]: held[item["key"]] for item in items}


def mounts(release: Rendered) -> dict[str, tuple[str, str, bool]]:
    """What is mounted where: volume, path in it, and whether it is read-only."""
    return {
        mount["mountPath"]: (mount["name"], mount.get("subPath", ""), mount.get("readOnly", False))
        for mount in release.container()["volumeMounts"]
        if mount["name"].startswith("app-")
    }


def settings(config: Object) -> Object:
    return tomllib.loads(files(app({"chainlit": {"config": config}}))[".chainlit/config.toml"])


def test_an_app_in_one_file() -> None:
    release = app({"app": {"files": {"app.py": APP}}})
    assert files(release) == {"app.py": APP}
    assert mounts(release) == {
        "/chainlit": ("app-root", "", False),
        "/chainlit/app.py": ("app-files", "app.py", True),
    }
    container = release.container()
    assert container["command"] == ["chainlit", "run", "/chainlit/app.py", HEADLESS]
    assert container["workingDir"] == "/chainlit"
    assert release.env()["CHAINLIT_APP_ROOT"] == "/chainlit"


def test_nothing_of_it_without_files() -> None:
    release = app()
    assert not release.all("ConfigMap")
    assert mounts(release) == {"/chainlit": ("app-root", "", False)}
    assert not {"command", "workingDir"} & release.container().keys()
    assert "annotations" not in release.pod()["metadata"]


def test_what_chainlit_writes_to_is_writable() -> None:
    """It adds what is missing to .chainlit and its translations, and reads the rest."""
    release = app(
        {
            "app": {
                "files": {
                    "app.py": "",
                    "tools/search.py": "",
                    "public/a.css": "",
                    ".chainlit/translations/fr.json": "{}",
                },
                "binaryFiles": {"public/avatars/my bot.png": "iVBO\nRw0K"},
            },
            "chainlit": {"config": {"UI": {"name": "x"}}, "readme": "# Hi", "translations": {"de-DE": {"a": "ä"}}},
        }
    )
    assert mounts(release) == {
        "/chainlit": ("app-root", "", False),
        "/chainlit/.chainlit": ("app-root", ".chainlit", False),
        "/chainlit/.chainlit/translations": ("app-root", ".chainlit/translations", False),
        "/chainlit/.chainlit/config.toml": ("app-files", ".chainlit/config.toml", True),
        "/chainlit/.chainlit/translations/de-DE.json": ("app-files", ".chainlit/translations/de-DE.json", True),
        "/chainlit/.chainlit/translations/fr.json": ("app-files", ".chainlit/translations/fr.json", True),
        "/chainlit/app.py": ("app-files", "app.py", True),
        "/chainlit/chainlit.md": ("app-files", "chainlit.md", True),
        "/chainlit/public": ("app-files", "public", True),
        "/chainlit/tools": ("app-files", "tools", True),
    }
    assert list(release.one("ConfigMap")["binaryData"].values()) == ["iVBORw0K"]
    held = files(release)
    assert held["public/avatars/my bot.png"] == base64.b64decode("iVBORw0K")
    assert held["chainlit.md"] == "# Hi"
    assert json.loads(held[".chainlit/translations/de-DE.json"]) == {"a": "ä"}


def test_another_app_root() -> None:
    volume: Object = {"ephemeral": {"volumeClaimTemplate": {}}}
    release = app({"app": {"files": {"app.py": ""}}, "chainlit": {"appRoot": {"path": "/srv/", "volume": volume}}})
    assert mounts(release).keys() == {"/srv", "/srv/app.py"}
    assert release.env()["CHAINLIT_APP_ROOT"] == "/srv"
    assert release.container()["command"][2] == "/srv/app.py"
    assert {"name": "app-root", **volume} in release.pod()["spec"]["volumes"]


@pytest.mark.parametrize(
    ("values", "command"),
    [
        ({"app": {"files": {"b.py": ""}, "entrypoint": "b.py"}}, ["chainlit", "run", "/chainlit/b.py", HEADLESS]),
        ({"app": {"files": {"s/a.py": ""}, "entrypoint": "s/a.py"}}, ["chainlit", "run", "/chainlit/s/a.py", HEADLESS]),
        ({"app": {"files": {"app.py": ""}, "entrypoint": ""}}, None),
        ({"app": {"files": {"public/a.css": ""}}}, None),
        ({"app": {"files": {"app.py": ""}}, "chainlit": {"command": ["python", "app.py"]}}, ["python", "app.py"]),
        ({"app": {"files": {"main.py": ""}}, "chainlit": {"args": ["run", "main.py"]}}, None),
    ],
)  # fmt: skip
def test_what_is_run(values: Object, command: list[str] | None) -> None:
    assert app(values).container().get("command") == command


def test_pods_are_replaced_when_a_file_changes_and_only_then() -> None:
    def annotations(**values: Any) -> Object:
        found: Object = app(values | {"podAnnotations": {"note": "1"}}).pod()["metadata"]["annotations"]
        return found

    one = annotations(app={"files": {"app.py": "1"}})
    assert one["note"] == "1"
    assert one == annotations(app={"files": {"app.py": "1"}}, service={"port": 81})
    others = [
        annotations(app={"files": {"app.py": "2"}}),
        annotations(app={"files": {"app.py": "1", "public/a": ""}}),
        annotations(app={"files": {"app.py": "1"}}, chainlit={"config": {"UI": {"name": "x"}}}),
        annotations(app={"files": {"app.py": "1"}}, chainlit={"readme": "x"}),
        annotations(app={"files": {"app.py": "1"}}, chainlit={"translations": {"de": "{}"}}),
    ]
    sums = [found["checksum/files"] for found in (one, *others)]
    assert len(set(sums)) == len(sums)


def test_config_adds_to_what_chainlit_itself_writes() -> None:
    """A setting that is silent means another thing in three places, and a file without two others is refused."""
    assert settings({"UI": {"cot": "hidden"}}) == {
        "project": {"session_timeout": 3600},
        "features": {
            "spontaneous_file_upload": {"enabled": True, "accept": ["*/*"], "max_files": 20, "max_size_mb": 500}
        },
        "UI": {"name": "Assistant", "cot": "hidden"},
        "meta": {"generated_by": "2.12.0"},
    }


def test_values_keep_their_types_in_the_config() -> None:
    types = {
        "whole": 3600,
        "large": 99999999,
        "negative": -3,
        "part": 0.5,
        "flag": True,
        "no": False,
        "text": 'Ünï "q" \\ $x\nend',
        "number_text": "3600",
        "empty": "",
        "list": ["*", "b"],
        "numbers": [1, 2.5],
        "none": [],
    }
    found = settings({"project": types | {"null": None, "deep": {"headers": [{"port": 1}, {"name": "b"}]}}})
    project = found["project"]
    assert project == types | {"session_timeout": 3600, "deep": {"headers": [{"port": 1}, {"name": "b"}]}}
    assert [type(project[key]) for key in ("whole", "large", "negative", "part")] == [int, int, int, float]
    assert type(project["deep"]["headers"][0]["port"]) is int
    assert settings({"features": {"spontaneous_file_upload": {"max_files": 3}}})["features"] == {
        "spontaneous_file_upload": {"enabled": True, "accept": ["*/*"], "max_files": 3, "max_size_mb": 500}
    }


def test_translation_as_text() -> None:
    release = app({"chainlit": {"translations": {"de-DE": '{"a": 1}'}}})
    assert files(release)[".chainlit/translations/de-DE.json"] == '{"a": 1}'


MEGABYTE = 1 << 20


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        pytest.param({"app": {"files": {"a/../b": ""}}}, ['app.files has "a/../b"', "use names"], id="dots"),
        pytest.param({"app": {"files": {"/app.py": ""}}}, ['"/app.py"', "use names"], id="absolute"),
        pytest.param({"app": {"binaryFiles": {"..x": ""}}}, ['app.binaryFiles has "..x"'], id="hidden-by-kubernetes"),
        pytest.param({"app": {"files": {"a:b": ""}}}, ['"a:b"', "without :"], id="colon"),
        pytest.param({"app": {"files": {"x" * 201: ""}}}, ["200 characters"], id="long"),
        pytest.param({"app": {"files": {".files/a": ""}}}, ["empties .files", "another directory"], id="volatile"),
        pytest.param(
            {"app": {"files": {"a": ""}, "binaryFiles": {"a": ""}}}, ['app.binaryFiles has "a"', "remove"], id="twice"
        ),
        pytest.param({"app": {"files": {"a": "", "a/b": ""}}}, ['"a"', '"a/b"', "rename"], id="file-and-directory"),
        pytest.param({"app": {"binaryFiles": {"a": "ä"}}}, ["app.binaryFiles", "not base64"], id="base64"),
        pytest.param(
            {"app": {"files": {"chainlit.md": ""}}, "chainlit": {"readme": "x"}},
            ['app.files has "chainlit.md"', "chainlit.readme", "remove"],
            id="readme-twice",
        ),
        pytest.param(
            {"app": {"files": {".chainlit/config.toml": ""}}, "chainlit": {"config": {"UI": {"name": "x"}}}},
            ["chainlit.config", "remove"],
            id="config-twice",
        ),
        pytest.param(
            {"app": {"files": {".chainlit/translations/de.json": ""}}, "chainlit": {"translations": {"de": "{}"}}},
            ["chainlit.translations.de", "remove"],
            id="translation-twice",
        ),
        pytest.param(
            {"app": {"files": {"main.py": ""}}}, ['"main.py"', '"app.py"', "set app.entrypoint"], id="entry-point"
        ),
        pytest.param(
            {"app": {"files": {"app.py": "", "public/big.js": "x" * MEGABYTE, "public/b": "y"}}},
            ['"public/big.js" has 1048576 bytes', "all files together have 1048577", "extraVolumes"],
            id="size",
        ),
        pytest.param(
            {"chainlit": {"config": {"ui": {"name": "x"}}}}, ["chainlit.config.ui", "features, UI"], id="section"
        ),
        pytest.param(
            {"chainlit": {"config": {"project": {"list": [1, None]}}}}, ["chainlit.config", "TOML"], id="not-toml"
        ),
    ],
)
def test_refused_with_the_remedy(values: Object, parts: list[str]) -> None:
    (line,) = [line for line in refusal("chainlit", {**IMAGE, **values}).splitlines() if "execution error" in line]
    for part in parts:
        assert part in line


def test_a_megabyte_fits() -> None:
    assert app({"app": {"files": {"app.py": "x" * MEGABYTE}}}).one("ConfigMap")
