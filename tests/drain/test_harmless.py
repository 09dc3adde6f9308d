"""The drain leaves an app as it is where it cannot work, and whatever else is on PYTHONPATH."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.drain.browser import counted, tab
from tests.drain.processes import DRAIN, PATIENCE, serving
from tests.drain.signals import Signal
from tests.releases import CURRENT

slow = pytest.mark.slow
#: As an image without Chainlit's own: what the file reads is missing.
FOREIGN = {"chainlit/__init__.py": "", "chainlit/server.py": "loaded = True"}


def run(code: str, place: Path, *paths: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the drain and these folders on PYTHONPATH."""
    path = os.pathsep.join(str(each) for each in (DRAIN, *paths))
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=place,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": path, **env},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize("port", ["", "1", "no number"])
def test_the_sitecustomize_of_the_image_is_read_too(port: str, tmp_path: Path) -> None:
    image = write(tmp_path / "image", {"sitecustomize.py": "import builtins; builtins.READ = __file__"})
    found = run("import sitecustomize; print(READ, sitecustomize.__file__)", tmp_path, image, CHAINLIT_DRAIN_PORT=port)
    assert (found.stdout.split(), found.stderr) == ([f"{image}/sitecustomize.py"] * 2, "")


def test_a_fault_in_the_sitecustomize_of_the_image_stays_as_it_is(tmp_path: Path) -> None:
    image = write(tmp_path / "image", {"sitecustomize.py": "raise ValueError('of the image')"})
    with_drain = run("print('runs')", tmp_path, image, CHAINLIT_DRAIN_PORT="1")
    assert with_drain.stdout == "runs\n"
    assert "of the image" in with_drain.stderr


def test_without_a_port_nothing_looks_for_chainlit(tmp_path: Path) -> None:
    found = run("import sys; print([type(each).__name__ for each in sys.meta_path])", tmp_path)
    assert "'Finder'" not in found.stdout
    assert found.stderr == ""


@pytest.mark.parametrize("port", ["8", "no number"])
def test_a_chainlit_that_the_drain_does_not_know_is_imported(port: str, tmp_path: Path) -> None:
    image = write(tmp_path / "image", FOREIGN)
    code = "import sys, chainlit.server as s; print(s.loaded, s.__spec__.loader.__dict__.keys(), len(sys.meta_path))"
    found = run(code, tmp_path, image, CHAINLIT_DRAIN_PORT=port)
    assert found.stdout == run(code, tmp_path, image).stdout
    assert found.stderr.startswith("chainlit.drain: nothing waits for answers when the pod ends")


def test_a_fault_of_the_server_is_the_one_that_the_app_shows(tmp_path: Path) -> None:
    image = write(tmp_path / "image", FOREIGN | {"chainlit/server.py": "raise RuntimeError('no database')"})
    found = run("import chainlit.server", tmp_path, image, CHAINLIT_DRAIN_PORT="8")
    assert found.stderr.endswith("RuntimeError: no database\n")
    assert "chainlit.drain" not in found.stderr


def prepared(place: Path, given: str, image: str) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """The folder that the init container fills in a pod."""
    folder = place / "drain"
    folder.mkdir()
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": image}
    command = [sys.executable, str(DRAIN / "prepare.py"), str(DRAIN / "sitecustomize.py"), str(folder), given]
    return folder, subprocess.run(command, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False)


def run_from(folder: Path, code: str, given: str = "") -> str:
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(filter(None, [str(folder), given]))}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout


@pytest.mark.parametrize(("given", "image"), [("", "/a:/b"), ("/given", "/a:/b"), ("", "")])
def test_the_python_path_of_the_image_stays(given: str, image: str, tmp_path: Path) -> None:
    """The values hide it, as they do without the drain; the drain's own directory does not."""
    folder, made = prepared(tmp_path, given, image)
    assert (made.returncode, made.stdout, made.stderr) == (0, "", "")
    found = run_from(folder, "import sys; print(*sys.path[1:], sep='\\n')", given).split()
    expected = [str(folder), *filter(None, (given or image).split(":"))]
    assert found[: len(expected)] == expected
    assert len(found) == len(set(found))
    image_sitecustomize = write(tmp_path / "image", {"sitecustomize.py": "import builtins; builtins.READ = True"})
    (folder / "pythonpath").write_text(str(image_sitecustomize))
    assert run_from(folder, "print(READ)") == "True\n"


def test_a_folder_that_cannot_be_filled_is_named(tmp_path: Path) -> None:
    command = [sys.executable, str(DRAIN / "prepare.py"), str(DRAIN / "sitecustomize.py"), str(tmp_path / "none"), ""]
    made = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert made.returncode == 1
    assert "Set drain.enabled to false" in made.stderr


async def test_a_port_that_is_taken_costs_the_drain_only(tmp_path: Path, signal: Signal) -> None:
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as taken:
        env = {"CHAINLIT_DRAIN_PORT": str(taken.getsockname()[1])}
        async with serving(CURRENT, tmp_path / "a", drain=None, env=env) as app:
            assert "nothing waits for answers" in app.said()
            async with tab(app.port) as opened:
                signal.give()
                await opened.say(signal.text)
                assert counted(await opened.answer()) == 1


async def test_a_caller_that_goes_away_ends_the_drain(tmp_path: Path, signal: Signal) -> None:
    env = {"STORE": str(tmp_path)}
    async with serving(CURRENT, tmp_path / "a", env=env) as app, tab(app.port) as opened:
        await opened.say(signal.text)
        await opened.hear(5)
        drained = asyncio.ensure_future(app.drain())
        await app.becomes(ready=False)
        drained.cancel()
        await app.becomes(ready=True)
        signal.give()
        assert counted(await opened.answer()) == 1
        assert opened.losses == 0
        assert not (await app.status())["isDraining"]


async def test_the_drain_of_a_mounted_chat_waits_too(tmp_path: Path, signal: Signal) -> None:
    async with (
        serving(CURRENT, tmp_path / "a", is_mounted=True) as app,
        tab(app.port, path="/chat/ws/socket.io") as opened,
    ):
        await opened.say(signal.text)
        await opened.hear(5)
        drained = asyncio.ensure_future(app.drain())
        await opened.hear(20)
        signal.give()
        assert counted(await opened.answer()) == 1
        await opened.close()
        assert (await asyncio.wait_for(drained, PATIENCE))["sessions"] == 0


@pytest.mark.parametrize(
    ("release", "reason"),
    [
        ("1.1.404", "the app has no Chainlit 2.0 or later"),
        ("1.3.2", "the app has no Chainlit 2.0 or later"),
        ("2.2.1", "the app has no login, no data layer, no on_chat_resume"),
    ],
)
@slow
async def test_an_older_release_runs_as_before(release: str, reason: str, tmp_path: Path) -> None:
    async with serving(release, tmp_path / "a") as app:
        found = await app.status()
        assert (found["mode"], found["reason"].partition(": ")[2]) == ("Keep", reason)
        assert (await asyncio.wait_for(app.drain(), PATIENCE))["seconds"] < 5


async def test_other_paths_of_the_port_are_not_there(tmp_path: Path) -> None:
    async with serving(CURRENT, tmp_path / "a") as app, aiohttp.ClientSession() as http:
        async with http.get(f"http://127.0.0.1:{app.drain_port}/") as response:
            assert response.status == 404
        async with http.post(f"http://127.0.0.1:{app.drain_port}/drain") as response:
            assert response.status == 501
        assert not (await app.status())["isDraining"]
