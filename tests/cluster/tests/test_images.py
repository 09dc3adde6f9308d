"""The names of the images under test."""

from pathlib import Path

import pytest
from tests.cluster.images import DEMO, RELEASES, RUNTIME, AppImage
from tests.cluster.versions import pinned


@pytest.fixture
def context(tmp_path: Path) -> Path:
    for name, text in {
        "Dockerfile": "FROM scratch",
        "requirements.txt": "",
        "src/package/__init__.py": '"""It."""\n\n__version__ = "1.2.3"\n',
        "src/package/__pycache__/x.pyc": "",
        ".cache/file": "",
        "wheels/a.whl": "",
        "x.egg-info/PKG-INFO": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_what_tools_leave_behind_is_no_part_of_an_image(context: Path) -> None:
    found = AppImage("operator", context).files()
    assert sorted(found) == [
        "Dockerfile",
        "requirements.txt",
        "src/package/__init__.py",
    ]


def test_the_tag_is_the_version_and_a_key_of_the_contents(context: Path) -> None:
    image = AppImage("operator", context)
    before = image.reference
    assert before.startswith("localhost/chainlit-operator:1.2.3-")
    (context / ".cache" / "file").write_text("changed")
    assert image.reference == before
    (context / "src" / "package" / "new.py").write_text("")
    assert image.reference != before


def test_an_older_release_is_the_same_app_with_other_pins(context: Path, tmp_path: Path) -> None:
    pins = tmp_path / "pins.txt"
    pins.write_text("chainlit==1.0")
    image = AppImage("demo-1.0", context, pins, "1.0")
    assert image.files()["requirements.txt"] == pins
    assert image.reference.startswith("localhost/chainlit-demo-1.0:1.0-")
    before = image.reference
    pins.write_text("chainlit==1.0 # changed")
    assert image.reference != before


@pytest.mark.parametrize("release", RELEASES)
def test_each_release_pins_what_its_name_says(release: str) -> None:
    assert f"chainlit=={release}" in RELEASES[release].requirements.read_text()
    assert (RELEASES[release].requirements.parent / "requirements.in").read_text().startswith(f"chainlit=={release}\n")


def test_a_context_without_a_version_or_a_dockerfile(context: Path) -> None:
    (context / "src/package/__init__.py").unlink()
    assert AppImage("operator", context).version() == "dev"
    (context / "Dockerfile").unlink()
    assert not AppImage("operator", context).exists


@pytest.mark.parametrize("image", [DEMO, RUNTIME], ids=lambda image: image.name)
def test_an_image_pins_the_chainlit_that_its_tag_names(image: AppImage) -> None:
    assert image.exists
    pins = [line.split()[0] for line in image.requirements.read_text().splitlines() if "==" in line]
    assert f"chainlit=={pinned().chainlit}" in pins
    assert image.reference.startswith(f"localhost/chainlit-{image.name}:{pinned().chainlit}-")


def test_the_runtime_has_the_drivers_of_the_data_layer() -> None:
    pins = {line.partition("==")[0] for line in RUNTIME.requirements.read_text().splitlines() if "==" in line}
    assert {"asyncpg", "boto3", "google-cloud-storage", "azure-storage-blob"} <= pins
