"""A cluster without nodes, in which the commands of the documents run as they are printed.

It is a real API server. What a command does to objects is real, and what needs pods or images is checked by
``standins``.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import yaml

from tests.bench.controlplane import DRIVER, ControlPlane
from tests.charts.openapi import PROMETHEUS
from tests.cluster import golang
from tests.cluster.versions import pinned
from tests.docs import standins
from tests.docs.blocks import TOP
from tests.waiting import eventually

#: Objects by their key in etcd.
State = dict[bytes, bytes]

CRDS = TOP / "charts/chainlit-operator/files/chainlitapps.yaml"
#: What readers have in their directory beside a clone.
FILES = {
    "app.py": "import chainlit as cl\n",
    "requirements.txt": "openai\n",
    "app.yaml": "{apiVersion: v1, kind: ConfigMap, metadata: {name: chat}}\n",
    "chat.env": "CHAINLIT_AUTH_SECRET=secret\nDATABASE_URL=postgresql://db/chat\nBUCKET_NAME=files\n",
    "ca.crt": "-----BEGIN CERTIFICATE-----\n",
}
#: States of a cluster that pages begin with: the state before, and the commands that lead to it.
STATES = {
    "operator": (
        "new",
        "helm install chainlit-operator charts/chainlit-operator --namespace chainlit-operator --create-namespace "
        "--set image.repository=REGISTRY/chainlit-operator",
    ),
    "chat": (
        "operator",
        "helm install chat charts/chainlit --namespace team-a --set image.repository=REGISTRY/chat,image.tag=1.4.0 "
        "--set fullnameOverride=chat,route.host=example.com,route.path=/chat",
    ),
    "app": (
        "chat",
        "kubectl apply --namespace team-a -f - <<'EOF'\n"
        "{apiVersion: chainlit-operator.dev/v1alpha1, kind: ChainlitApp, metadata: {name: support},\n"
        " spec: {workload: {ref: {name: chat}}}}\nEOF",
    ),
    "default": (
        "operator",
        "helm install chat charts/chainlit --set image.repository=REGISTRY/chat,image.tag=1.4.0,fullnameOverride=chat",
    ),
}


class CommandFailed(AssertionError):
    """A command of a page fails; the message has what it printed."""


class World:
    """The cluster, and a directory like a clone to run commands in."""

    def __init__(self, work: Path) -> None:
        self._work = work
        self._control = ControlPlane(work)
        self._states: dict[str, State] = {}
        self._programs = standins.write(work / "bin")

    def start(self) -> None:
        """Start it, with a namespace for a team. Raises ClusterError."""
        self._control.start()
        self.environment = os.environ | {
            "KUBECONFIG": str(self._control.kubeconfig(DRIVER)),
            "HOME": str(self._work),
            "PATH": f"{self._programs}:{os.environ['PATH']}",
            "PYTHONPATH": f"{TOP / 'operator/src'}:{TOP}",
            standins.REAL: os.environ["PATH"],
        }
        prometheus = Path(golang.module_info(PROMETHEUS, pinned().prometheus_operator)["Dir"])
        self.directory()
        self.run(
            "kubectl create namespace team-a && kubectl create namespace team-b && "
            f"kubectl apply --server-side -f {prometheus}/example/prometheus-operator-crd/ >/dev/null",
        )
        self._states["new"] = self._read()

    def stop(self) -> None:
        """Stop it."""
        self._control.stop()

    def directory(self) -> Path:
        """Make a new directory like a clone, with files of the reader's own, and return it."""
        self.cwd = self._work / f"clone-{len(list(self._work.glob('clone-*')))}"
        self.cwd.mkdir()
        for entry in TOP.iterdir():
            if entry.name not in {"dist", ".git"}:
                (self.cwd / entry.name).symlink_to(entry)
        for name, text in FILES.items():
            (self.cwd / name).write_text(text)
        return self.cwd

    def begin(self, state: str) -> None:
        """Bring the cluster to a state of STATES, or ``new``."""
        if state in self._states:
            self._restore(self._states[state])
        else:
            before, commands = STATES[state]
            self.begin(before)
            self.run(commands)
            self._states[state] = self._read()
        if any(b"chainlitapps.chainlit-operator.dev" in key for key in self._states[state]):
            eventually(lambda: self.succeeds("kubectl get chainlitapps"))

    def run(self, commands: str) -> str:
        """Run commands as a reader pastes them and return what they print. Raises CommandFailed."""
        done = self._bash(commands)
        if done.returncode:
            raise CommandFailed(f"exit code {done.returncode}:\n{commands}\n{done.stdout}{done.stderr}")
        return done.stdout

    def get(self, *words: str) -> Any:
        """Return what ``kubectl get`` answers as an object."""
        return yaml.safe_load(self.run(" ".join(["kubectl get --output yaml", *words])))

    def succeeds(self, commands: str) -> bool:
        """Whether commands end well."""
        return self._bash(commands).returncode == 0

    def _bash(self, commands: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            env=self.environment,
            cwd=self.cwd,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=180,
        )

    # etcd is asked by its gateway: starting a new API server for each page would take ten times as long.

    def _etcd(self, path: str, **body: bytes) -> Any:
        coded = {key: base64.b64encode(value).decode() for key, value in body.items()}
        request = Request(self._control.etcd_url + path, json.dumps(coded).encode())
        with urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def _read(self) -> State:
        found = self._etcd("/v3/kv/range", key=b"/registry/", range_end=b"/registry0").get("kvs", [])
        return {base64.b64decode(entry["key"]): base64.b64decode(entry["value"]) for entry in found}

    def _restore(self, state: State) -> None:
        now = self._read()
        for key in now.keys() - state.keys():
            self._etcd("/v3/kv/deleterange", key=key)
        for key, value in state.items():
            if now.get(key) != value:
                self._etcd("/v3/kv/put", key=key, value=value)
