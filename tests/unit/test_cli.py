"""The command: usage, and one line with an exit code for what can never work."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from chainlit_operator import __version__
from chainlit_operator.cli import cli

KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: "http://127.0.0.1:{port}"}}}}]
users: [{{name: u, user: {{}}}}]
contexts: [{{name: c, context: {{cluster: c, user: u}}}}]
current-context: c
"""


def run(*arguments: str, **env: str) -> Result:
    return CliRunner().invoke(cli, arguments, env=env, auto_envvar_prefix="CHAINLIT_OPERATOR")


@pytest.fixture
def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def kubeconfig(tmp_path: Path, free_port: int) -> str:
    file = tmp_path / "kubeconfig"
    file.write_text(KUBECONFIG.format(port=free_port))
    return str(file)


def test_version_and_help() -> None:
    assert run("--version").output == f"chainlit-operator, version {__version__}\n"
    assert "Run the operator until SIGTERM" in run("run", "--help").output


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--no-such-flag"], "--no-such-flag"),
        (["--concurrency", "0"], "--concurrency"),
        (["--concurrency", "many"], "--concurrency"),
        (["--log-format", "xml"], "--log-format"),
        (["surplus"], "surplus"),
        (["--kubeconfig", "no/such/file"], "no/such/file"),
        (["--ca-file", "no/such/file"], "no/such/file"),
        (["--disable-kind", "HTTPRoute,Ingress"], "'Ingress' is none of HTTPProxy, HTTPRoute, "),
    ],
)
def test_wrong_usage_names_the_flag(arguments: list[str], names: str) -> None:
    result = run("run", *arguments)
    assert result.exit_code == 2
    assert names in result.output and "Traceback" not in result.output


def test_wrong_environment_names_the_flag() -> None:
    result = run("run", CHAINLIT_OPERATOR_CONCURRENCY="many")
    assert result.exit_code == 2 and "--concurrency" in result.output


def failure(*arguments: str, program: tuple[str, ...] = ("-m", "chainlit_operator"), **env: str) -> str:
    """Run the real command; returns its only line on standard error after an exit with 1."""
    done = subprocess.run(
        [sys.executable, *program, "run", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | env,
    )
    assert done.returncode == 1, done
    assert "Traceback" not in done.stderr
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("clusters: [", "clusters: [}"),
        ("http://127.0.0.1", "http://[::1"),
        ("user: {}", "user: x"),
        ('server: "http://127.0.0.1:80"', "server: 5"),
        ("context: {cluster: c, user: u}", "context: x"),
    ],
)
def test_bad_kubeconfig(good: str, bad: str, tmp_path: Path) -> None:
    file = tmp_path / "bad"
    written = KUBECONFIG.format(port=80)
    assert good in written
    file.write_text(written.replace(good, bad))
    assert "chainlit-operator: the kubeconfig cannot be used: " in failure("--kubeconfig", str(file))


def test_empty_kubeconfig() -> None:
    assert failure("--kubeconfig", "/dev/null") == "chainlit-operator: /dev/null is empty, not a kubeconfig."


def test_file_without_authorities(tmp_path: Path) -> None:
    file = tmp_path / "ca.crt"
    file.write_text("none here")
    assert failure("--ca-file", str(file)).endswith(
        f"cannot read the certificate authorities in {file}: no PEM certificates"
    )


#: As in the image, which does not have that package; kopf uses it where it is installed.
WITHOUT_KUBERNETES = (
    "-c",
    'import sys; sys.modules["kubernetes"] = None; from chainlit_operator.cli import main; main()',
)


def test_a_kubeconfig_needs_an_extra(kubeconfig: str) -> None:
    assert failure("--kubeconfig", kubeconfig, program=WITHOUT_KUBERNETES) == (
        "chainlit-operator: reading a kubeconfig needs the package kubernetes: "
        "pip install 'chainlit-operator[kubeconfig]'"
    )


def test_no_cluster(tmp_path: Path) -> None:
    assert failure(HOME=str(tmp_path), KUBECONFIG="", program=WITHOUT_KUBERNETES) == (
        "chainlit-operator: no cluster: give --kubeconfig, set KUBECONFIG, or run in a pod"
    )


def test_unreachable_api_server(kubeconfig: str, free_port: int) -> None:
    line = failure("--kubeconfig", kubeconfig)
    assert line.startswith(f"chainlit-operator: cannot reach the API server at http://127.0.0.1:{free_port}")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_before_the_api_server_has_answered_is_a_stop(number: signal.Signals, tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        file.write_text(KUBECONFIG.format(port=silent.getsockname()[1]))
        silent.settimeout(60)
        command = [sys.executable, "-m", "chainlit_operator", "run", "--kubeconfig", str(file)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            connection, _ = silent.accept()
            with connection:
                process.send_signal(number)
                _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (0, "")
