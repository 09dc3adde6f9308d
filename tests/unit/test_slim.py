"""What the program does not load."""

import json
import subprocess
import sys

ASK = "import json, sys, chainlit_operator.__main__; print(json.dumps(sorted(sys.modules)))"


def test_the_program_leaves_the_synchronous_client_out() -> None:
    said = subprocess.run([sys.executable, "-c", ASK], check=True, capture_output=True, text=True).stdout
    loaded = set(json.loads(said))
    assert {"kopf", "kubernetes.aio.config"} <= loaded
    assert not loaded & {"requests", "oauthlib", "kubernetes.config", "kubernetes.client"}


def test_modules_that_are_there_already_are_left_alone() -> None:
    ask = "import kubernetes, chainlit_operator.__main__, kubernetes.client; print(kubernetes.client.V1Pod.__name__)"
    said = subprocess.run([sys.executable, "-W", "ignore", "-c", ask], check=True, capture_output=True, text=True)
    assert said.stdout.strip() == "V1Pod"
