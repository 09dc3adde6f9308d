"""What the container engine must be told on which host."""

import resource
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.cluster import engine, kubernetes, nodeimage
from tests.cluster.engine import Host, Runtime, by_digest, containers_conf, former_boot_directories
from tests.cluster.errors import ClusterError

Program = Callable[[str, str], Path]
ORDINARY = Host(unified_cgroups=True, systemd=True, may_raise_limits=True, files=1024, processes=4096)


def test_an_ordinary_host_needs_no_configuration() -> None:
    assert containers_conf(ORDINARY) == ""


def test_cgroup_v1_needs_runc_and_a_host_without_systemd_other_managers() -> None:
    host = replace(ORDINARY, unified_cgroups=False, systemd=False)
    assert tomllib.loads(containers_conf(host)) == {
        "engine": {"runtime": "runc", "cgroup_manager": "cgroupfs", "events_logger": "file"}
    }


def test_limits_that_cannot_be_raised_are_the_hosts_own() -> None:
    host = replace(ORDINARY, may_raise_limits=False)
    assert tomllib.loads(containers_conf(host)) == {
        "containers": {"default_ulimits": ["nofile=1024:1024", "nproc=4096:4096"]}
    }
    unlimited = replace(host, files=resource.RLIM_INFINITY)
    assert "nofile" not in containers_conf(unlimited)


def test_only_directories_below_run_are_given_up_after_a_reboot() -> None:
    message = (
        "Error: current system boot ID differs from cached boot ID; an unhandled reboot has occurred. "
        'Please delete directories "/run/containers/storage" and "/run/libpod" and re-run Podman'
    )
    assert former_boot_directories(message) == [Path("/run/containers/storage"), Path("/run/libpod")]
    assert former_boot_directories(message.replace("/run/libpod", "/var/lib/containers")) == [
        Path("/run/containers/storage")
    ]
    assert former_boot_directories("Error: no space left on /run/libpod") == []
    assert former_boot_directories('boot ID differs: delete "/run/../etc" and "/run/"') == []


def test_a_reference_keeps_either_tag_or_digest() -> None:
    assert by_digest("host/name:v1@sha256:ab") == "host/name@sha256:ab"
    assert by_digest("host/name:v1") == "host/name:v1"


def test_an_unknown_engine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE", "other")
    engine.find.cache_clear()
    with pytest.raises(ClusterError, match="only docker and podman"):
        engine.find()


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Makes a program of some name and script the only one that there is; returns a file for it to write to, $LOG."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("LOG", str(tmp_path / "log"))

    def make(name: str, script: str) -> Path:
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
        return tmp_path / "log"

    return make


@pytest.mark.parametrize(
    ("version", "found"), [("Docker version 28.2.2, build e6534b4", "docker"), ("podman version 5.4.2", "podman")]
)
def test_podman_by_dockers_name_is_podman(
    version: str, found: str, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("docker", f'[ "$1" = info ] || echo "{version}"')
    monkeypatch.setattr(engine, "_podman", lambda: Runtime("podman"))
    monkeypatch.delenv("ENGINE", raising=False)
    engine.find.cache_clear()
    assert engine.find().command == found
    engine.find.cache_clear()


@pytest.mark.parametrize(("count", "removed"), [(1, ["b", "a"]), (2, ["a"]), (3, [])])
def test_an_image_that_was_just_built_stays_whatever_its_age(count: int, removed: list[str], program: Program) -> None:
    log = program("docker", 'if [ "$1" = images ]; then echo x/y:b x/y:a x/y:new; else echo "$2" >> "$LOG"; fi')
    log.touch()
    Runtime("docker").keep_newest("x/y:new", count)
    assert log.read_text().split() == [f"x/y:{tag}" for tag in removed]


def test_without_root_and_registry_nothing_is_built_in_vain(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program("docker", '[ "$1" = manifest ] && echo "toomanyrequests: too many pulls" >&2; exit 1')
    monkeypatch.delenv("NODE_IMAGE", raising=False)
    monkeypatch.setenv("CHAINLIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr(kubernetes, "node_programs", lambda: pytest.fail("Kubernetes was built"))
    with pytest.raises(ClusterError, match=r"needs root; .* NODE_IMAGE=registry"):
        nodeimage.ensure(Runtime("docker"))
    assert "toomanyrequests: too many pulls" in capsys.readouterr().err
