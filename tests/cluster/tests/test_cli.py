"""The command line."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cluster import cli, engine, tools
from tests.cluster.engine import Runtime
from tests.cluster.errors import ClusterError


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINLIT_CACHE", str(tmp_path / "the cache"))
    monkeypatch.setenv("CHAINLIT_STATE", str(tmp_path / "it's state"))
    monkeypatch.setenv("CLUSTER", "named")
    monkeypatch.setattr(engine, "find", lambda: Runtime("podman", {"CONTAINERS_CONF": "/a b/c"}))


def test_env_prints_only_exports_that_a_shell_reads_back(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert cli.main(["env"]) == 0
    printed = capsys.readouterr().out
    assert all(line.startswith("export ") for line in printed.splitlines())
    wanted = ("$CLUSTER", "$KUBECONFIG", "$EDGE", "$CONTOUR_EDGE", "$CONTAINERS_CONF", "${PATH%%:*}")
    shown = subprocess.run(
        ["sh", "-c", "\n".join([printed, *(f'echo "{name}"' for name in wanted)])],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert shown[0] == "named"
    assert shown[1] == str(tmp_path / "it's state/clusters/named/kubeconfig")
    assert shown[2].startswith("http://127.0.0.1:")
    assert shown[3].startswith("http://127.0.0.1:") and shown[3] != shown[2]
    assert shown[4] == "/a b/c"
    assert shown[5].startswith(str(tmp_path / "the cache/kind/"))


def test_env_twice_does_not_lengthen_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    first = tools.search_path()
    monkeypatch.setenv("PATH", first)
    assert tools.search_path() == first


def test_an_expected_failure_is_told_in_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> Runtime:
        raise ClusterError("install podman")

    monkeypatch.setattr(engine, "find", fail)
    assert cli.main(["up"]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "error: install podman\n"


def test_a_python_without_pip_is_told_before_anything_is_built(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr(tools, "ensure", lambda: pytest.fail("tools were built"))
    assert cli.main(["up"]) == 1
    assert capsys.readouterr().err == "error: Fetching Traefik needs packages that are not installed: python3-pip\n"


def test_an_old_python_is_told_how_to_name_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 13))
    monkeypatch.setattr(sys, "argv", ["tests.cluster", "--help"])
    with pytest.raises(SystemExit, match=r"^error: Python 3\.11 or later is needed.* make PYTHON=python3\.12 up$"):
        runpy.run_module("tests.cluster", run_name="__main__")


def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    shown = capsys.readouterr().out
    assert all(command in shown for command in cli.COMMANDS)
    assert all(variable in shown for variable in ("CLUSTER", "ENGINE", "NODE_IMAGE", "CHAINLIT_CACHE"))
