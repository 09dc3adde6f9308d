"""The ways to a cluster: the service account of a pod, and kubeconfigs."""

from __future__ import annotations

import json
import ssl
import time
from pathlib import Path

import pytest
from aiohttp import web
from tests.unit.certificates import make_certificate

from chainlit_operator.kinds.registry import RESOURCES
from chainlit_operator.kube import config
from chainlit_operator.kube.client import Api
from chainlit_operator.kube.config import ConfigError, CredentialsError
from chainlit_operator.kube.errors import ApiError


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files and the variables of a pod, and no kubeconfig."""
    (tmp_path / "address").write_text("subjectAltName=IP:127.0.0.1")
    certificate, _ = make_certificate(tmp_path, "-days", "2", "-extfile", str(tmp_path / "address"))
    (tmp_path / "ca.crt").write_text(certificate.read_text())
    (tmp_path / "token").write_text("first\n")
    monkeypatch.setattr(config, "SERVICE_ACCOUNT", tmp_path)
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "6443")
    return tmp_path


async def test_a_pod_uses_its_service_account(pod: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With TLS, against a server that has a certificate of the authority in ca.crt."""
    seen: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        seen.append(request.headers["Authorization"])
        return web.json_response({})

    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(pod / "cert.pem", pod / "key.pem")
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    assert site._server is not None
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(port))
    try:
        async with Api(await config.load(), RESOURCES, "tests") as api:
            await api.create_event("shop", {})
    finally:
        await runner.cleanup()
    assert seen == ["Bearer first"]


async def test_a_token_that_is_replaced_is_read_again(pod: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = await config.load()
    assert await found.credentials() == {"authorization": "Bearer first"}
    (pod / "token").write_text("second")
    assert await found.credentials() == {"authorization": "Bearer first"}
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 61)
    assert await found.credentials() == {"authorization": "Bearer second"}


async def test_a_token_that_is_gone_fails_the_request(pod: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = await config.load()
    (pod / "token").unlink()
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 61)
    with pytest.raises(CredentialsError, match=r"token: .*No such file"):
        await found.credentials()
    monkeypatch.setattr(time, "monotonic", lambda: now + 122)
    async with Api(found, RESOURCES, "tests") as api:
        with pytest.raises(ApiError) as raised:
            await api.create_event("shop", {})
    assert raised.value.reason == "CredentialsFailed"


async def test_an_address_of_ipv6(pod: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    assert (await config.load()).host == "https://[fd00::1]:6443"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("token", None, "No such file"),
        ("token", " \n", "token is empty"),
        ("ca.crt", None, "No such file"),
        ("ca.crt", "", "cannot be used"),
        ("ca.crt", "none", "cannot be used"),
    ],
)
async def test_a_service_account_that_cannot_be_used(pod: Path, name: str, text: str | None, message: str) -> None:
    (pod / name).unlink() if text is None else (pod / name).write_text(text)
    with pytest.raises(ConfigError, match=message):
        await config.load()


@pytest.mark.parametrize("variable", ["KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"])
async def test_outside_a_pod(pod: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "")
    with pytest.raises(ConfigError, match="give --kubeconfig"):
        await config.load()


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


def kubeconfig(*servers: str) -> str:
    """A kubeconfig with a context for each server, named by its place; a plugin gives the credentials."""
    names = [str(n) for n in range(len(servers))]
    return json.dumps(
        {
            "current-context": "0",
            "contexts": [{"name": name, "context": {"cluster": name, "user": "one"}} for name in names],
            "clusters": [{"name": name, "cluster": {"server": servers[int(name)]}} for name in names],
            "users": [{"name": "one", "user": {"exec": PLUGIN}}],
        }
    )


async def test_a_kubeconfig_with_a_plugin(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(kubeconfig("https://127.0.0.1:1"))
    found = await config.load(str(file))
    assert (found.host, await found.credentials()) == ("https://127.0.0.1:1", {"authorization": "Bearer t0k3n"})


async def test_a_kubeconfig_of_the_environment_goes_before_the_pods_account(
    pod: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = pod / "config"
    monkeypatch.setenv("KUBECONFIG", str(file))
    assert (await config.load()).host == "https://127.0.0.1:6443", "a file that is not there counts as none"
    file.write_text(kubeconfig("https://127.0.0.1:1"))
    assert config._has_usual_kubeconfig()


async def test_a_context_of_the_kubeconfig(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(kubeconfig("https://127.0.0.1:1", "https://127.0.0.1:2"))
    assert (await config.load(str(file), "1")).host == "https://127.0.0.1:2"


async def test_the_proxy_of_the_environment(pod: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    assert (await config.load()).proxy == "http://proxy:3128"
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert (await config.load()).proxy is None
