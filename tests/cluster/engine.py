"""The container engine: a Docker that answers, else Podman, with the settings this host needs."""

from __future__ import annotations

import os
import re
import resource
import shutil
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO

from tests.cluster import apt, console, state
from tests.cluster.errors import ClusterError

CAP_SYS_RESOURCE = 24
PODMAN_PROGRAMS = {
    "podman": "podman",
    "iptables": "iptables",
    "/usr/lib/podman/netavark": "netavark",
    "/usr/lib/podman/aardvark-dns": "aardvark-dns",
}


def by_digest(reference: str) -> str:
    """Return a reference without its tag where it has a digest too: Podman takes only one of them."""
    name, at, digest = reference.partition("@")
    return f"{name.rpartition(':')[0]}@{digest}" if at else name


@dataclass(frozen=True)
class Runtime:
    """A container engine's command and the environment it is run with."""

    command: str
    environment: dict[str, str] = field(default_factory=dict)

    def run(
        self,
        *arguments: str | Path,
        stdin: str | None = None,
        timeout: float | None = None,
        stdout: IO[bytes] | None = None,
    ) -> str:
        """Run the engine's command line and return its standard output. Raises ClusterError."""
        return console.run(
            [self.command, *arguments], env=self.environment, stdin=stdin, timeout=timeout, stdout=stdout
        )

    def succeeds(self, *arguments: str | Path, timeout: float = 30) -> bool:
        """Tell whether a command line of the engine ends with status 0."""
        return console.succeeds([self.command, *arguments], env=self.environment, timeout=timeout)

    def has_image(self, reference: str) -> bool:
        """Tell whether the engine's own store holds an image."""
        return self.succeeds("image", "inspect", reference)

    def ask_registry(self, reference: str) -> None:
        """Ask a registry for an image. Raises ClusterError, with its answer, where none serves it in a few seconds."""
        self.run("manifest", "inspect", reference.partition("@")[0], timeout=8)

    def keep_newest(self, reference: str, count: int) -> None:
        """Remove all but the newest images of a repository; `reference` stays, and one that a container uses."""
        repository = reference.rpartition(":")[0]
        options = ["--filter", f"reference={repository}", "--format", "{{.Repository}}:{{.Tag}}"]
        # First, whatever its age: an image whose layers were all there is as old as they are.
        found = dict.fromkeys([reference, *self.run("images", *options).split()])
        for old in list(found)[count:]:
            self.succeeds("rmi", old)


@cache
def find() -> Runtime:
    """Return a working engine. Raises ClusterError when there is none and none can be set up."""
    wanted = os.environ.get("ENGINE", "")
    if wanted not in {"", "docker", "podman"}:
        raise ClusterError(f"ENGINE={wanted}: only docker and podman are known")
    if wanted != "podman" and _docker_answers():
        return Runtime("docker", {"KIND_EXPERIMENTAL_PROVIDER": "docker"})
    if wanted == "docker":
        raise ClusterError("ENGINE=docker, but `docker info` does not answer, or `docker` is another program's name")
    return _podman()


def _docker_answers() -> bool:
    """Tell whether there is a Docker that answers, and not Podman by that name."""
    try:
        named = console.run(["docker", "--version"], timeout=15)
    except ClusterError:
        return False
    return named.startswith("Docker version") and console.succeeds(["docker", "info"], timeout=15)


def _podman() -> Runtime:
    if os.geteuid() == 0 and apt.os_release().get("ID") in {"debian", "ubuntu"}:
        runtime = {} if Host.look().unified_cgroups else {"runc": "runc"}
        apt.require({**PODMAN_PROGRAMS, **runtime}, "Podman (no working Docker answers here)")
        Path("/lib/modules").mkdir(parents=True, exist_ok=True)  # kind mounts it; without it no node starts
    elif shutil.which("podman") is None:
        raise ClusterError("a container engine is needed: start Docker, or install podman")
    engine = Runtime("podman", podman_environment())
    try:
        engine.run("info", timeout=60)
    except ClusterError as error:
        if not _forget_former_boot(str(error)):
            raise
        engine.run("info", timeout=60)
    return engine


def podman_environment() -> dict[str, str]:
    """Return the environment for podman and kind, writing the configuration file that it names."""
    environment = {"KIND_EXPERIMENTAL_PROVIDER": "podman"}
    if sys.platform == "linux" and (text := containers_conf(Host.look())):
        path = state.root() / "containers.conf"
        if not path.is_file() or path.read_text() != text:
            state.write(path, text)
        environment["CONTAINERS_CONF"] = str(path)
    return environment


@dataclass(frozen=True)
class Host:
    """What of this host decides how Podman must be configured."""

    unified_cgroups: bool
    systemd: bool
    may_raise_limits: bool
    files: int
    processes: int

    @staticmethod
    def look() -> Host:
        """Return the facts of the host we run on."""
        capabilities = re.search(r"^CapEff:\s*(\w+)", Path("/proc/self/status").read_text(), re.MULTILINE)
        return Host(
            unified_cgroups=Path("/sys/fs/cgroup/cgroup.controllers").exists(),
            systemd=Path("/run/systemd/system").is_dir(),
            may_raise_limits=bool(int(capabilities[1], 16) >> CAP_SYS_RESOURCE & 1) if capabilities else True,
            files=resource.getrlimit(resource.RLIMIT_NOFILE)[1],
            processes=_most_processes(),
        )


def _most_processes() -> int:
    """Return the highest limit of processes that a container can be given.

    Podman lowers its own to the highest process id before it starts anything.
    """
    highest = int(Path("/proc/sys/kernel/pid_max").read_text())
    limit = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    return highest if limit == resource.RLIM_INFINITY else min(limit, highest)


def containers_conf(host: Host) -> str:
    """Return the Podman configuration that a host needs; empty where its defaults serve."""
    containers, engine = [], []
    if not host.may_raise_limits:
        limits = [
            f'"{name}={limit}:{limit}"'
            for name, limit in (("nofile", host.files), ("nproc", host.processes))
            if limit != resource.RLIM_INFINITY
        ]
        containers.append(f"default_ulimits = [{', '.join(limits)}]")
    if not host.unified_cgroups:
        engine.append('runtime = "runc"')  # crun refuses the hybrid layout of cgroup v1
    if not host.systemd:
        engine += ['cgroup_manager = "cgroupfs"', 'events_logger = "file"']
    sections = [("containers", containers), ("engine", engine)]
    return "\n".join(f"[{name}]\n" + "\n".join(lines) + "\n" for name, lines in sections if lines)


def former_boot_directories(message: str) -> list[Path]:
    """Return the directories that Podman asks to delete after a reboot which it did not notice.

    Only those below /run are returned: nothing there is meant to outlive a boot.
    """
    if "boot ID" not in message:
        return []
    named = re.findall(r'"?(/run/[\w./-]+)"?', message)
    return [Path(name.rstrip(".")) for name in named if ".." not in name and len(Path(name).parts) > 2]


def _forget_former_boot(message: str) -> bool:
    directories = [path for path in former_boot_directories(message) if path.is_dir()]
    for directory in directories:
        console.say(f"    removing {directory}, which Podman kept from before a reboot")
        shutil.rmtree(directory)
    return bool(directories)
