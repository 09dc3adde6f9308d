"""What the container engine must be told on which host."""

import resource
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from tests.cluster import engine
from tests.cluster.engine import Host, by_digest, containers_conf, former_boot_directories
from tests.cluster.errors import ClusterError

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
