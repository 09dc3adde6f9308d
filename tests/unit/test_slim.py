"""What the program does not load."""

import json
import subprocess
import sys
from pathlib import Path

ASK = "import json, sys, chainlit_operator.__main__; print(json.dumps(sorted(sys.modules)))"


def test_the_program_leaves_out_what_it_does_not_use() -> None:
    said = subprocess.run([sys.executable, "-c", ASK], check=True, capture_output=True, text=True).stdout
    loaded = set(json.loads(said))
    assert {"kopf", "kubernetes.aio.config"} <= loaded
    assert not loaded & {"requests", "oauthlib", "kubernetes.config", "kubernetes.client"}
    assert not loaded & {"pydantic", "urllib3", "kubernetes.aio.dynamic", "kubernetes.aio.client.api_client"}


CREDENTIAL = {
    "apiVersion": "client.authentication.k8s.io/v1",
    "kind": "ExecCredential",
    "status": {"token": "t0k3n"},
}
PLUGIN = {
    "apiVersion": CREDENTIAL["apiVersion"],
    "command": "echo",
    "args": [json.dumps(CREDENTIAL)],
}
KUBECONFIG = {
    "current-context": "one",
    "contexts": [{"name": "one", "context": {"cluster": "one", "user": "one"}}],
    "clusters": [{"name": "one", "cluster": {"server": "https://127.0.0.1:1"}}],
    "users": [{"name": "one", "user": {"exec": PLUGIN}}],
}
LOAD = """
import asyncio, sys, chainlit_operator.__main__
from chainlit_operator.kube import client

async def load():
    configuration = await client.load_configuration(sys.argv[1])
    client.Api(configuration, {}, "tests")
    print(configuration.host, await client.credentials(configuration))

asyncio.run(load())
"""


def test_what_is_left_is_enough_for_a_kubeconfig_with_a_plugin(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(json.dumps(KUBECONFIG))
    said = subprocess.run([sys.executable, "-c", LOAD, file], check=True, capture_output=True, text=True).stdout
    assert said.strip() == "https://127.0.0.1:1 {'authorization': 'Bearer t0k3n'}"


def test_modules_that_are_there_already_are_left_alone() -> None:
    ask = "import kubernetes, chainlit_operator.__main__, kubernetes.client; print(kubernetes.client.V1Pod.__name__)"
    said = subprocess.run([sys.executable, "-W", "ignore", "-c", ask], check=True, capture_output=True, text=True)
    assert said.stdout.strip() == "V1Pod"
