"""The app root: a volume with the image's files, which Chainlit can write to whatever the image is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .rendering import Object, app

SCRIPT = app().pod()["spec"]["initContainers"][0]["command"][3]


def filler(values: Object) -> Object:
    """The init container of the values, which fills the app root."""
    found: Object = app(values).pod()["spec"]["initContainers"][0]
    assert found["name"] == "app-root"
    return found


def run(
    image: Path, volume: Path, *mounted: str, root: str = "/chainlit", source: str = "", env: str = "", files: str = ""
) -> str:
    """Run the script in the image's working directory. Returns what it says where it fails, else nothing."""
    arguments = [sys.executable, "-IS", "-c", SCRIPT, root, str(volume), source, files, *mounted]
    known = {"CHAINLIT_APP_ROOT": env} if env else {}
    done = subprocess.run(arguments, cwd=image, env=known, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A working directory as ``COPY . .`` makes it."""
    made = tmp_path / "app"
    for name in (".chainlit/translations/en-US.json", ".chainlit/config.toml", "public/logo.png", "app.py", ".env"):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(f"image: {name}", encoding="utf-8")
    (made / ".files").mkdir()
    return made


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    made = tmp_path / "volume"
    made.mkdir()
    return made


def test_any_image_has_a_writable_app_root_by_default() -> None:
    release = app()
    assert release.env()["CHAINLIT_APP_ROOT"] == "/chainlit"
    assert {"name": "app-root", "mountPath": "/chainlit"} in release.container()["volumeMounts"]
    assert {"name": "app-root", "emptyDir": {}} in release.pod()["spec"]["volumes"]
    assert not {"command", "workingDir"} & release.container().keys()  # those of the image
    container = filler({})
    assert container["image"] == release.container()["image"]
    assert container["command"][4:] == ["/chainlit", "/run/app-root", "", ""]
    assert container["volumeMounts"] == [{"name": "app-root", "mountPath": "/run/app-root"}]
    for field in ("resources", "securityContext"):
        assert container[field] == release.container()[field]


def test_init_container_follows_the_values() -> None:
    theirs = {"name": "wait", "image": "example/wait"}
    mounts = [{"name": "x", "mountPath": "/app/public"}, {"name": "x", "mountPath": "/data/mine"}]
    values: Object = {
        "image": {"pullPolicy": "Always"},
        "initContainers": [theirs],
        "extraVolumeMounts": mounts,
        "chainlit": {"appRoot": {"path": "/data/", "imageDir": "/srv", "python": "/venv/bin/python"}, "readme": "# Hi"},
        "app": {"files": {"public/a.css": "", ".chainlit/x": "", "app.py": ""}},
    }
    assert app(values).pod()["spec"]["initContainers"][1:] == [theirs]
    container = filler(values)
    assert container["imagePullPolicy"] == "Always"
    assert container["command"][0] == "/venv/bin/python"
    assert container["command"][4:] == ["/data", "/run/app-root", "/srv", "", "app.py", "chainlit.md", "public"]
    assert container["volumeMounts"][1:] == [mounts[0]]


@pytest.mark.parametrize(
    "values",
    [
        {"chainlit": {"appRoot": {"path": ""}}},
        {"chainlit": {"appRoot": {"path": None}}},
        {"env": {"CHAINLIT_APP_ROOT": "/data"}},
        {"extraEnv": [{"name": "CHAINLIT_APP_ROOT", "value": "/data"}]},
    ],
)
def test_image_or_variable_decides(values: Object) -> None:
    release = app(values)
    assert "initContainers" not in release.pod()["spec"]
    assert release.env().get("CHAINLIT_APP_ROOT") in (None, "/data")
    assert release.container()["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]


def test_volume_shows_the_image_and_is_writable(image: Path, volume: Path) -> None:
    assert not run(image, volume)
    assert {path.name for path in volume.iterdir()} == {".chainlit", "public", "app.py", ".env"}
    for name in ("public", "app.py", ".env"):
        assert (volume / name).readlink() == image / name
    assert not (volume / ".chainlit").is_symlink()
    (volume / ".chainlit/translations/de-DE.json").write_text("Chainlit's", encoding="utf-8")
    assert (volume / ".chainlit/config.toml").read_text(encoding="utf-8") == "image: .chainlit/config.toml"
    assert not (image / ".chainlit/translations/de-DE.json").exists()


def test_image_may_be_read_only(image: Path, volume: Path) -> None:
    for folder in (image / ".chainlit/translations", image / ".chainlit", image):
        folder.chmod(0o555)
    assert not run(image, volume)
    assert (volume / ".chainlit").stat().st_mode & 0o200


def test_second_run_keeps_what_is_there(image: Path, volume: Path) -> None:
    assert not run(image, volume)
    (volume / ".chainlit/config.toml").write_text("mine", encoding="utf-8")
    (volume / "chainlit.md").write_text("Chainlit's", encoding="utf-8")
    (image / "chainlit.md").write_text("image", encoding="utf-8")
    assert not run(image, volume)
    assert (volume / ".chainlit/config.toml").read_text(encoding="utf-8") == "mine"
    assert (volume / "chainlit.md").read_text(encoding="utf-8") == "Chainlit's"


def test_what_the_pod_mounts_is_left_out(image: Path, volume: Path) -> None:
    assert not run(image, volume, "public", "app.py")
    assert {path.name for path in volume.iterdir()} == {".chainlit", ".env"}


@pytest.mark.parametrize("below", ["", "src"])
def test_working_directory_that_the_volume_hides_is_copied(image: Path, volume: Path, below: str) -> None:
    """An image with ``WORKDIR /chainlit``."""
    (image / "src/lib").mkdir(parents=True)
    (image / "src/main.py").write_text("main", encoding="utf-8")
    assert not run(image / below, volume, root=str(image))
    assert not (volume / "app.py").is_symlink()
    assert (volume / "app.py").read_text(encoding="utf-8") == "image: app.py"
    assert (volume / "src/main.py").read_text(encoding="utf-8") == "main"
    assert (volume / "main.py").is_symlink() == bool(below)


def test_app_root_in_the_working_directory_is_no_loop(image: Path, volume: Path) -> None:
    (image / "data/root").mkdir(parents=True)
    assert not run(image, volume, root=f"{image}/data/root")
    assert not (volume / "data").exists()
    assert (volume / "app.py").is_symlink()


@pytest.mark.parametrize("how", ["variable", "value"])
def test_another_directory_of_the_image(image: Path, volume: Path, tmp_path: Path, how: str) -> None:
    given = {"source": str(image)} if how == "value" else {"env": str(image)}
    assert not run(tmp_path, volume, **given)
    assert (volume / "app.py").readlink() == image / "app.py"


def test_image_without_the_directory_of_its_variable(image: Path, volume: Path) -> None:
    assert not run(image, volume, env="/no/such/directory")
    assert not list(volume.iterdir())


def test_what_cannot_be_copied_is_said_with_the_remedy(image: Path, volume: Path) -> None:
    os.mkfifo(image / ".chainlit/pipe")  # stands for a file that the user may not read: root may read all
    (line,) = run(image, volume).splitlines()
    assert str(image / ".chainlit/pipe") in line
    assert "Let everybody read the files of the image" in line
    assert "chainlit.appRoot.path" in line


def test_files_of_a_config_map_are_copied_and_win(image: Path, volume: Path, tmp_path: Path) -> None:
    mounted = tmp_path / "files"  # as the kubelet mounts a ConfigMap
    (mounted / "..2026").mkdir(parents=True)
    (mounted / "..2026/app.py").write_text("config map", encoding="utf-8")
    (mounted / "..data").symlink_to("..2026")
    (mounted / "app.py").symlink_to("..data/app.py")
    assert not run(image, volume, files=str(mounted))
    assert (volume / "app.py").read_text(encoding="utf-8") == "config map"
    assert not (volume / "app.py").is_symlink()
    assert (volume / "public").is_symlink()
    assert not (volume / "..data").exists()


def test_config_map_of_ones_own() -> None:
    release = app({"app": {"existingConfigMap": "mine"}})
    assert release.container()["command"][2] == "/chainlit/app.py"
    volume = {"name": "existing-files", "configMap": {"name": "mine"}}
    assert volume in release.pod()["spec"]["volumes"]
    container = filler({"app": {"existingConfigMap": "mine"}})
    assert container["command"][7] == "/run/app-files"
    mount = {"name": "existing-files", "mountPath": "/run/app-files", "readOnly": True}
    assert mount in container["volumeMounts"]
    assert "command" not in app({"app": {"existingConfigMap": "mine", "entrypoint": ""}}).container()
