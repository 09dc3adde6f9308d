"""A bare control plane: etcd and kube-apiserver, no kubelet, no controllers: a Deployment is just an object in it."""

from __future__ import annotations

import shutil
import socket
import ssl
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import msgspec

from tests.bench.process import Process
from tests.cluster import kubernetes, nodeimage
from tests.cluster.console import run, wait_until

#: Who asks: the audit log holds the requests of the operator under test only.
DRIVER, OPERATOR = "driver", "operator"
#: An operator that may do what RBAC lets it, which is nothing at first.
LIMITED = "limited"
AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: Metadata, users: [operator, limited]}
- {level: None}
"""
KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: bench
contexts: [{{name: bench, context: {{cluster: bench, user: bench, namespace: default}}}}]
clusters: [{{name: bench, cluster: {{server: "{url}", certificate-authority: {certificate}}}}}]
users: [{{name: bench, user: {{token: {user}-token}}}}]
"""


class AuditEvent(msgspec.Struct, rename="camel"):
    """What is read of a line of the audit log."""

    class Ref(msgspec.Struct):
        """The object that was asked for."""

        resource: str = ""
        namespace: str = ""
        name: str = ""
        subresource: str = ""

    class Status(msgspec.Struct):
        """How it was answered."""

        code: int = 0

    class User(msgspec.Struct):
        """Who asked."""

        username: str = ""

    verb: str
    user: User = msgspec.field(default_factory=User)
    user_agent: str = ""
    request_uri: str = msgspec.field(name="requestURI", default="")
    object_ref: Ref | None = None
    response_status: Status = msgspec.field(default_factory=Status)

    def __str__(self) -> str:
        ref = self.object_ref
        if ref is None:
            return f"{self.verb} {self.request_uri.partition('?')[0]}"
        return f"{self.verb} {ref.resource}{f'/{ref.subresource}' if ref.subresource else ''}"


_decode_event = msgspec.json.Decoder(AuditEvent).decode


class ControlPlane:
    """Starts and stops the two programs over data that can be saved and brought back."""

    def __init__(self, work: Path, program: Path | None = None) -> None:
        """``work`` is a directory for all that it writes, ``program`` another kube-apiserver. Raises ClusterError."""
        self._work, self._program = work, program
        self.url = ""
        self.certificate, self.key = work / "tls.crt", work / "tls.key"
        self._audit = work / "audit.log"
        self._ports: tuple[int, ...] = ()
        self.etcd: Process | None = None
        self.apiserver: Process | None = None
        (work / "audit.yaml").write_text(AUDIT_POLICY)
        users = [f'{user}-token,{user},{user},"system:masters"' for user in (DRIVER, OPERATOR)]
        users.append(f"{LIMITED}-token,{LIMITED},{LIMITED}")
        (work / "tokens.csv").write_text("\n".join(users) + "\n")
        options = ["-subj", "/CN=bench", "-days", "30", "-nodes", "-addext", "subjectAltName=IP:127.0.0.1"]
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        run(["openssl", "req", "-x509", *curve, *options, "-keyout", self.key, "-out", self.certificate])

    @property
    def etcd_url(self) -> str:
        """Where etcd listens; it also answers JSON."""
        return f"http://127.0.0.1:{self._ports[0]}"

    def start(self, snapshot: str | None = None) -> None:
        """Start over the data saved under this name, or with none. Raises ClusterError."""
        self.stop()
        data = self._work / "etcd"
        shutil.rmtree(data, ignore_errors=True)
        if snapshot is not None:
            shutil.copytree(self._work / snapshot, data)
        self._audit.write_bytes(b"")
        self._ports = free_ports(3)
        self.url = f"https://127.0.0.1:{self._ports[2]}"
        self.start_etcd()
        self.start_apiserver()

    def start_etcd(self) -> None:
        """Start etcd over the data that is there, where it was before."""
        client_url, peer_url = (f"http://127.0.0.1:{port}" for port in self._ports[:2])
        self.etcd = Process(
            [
                str(nodeimage.addons()[0] / "etcd"),
                f"--data-dir={self._work / 'etcd'}",
                "--unsafe-no-fsync",
                "--log-level=error",
                f"--quota-backend-bytes={4 << 30}",
                f"--listen-client-urls={client_url}",
                f"--advertise-client-urls={client_url}",
                f"--listen-peer-urls={peer_url}",
                f"--initial-advertise-peer-urls={peer_url}",
                f"--initial-cluster=default={peer_url}",
            ],
            self._work / "etcd.log",
        )

    def start_apiserver(self) -> None:
        """Start the API server, where it was before, and wait until it is ready. Raises ClusterError."""
        self.apiserver = Process(
            [
                str(self._program or kubernetes.node_programs() / "kube-apiserver"),
                f"--etcd-servers=http://127.0.0.1:{self._ports[0]}",
                "--bind-address=127.0.0.1",
                "--advertise-address=127.0.0.1",
                f"--secure-port={self._ports[2]}",
                f"--cert-dir={self._work}",
                f"--tls-cert-file={self.certificate}",
                f"--tls-private-key-file={self.key}",
                f"--service-account-key-file={self.certificate}",
                f"--service-account-signing-key-file={self.key}",
                "--service-account-issuer=https://bench",
                f"--token-auth-file={self._work / 'tokens.csv'}",
                "--authorization-mode=RBAC",
                "--disable-admission-plugins=ServiceAccount",
                "--endpoint-reconciler-type=none",
                "--service-cluster-ip-range=10.96.0.0/16",
                f"--audit-policy-file={self._work / 'audit.yaml'}",
                f"--audit-log-path={self._audit}",
                "--audit-log-maxsize=4000",
            ],
            self._work / "apiserver.log",
        )
        self._await_ready()

    def _await_ready(self) -> None:
        context = ssl.create_default_context(cafile=self.certificate)
        request = Request(f"{self.url}/readyz", headers={"Authorization": f"Bearer {DRIVER}-token"})

        def is_ready() -> bool:
            for process in (self.etcd, self.apiserver):
                if process is not None:
                    process.check()
            try:
                with urlopen(request, timeout=5, context=context):
                    return True
            except (URLError, OSError):
                return False

        wait_until(is_ready, seconds=120, what="a ready API server of the bench", interval=0.2)

    def stop(self) -> None:
        """Stop both programs."""
        self.stop_apiserver()
        self.stop_etcd()

    def stop_apiserver(self, seconds: float = 5.0) -> None:
        """Stop the API server, by force after so long: it waits long for watches to end, which nobody needs."""
        if self.apiserver is not None:
            self.apiserver.stop(seconds)
            self.apiserver = None

    def stop_etcd(self) -> None:
        """Stop etcd; its data stay."""
        if self.etcd is not None:
            self.etcd.stop()
            self.etcd = None

    def save(self, snapshot: str) -> None:
        """Stop, and keep the data under this name."""
        self.stop()
        shutil.rmtree(self._work / snapshot, ignore_errors=True)
        (self._work / "etcd").rename(self._work / snapshot)

    def back_up(self, snapshot: str) -> None:
        """Stop for a moment, to copy the data under this name. Raises ClusterError."""
        self.stop()
        shutil.copytree(self._work / "etcd", self._work / snapshot)
        self.start_etcd()
        self.start_apiserver()

    def restore(self, snapshot: str) -> None:
        """Go back to the data that were saved under this name, where it was before. Raises ClusterError."""
        self.stop()
        shutil.rmtree(self._work / "etcd")
        shutil.copytree(self._work / snapshot, self._work / "etcd")
        self.start_etcd()
        self.start_apiserver()

    def kubeconfig(self, user: str, url: str | None = None) -> Path:
        """Write a user's kubeconfig for the server that is running, or for what stands in front of it."""
        file = self._work / f"{user}.kubeconfig"
        file.write_text(KUBECONFIG.format(url=url or self.url, certificate=self.certificate, user=user))
        return file

    def access(self, user: str) -> dict[str, str]:
        """Return the environment of a user's program: a kubeconfig, and what a pod of the user has instead."""
        account = self._work / f"{user}.account"
        account.mkdir(exist_ok=True)
        (account / "token").write_text(f"{user}-token")
        (account / "ca.crt").write_bytes(self.certificate.read_bytes())
        (account / "namespace").write_text("default")
        return {
            "KUBECONFIG": str(self.kubeconfig(user)),
            "BENCH_SERVICE_ACCOUNT": str(account),
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": str(self._ports[2]),
        }

    def audit_position(self) -> int:
        """Return where the audit log ends now, for :meth:`requests`."""
        return self._audit.stat().st_size

    def audited(self, since: int) -> list[AuditEvent]:
        """Return the operator's requests since then."""
        with self._audit.open("rb") as log:
            if since > 0:  # it may be in the middle of a line that was just being written
                log.seek(since - 1)
                log.readline()
            return [_decode_event(line) for line in log if line.endswith(b"\n")]

    def requests(self, since: int) -> list[str]:
        """Return the operator's requests since then, each as ``verb resource``."""
        return [str(event) for event in self.audited(since)]


def free_ports(count: int) -> tuple[int, ...]:
    """Return so many different ports on which nothing listens on loopback."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return tuple(int(one.getsockname()[1]) for one in sockets)
    finally:
        for one in sockets:
            one.close()
