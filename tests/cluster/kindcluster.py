"""The kind cluster: made, recognised as healthy or not, made again, removed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.cluster import cache, engine, ipfamily, nodeimage, ports, state, tools
from tests.cluster.console import run, say, step, succeeds, wait_until
from tests.cluster.engine import Runtime
from tests.cluster.errors import ClusterError
from tests.cluster.state import ClusterState
from tests.cluster.versions import REPOSITORY

CONFIG = REPOSITORY / "kind-config.yaml"
POD_NETWORK = "10-bridge.conflist"
AUDIT_LOG = "/var/log/kubernetes/audit.log"
APPLY = ("apply", "--server-side", "--force-conflicts", "--field-manager=tests.cluster")
KEY_ANNOTATION = "chainlit-operator.dev/made-from"


class KindCluster:
    """One cluster of kind, with a kubeconfig of its own and one port of the loopback address."""

    def __init__(self, engine: Runtime, files: ClusterState) -> None:
        """Stand for the cluster that `files` names; nothing is looked at yet."""
        self.engine = engine
        self.files = files

    def kubectl(self, *arguments: str | Path, stdin: str | None = None, timeout: float = 120) -> str:
        """Run kubectl against this cluster and return what it prints. Raises ClusterError."""
        return run(
            [tools.kubectl(), f"--kubeconfig={self.files.kubeconfig}", *arguments],
            stdin=stdin,
            timeout=timeout,
        )

    def kind(self, *arguments: str | Path, timeout: float = 600) -> str:
        """Run kind with the engine's settings and return what it prints. Raises ClusterError."""
        return run([tools.kind(), *arguments], env=self.engine.environment, cwd=REPOSITORY, timeout=timeout)

    def on_node(self, *command: str, timeout: float = 30) -> str:
        """Run a command in the node and return what it prints. Raises ClusterError."""
        return self.engine.run("exec", self.files.node, *command, timeout=timeout)

    def exists(self) -> bool:
        """Tell whether the engine knows a container with the node's name, in whatever condition."""
        return self.engine.succeeds("container", "inspect", self.files.node)

    def serves(self) -> bool:
        """Tell whether the cluster was completed and its API server answers.

        What the engine says of the node is not believed: after a reboot, or when its processes were killed,
        Podman still calls it up.
        """
        if not self.files.read("made-from") or not self.files.kubeconfig.is_file():
            return False
        if not self.engine.succeeds("exec", self.files.node, "true", timeout=60):
            return False
        try:
            wait_until(self._api_answers, seconds=30, what="the API server")
        except ClusterError:
            return False
        return True

    def _api_answers(self) -> bool:
        ready = ["get", "--raw=/readyz", "--request-timeout=5s"]
        return succeeds([tools.kubectl(), f"--kubeconfig={self.files.kubeconfig}", *ready], timeout=10)

    def ensure(self) -> None:
        """Return with a cluster that serves, making it where it does not; an unusable one is made again.

        Raises ClusterError when that fails.
        """
        if self.serves():
            if self.files.read("made-from") != config_key(ipfamily.chosen()):
                say("    the cluster has another kind-config.yaml or IP_FAMILY: run `down`, then `up`")
        else:
            self._create()

    def wait_ready(self) -> None:
        """Wait until the node is Ready and names are resolved. Raises ClusterError when that takes too long."""
        self.kubectl("wait", "--for=condition=Ready", "node", "--all", "--timeout=120s", timeout=130)
        dns = ["-n", "kube-system", "rollout", "status", "deployment/coredns"]
        self.kubectl(*dns, "--timeout=120s", timeout=130)

    def _create(self) -> None:
        family = ipfamily.chosen()
        image = nodeimage.ensure(self.engine)
        if self.exists():
            with step(f"remove the unusable cluster {self.files.name}"):
                self.delete()
        self.files.forget_making()
        config = self.files.directory / "kind-config.yaml"
        mounts = self._pod_network(family, image)
        state.write(config, render(CONFIG.read_text(), self._free_ports(), REPOSITORY, family, mounts))
        with step(f"kind cluster {self.files.name}"):
            options = [f"--name={self.files.name}", f"--image={image}", f"--config={config}"]
            self.kind("create", "cluster", *options, f"--kubeconfig={self.files.kubeconfig}")
            address = self._address()
            self._name_node(address)
        if family != ipfamily.IPV4:
            self.files.remember(state.ADDRESS, address)
        self.files.remember("made-from", config_key(family))

    def _pod_network(self, family: str, image: str) -> dict[Path, str]:
        """Write the pods' network for a family, and return where the node needs it.

        It needs none for IPv4, and none where the image is kind's own, which looks at the cluster.
        """
        if family == ipfamily.IPV4 or not image.startswith("localhost/"):
            return {}
        ours = self.files.directory / POD_NETWORK
        state.write(ours, ipfamily.pod_network((nodeimage.NODE_FILES / POD_NETWORK).read_text(), family))
        return {ours: f"/etc/cni/net.d/{POD_NETWORK}"}

    def _address(self) -> str:
        """Return the node's address, in a dual-stack cluster that of IPv6."""
        get = ["get", "nodes", "--output=jsonpath={.items[0].status.addresses[?(@.type=='InternalIP')].address}"]
        return max(self.kubectl(*get).split(), key=lambda address: ":" in address)

    def _name_node(self, address: str) -> None:
        """Let the cluster's DNS know the node's name, at which tests open the edges as a browser does.

        The engine's own DNS answers for some of the node's addresses only, now and then.
        """
        found = json.loads(self.kubectl("get", "configmap", "coredns", "--namespace=kube-system", "--output=json"))
        resolver = self.on_node("cat", "/etc/resolv.conf")
        found["data"]["Corefile"] = with_host(found["data"]["Corefile"], self.files.node, address, resolver)
        self.kubectl("replace", "--filename=-", stdin=json.dumps(found))

    def _free_ports(self) -> dict[int, int]:
        """Return the host's port for each of the node's, choosing another one where somebody has taken it."""
        return {
            edge.node_port: port if ports.is_free(port := self.files.port(edge)) else self.files.choose_port(edge)
            for edge in (*state.EDGES, state.API_SERVER)
        }

    def has_port(self, edge: state.Edge) -> bool:
        """Tell whether the node was made with an edge's port."""
        return self.engine.succeeds("port", self.files.node, f"{edge.node_port}/tcp")

    def delete(self) -> None:
        """Remove the cluster's containers and volumes, whatever condition they are in. Raises ClusterError."""
        self.engine.succeeds("kill", self.files.node)  # nothing in it is worth the wait for an orderly end
        options = [f"--name={self.files.name}", f"--kubeconfig={self.files.kubeconfig}"]
        try:
            self.kind("delete", "cluster", *options, timeout=120)
        except ClusterError as error:
            say(f"    kind could not: {error}")
        if self.exists():
            self.engine.run("rm", "--force", "--volumes", self.files.node, timeout=120)

    def remove(self) -> None:
        """Remove the cluster and all that is remembered of it, and what the last cluster leaves behind."""
        self.delete()
        self.files.forget()
        if not self.kind("get", "clusters", timeout=60).split():
            self.engine.succeeds("network", "rm", "kind")

    def has_image(self, reference: str) -> bool:
        """Tell whether the node holds an image."""
        return reference in self.on_node("ctr", "--namespace=k8s.io", "images", "list", "-q").split()

    def load_archive(self, archive: Path) -> None:
        """Load an archive of images into the cluster. Raises ClusterError."""
        self.kind("load", "image-archive", f"--name={self.files.name}", archive)

    def made_from(self, namespace: str) -> str:
        """Return the key of what a namespace's contents were made from; empty when there is none."""
        name = KEY_ANNOTATION.replace(".", r"\.")
        path = f"{{.metadata.annotations.{name}}}"
        return self.kubectl("get", "namespace", namespace, "--ignore-not-found", f"-o=jsonpath={path}").strip()

    def audit_log(self) -> str:
        """Return the API server's audit log; empty while nothing was logged. Raises ClusterError."""
        return self.on_node("sh", "-c", f"if [ -f {AUDIT_LOG} ]; then cat {AUDIT_LOG}; fi")


def config_key(family: str) -> str:
    """Return a key of everything that shapes the cluster when it is made."""
    return cache.key_of([CONFIG, REPOSITORY / "tests/cluster/files/audit-policy.yaml", family])


def render(
    text: str,
    host_ports: Mapping[int, int],
    base: Path,
    family: str = ipfamily.IPV4,
    mounts: Mapping[Path, str] | None = None,
) -> str:
    """Return kind's configuration with the cluster's own host ports, by port of the node, and absolute host paths.

    The API server's port is among the host ports, and is not in the text. ``mounts`` are more files of the node.

    Raises ClusterError when the text maps other ports of the node.
    """
    mapping = re.compile(r"(?m)^(\s*- containerPort: (\d+)\b.*\n\s*hostPort:) \d+$")
    found = sorted(int(number) for _, number in mapping.findall(text))
    edges = sorted(port for port in host_ports if port != state.API_SERVER.node_port)
    if found != edges or text.count("hostPort:") != len(found):
        raise ClusterError(f"{CONFIG.name}: a hostPort is expected for each of {edges}, not for {found}")
    text = mapping.sub(lambda port: f"{port[1]} {host_ports[int(port[2])]}", text)
    more = "".join(f"\n      - {{hostPath: {ours}, containerPath: {there}}}" for ours, there in (mounts or {}).items())
    text = text.replace("\n    extraMounts:", f"\n    extraMounts:{more}")
    networking = f"{ipfamily.networking(family)}  apiServerPort: {host_ports[state.API_SERVER.node_port]}\n"
    text = f"{text.rstrip()}\nnetworking:\n{networking}"
    mount = r"(?m)^(\s*(?:- )?hostPath:) (?!/)(?:\./)?(\S+)"
    return re.sub(mount, lambda found: f"{found[1]} {base / found[2]}", text)


def with_host(corefile: str, name: str, address: str, resolver: str) -> str:
    """Return a Corefile that answers for a name itself, also in the search domains of a resolv.conf.

    Raises ClusterError when the Corefile has no line for the cluster's own names.
    """
    domains = re.findall(r"(?m)^search\s+(.*)$", resolver)
    names = " ".join([name, *(f"{name}.{domain}" for domain in " ".join(domains).split())])
    before, line, after = corefile.partition("    kubernetes ")
    if not line:
        raise ClusterError("the Corefile of the cluster's DNS has no line `kubernetes`")
    return f"{before}    hosts {{\n       {address} {names}\n       fallthrough\n    }}\n{line}{after}"


@contextmanager
def temporary(name: str, lock: str) -> Iterator[KindCluster]:
    """Give a cluster by this name that does not exist yet, and remove it afterwards.

    ``lock`` is the file that keeps another process from doing the same. Raises ClusterError.
    """
    with cache.locked(lock):
        cluster = KindCluster(engine.find(), ClusterState(name))
        cluster.remove()  # what a killed run left
        try:
            yield cluster
        finally:
            with step(f"delete the cluster {name}"):
                cluster.remove()
