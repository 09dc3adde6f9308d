"""The image of kind's node: pulled where a registry answers, else built from source."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.cluster import archive, cache, golang, kubernetes, rootfs
from tests.cluster.console import run, say, step
from tests.cluster.engine import Runtime, by_digest
from tests.cluster.errors import ClusterError
from tests.cluster.versions import FILES, PACKAGE, pinned

PACKAGES = (
    # what kind's own base image has
    *("systemd", "dbus", "conntrack", "iptables", "nftables", "iproute2", "ethtool", "util-linux", "mount", "kmod"),
    *("bash", "ca-certificates", "curl", "jq", "procps", "socat"),
    # what it builds from source
    *("containerd", "runc", "containernetworking-plugins"),
)
NODE_FILES = FILES / "node"
CHANGES = (
    'ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]',
    "ENV container=docker",
    "STOPSIGNAL SIGRTMIN+3",
)
PROXY_PROGRAMS = ("/usr/sbin/xtables-nft-multi", "/usr/sbin/nft", "/usr/sbin/conntrack")
PROXY_LINKS = tuple(f"{family}{verb}" for family in ("iptables", "ip6tables") for verb in ("", "-save", "-restore"))


def from_registry(engine: Runtime) -> bool:
    """Tell whether images come from a registry: as NODE_IMAGE says, else whether one serves them; says why not.

    Raises ClusterError for a NODE_IMAGE that is not known.
    """
    wanted = os.environ.get("NODE_IMAGE", "")
    if wanted not in {"", "registry", "source"}:
        raise ClusterError(f"NODE_IMAGE={wanted}: only registry and source are known")
    if wanted:
        return wanted == "registry"
    reference = pinned().node_registry
    if engine.has_image(by_digest(reference)):
        return True
    if any(cache.entry_path("node-image", _key()).glob("*")):  # built once, and nothing has to be asked again
        return False
    try:
        engine.ask_registry(reference)
    except ClusterError as error:
        say(f"    no registry (NODE_IMAGE=registry pulls all the same): {error}")
        return False
    return True


def ensure(engine: Runtime) -> str:
    """Return the reference of a node image that is in the engine's store. Raises ClusterError."""
    if from_registry(engine):
        reference = by_digest(pinned().node_registry)
        if not engine.has_image(reference):
            with step(f"pull {reference}"):
                engine.run("pull", reference, timeout=1200)
        return reference
    reference = f"localhost/chainlit-node:{pinned().kubernetes}-{_key()}"
    if not engine.has_image(reference):
        say("    the node image comes from source; built once, which takes minutes")
        rootfs.load(engine, _built() / rootfs.ARCHIVE, reference, CHANGES)
    return reference


def _key() -> str:
    versions = pinned()
    return cache.key_of(
        [
            *(versions.kubernetes, versions.etcd, versions.coredns, versions.kind),
            *(NODE_FILES, FILES / "programs", Path(__file__), PACKAGE / "archive.py"),
            rootfs.key(PACKAGES),
        ]
    )


def _built() -> Path:
    """Return the directory of the node's root file system, having built the parts one by one."""
    if not cache.entry_path("node-image", _key()).exists():
        rootfs.mirror()  # what cannot be finished is not begun: Kubernetes takes long
    parts = [kubernetes.node_programs(), kubernetes.kubectl(), *addons()]
    base = rootfs.debian("node-rootfs", PACKAGES)
    return cache.entry("node-image", _key(), lambda into: _assemble(base, parts, into))


def addons() -> list[Path]:
    """Return the directories of etcd, CoreDNS and pause."""
    versions = pinned()
    etcd, coredns = "go.etcd.io/etcd/server/v3", "github.com/coredns/coredns"
    return [
        _addon("etcd", etcd, {etcd: versions.etcd}),
        _addon("coredns", ".", {coredns: versions.coredns}),
        _addon("pause", ".", {}),
    ]


def _addon(name: str, package: str, requires: dict[str, str]) -> Path:
    source = FILES / "programs" / name / "main.go"
    main = source.read_text() if source.is_file() else None

    def build(into: Path) -> None:
        with tempfile.TemporaryDirectory(prefix=f"{name}-") as work:
            golang.build(Path(work), into, [package], requires=requires, main=main)
        next(into.iterdir()).rename(into / name)

    return cache.entry(name, cache.key_of([name, *requires.values(), main or ""]), build)


def _assemble(base: Path, parts: Sequence[Path], into: Path) -> None:
    root = into / "root"
    programs = {program.name: program for part in parts for program in part.iterdir()}
    rootfs.unpack(base, root)
    _install(root, programs)
    run(["chroot", root, "/bin/bash", "/kind/prepare.sh"], timeout=120)
    archives = _write_images(root, programs)
    isolated = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
    inside = [f"/{path.relative_to(root)}" for path in archives]
    run([*isolated, "chroot", root, "/bin/bash", "/kind/import.sh", *inside], timeout=600)
    for path in [*archives, root / "kind/prepare.sh", root / "kind/import.sh"]:
        path.unlink()
    rootfs.pack(root, into / rootfs.ARCHIVE)
    cache.remove_tree(root)


def _install(root: Path, programs: dict[str, Path]) -> None:
    """Put kind's own files, ours, and Kubernetes' programs where kind expects them."""
    kind_files = Path(golang.module_info("sigs.k8s.io/kind", pinned().kind)["Dir"]) / "images/base/files"
    for source in sorted(kind_files.rglob("*")):
        target = root / source.relative_to(kind_files)
        if source.is_dir():
            target.mkdir(exist_ok=True)
        else:
            shutil.copyfile(source, target)
            target.chmod(0o644)
    for name in ("prepare.sh", "import.sh"):
        shutil.copy(NODE_FILES / name, root / "kind" / name)
    manifests, network = root / "kind/manifests", root / "etc/cni/net.d"
    manifests.mkdir(parents=True)
    network.mkdir(parents=True, exist_ok=True)
    for manifest in NODE_FILES.glob("*.yaml"):
        shutil.copy(manifest, manifests)
    shutil.copy(NODE_FILES / "10-bridge.conflist", network)
    (root / "kind/version").write_text(pinned().kubernetes)
    for name in ("kubeadm", "kubelet", "kubectl"):
        shutil.copy(programs[name], root / "usr/bin" / name)


def _write_images(root: Path, programs: dict[str, Path]) -> list[Path]:
    """Write the images that kubeadm will ask for, and the one that containerd starts pods with."""
    listed = run(
        ["chroot", root, "kubeadm", "config", "images", "list", f"--kubernetes-version={pinned().kubernetes}"]
    ).split()
    pause = re.search(r'sandbox_image = "([^"]+)"', (root / "etc/containerd/config.toml").read_text())
    listed += [pause[1]] if pause else []
    written = []
    for name in sorted({_program_of(reference) for reference in listed}):
        references = [reference for reference in listed if _program_of(reference) == name]
        path = root / "kind" / f"{name}.tar"
        archive.write(_image(name, references, root, programs), path)
        written.append(path)
    return written


def _program_of(reference: str) -> str:
    return reference.rpartition("/")[2].partition(":")[0]


def _image(name: str, references: Sequence[str], root: Path, programs: dict[str, Path]) -> archive.Image:
    files = {f"/usr/local/bin/{name}": programs[name]}
    if name != "kube-proxy":
        return archive.Image(references, files, entrypoint=[f"/usr/local/bin/{name}"])
    modules = [f"/{path.relative_to(root)}" for path in (root / "usr/lib").glob("*/xtables/*.so")]
    wanted = [*PROXY_PROGRAMS, *modules]
    linked = run(["chroot", root, "ldd", *wanted])
    libraries = set(re.findall(r"(?:=> |^\s+)(/\S+) \(0x", linked, re.MULTILINE))
    files |= {path: (root / path.lstrip("/")).resolve() for path in [*wanted, *libraries]}
    links = {f"/usr/sbin/{link}": "xtables-nft-multi" for link in PROXY_LINKS}
    return archive.Image(references, files, links, directories=("/tmp", "/run"))
