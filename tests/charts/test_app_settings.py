"""What an app is told of logins, database, storage and its URL, and where the secret part of it comes from."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from .generated import CHARTS
from .rendering import Object, app, load, refusal

IMAGE = {"image": {"repository": "example/chat"}}
LONG = "k" * 32
TLS = [{"hosts": ["example.com"], "secretName": "x"}]


def reference(name: str, key: str, **more: Any) -> Object:
    return {"valueFrom": {"secretKeyRef": {"name": name, "key": key, **more}}}


def secret_env(values: Object) -> Object:
    """The variables that come from Secrets."""
    env = app(values).env()
    return {name: {"valueFrom": entry["valueFrom"]} for name, entry in env.items() if isinstance(entry, dict)}


def test_no_secrets_by_default() -> None:
    release = app()
    assert secret_env({}) == {}
    assert not release.all("Secret")


def test_auth_secret_of_ones_own() -> None:
    assert secret_env({"auth": {"existingSecret": "mine"}}) == {
        "CHAINLIT_AUTH_SECRET": reference("mine", "CHAINLIT_AUTH_SECRET")
    }
    assert secret_env({"auth": {"existingSecret": "mine", "key": "jwt"}}) == {
        "CHAINLIT_AUTH_SECRET": reference("mine", "jwt")
    }
    assert not app({"auth": {"existingSecret": "mine"}}).all("Secret")


def test_auth_secret_from_the_values() -> None:
    values = {"auth": {"secret": LONG, "key": "not of this one"}}
    release = app(values)
    secret = release.one("Secret")
    assert base64.b64decode(secret["data"]["CHAINLIT_AUTH_SECRET"]) == LONG.encode()
    assert "annotations" not in secret["metadata"]
    name = secret["metadata"]["name"]
    assert secret_env(values) == {"CHAINLIT_AUTH_SECRET": reference(name, "CHAINLIT_AUTH_SECRET")}

    def checksum(text: str) -> str:
        found: str = app({"auth": {"secret": text}}).pod()["metadata"]["annotations"]["checksum/auth"]
        return found

    assert checksum(LONG) != checksum(LONG + "x")
    assert LONG not in str(release.pod())


def test_generated_auth_secret_is_refused_where_it_would_change() -> None:
    """Rendered without a cluster, each rendering would make another one. With one: tests/e2e."""
    message = refusal("chainlit", {**IMAGE, "auth": {"generate": True}})
    for part in ("auth.generate", "helm template", "set auth.existingSecret"):
        assert part in message


PROVIDERS = load((CHARTS / "chainlit/files/providers.yaml").read_text(encoding="utf-8"))


def references(secret: str, variables: Object) -> Object:
    """The variables of a provider, each from its key in a Secret."""
    required = {name: reference(secret, name) for name in variables["required"]}
    return required | {name: reference(secret, name, optional=True) for name in variables["optional"]}


@pytest.mark.parametrize("provider", PROVIDERS["oauth"])
def test_oauth(provider: str) -> None:
    found = secret_env({"auth": {"existingSecret": "auth"}, "oauth": {provider: {"existingSecret": "login"}}})
    assert found.pop("CHAINLIT_AUTH_SECRET")
    assert found == references("login", PROVIDERS["oauth"][provider])


@pytest.mark.parametrize(
    "values",
    [
        {"env": {"CHAINLIT_AUTH_SECRET": LONG}},
        {"extraEnv": [{"name": "CHAINLIT_AUTH_SECRET", "value": LONG}]},
        {"envFrom": [{"secretRef": {"name": "all"}}]},
        {"auth": {"secret": LONG}},
    ],
)
def test_oauth_with_any_auth_secret(values: Object) -> None:
    assert app({**values, "oauth": {"google": {"existingSecret": "login"}}})


def test_database() -> None:
    assert secret_env({"database": {"existingSecret": "db"}}) == {"DATABASE_URL": reference("db", "DATABASE_URL")}
    assert secret_env({"database": {"existingSecret": "db-app", "key": "uri"}}) == {
        "DATABASE_URL": reference("db-app", "uri")
    }


@pytest.mark.parametrize("provider", PROVIDERS["storage"])
def test_storage(provider: str) -> None:
    found = secret_env({"env": {"DATABASE_URL": "x"}, "storage": {"provider": provider, "existingSecret": "files"}})
    assert found == references("files", PROVIDERS["storage"][provider])


def test_env_of_the_user_wins() -> None:
    storage = {"provider": "s3", "existingSecret": "files"}
    assert app({"storage": storage, "env": {"BUCKET_NAME": "mine", "DATABASE_URL": "x"}}).env()["BUCKET_NAME"] == "mine"


@pytest.mark.parametrize("operator", [True, False])
@pytest.mark.parametrize(
    ("values", "url"),
    [
        pytest.param({}, None, id="nothing-known"),
        pytest.param({"route": {"host": "example.com", "path": "/chat"}}, None, id="tls-may-end-elsewhere"),
        pytest.param({"route": {"host": "example.com", "tls": TLS, "path": "/chat"}}, "https://example.com", id="tls"),
        pytest.param({"route": {"host": "a.example", "scheme": "https"}}, "https://a.example", id="tls-elsewhere"),
        pytest.param({"route": {"host": "a.example", "scheme": "http"}}, "http://a.example", id="said-to-have-none"),
        pytest.param({"route": {"hosts": ["a.example"], "tls": TLS}}, "https://a.example", id="one-of-hosts"),
        pytest.param({"route": {"host": "a.example", "hosts": ["b.example"], "tls": TLS}}, None, id="two-hosts"),
        pytest.param(
            {"route": {"host": "a.example", "certManager": {"issuer": "ca"}}}, "https://a.example", id="cert-manager"
        ),
        pytest.param({"route": {"host": "*.example.com", "tls": TLS}}, None, id="any-host"),
        pytest.param({"route": {"host": "example.com", "tls": TLS, "enabled": False}}, None, id="another-route"),
        pytest.param(
            {"route": {"host": "example.com", "tls": TLS}, "chainlit": {"url": "http://other:8080/"}},
            "http://other:8080",
            id="given",
        ),
        pytest.param({"env": {"CHAINLIT_URL": "http://x"}}, "http://x", id="by-hand"),
    ],
)
def test_url(values: Object, url: str | None, *, operator: bool) -> None:
    """Always the origin alone: Chainlit adds the root path that it has been told of."""
    assert app({**values, "operator": {"enabled": operator}}).env().get("CHAINLIT_URL") == url


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        pytest.param(
            {"auth": {"secret": LONG, "existingSecret": "x"}},
            ["auth.existingSecret and auth.secret", "keep one"],
            id="two-secrets",
        ),
        pytest.param(
            {"auth": {"generate": True, "existingSecret": "x"}}, ["and auth.generate", "keep one"], id="and-generated"
        ),
        pytest.param(
            {"oauth": {"githup": {"existingSecret": "x"}}}, ["oauth.githup", "github, gitlab"], id="unknown-provider"
        ),
        pytest.param(
            {"oauth": {"github": {"existingSecret": "x"}}}, ["oauth needs a secret", "auth.generate"], id="no-secret"
        ),
        pytest.param({"storage": {"existingSecret": "x"}}, ["storage.provider", "s3, gcs or azure"], id="no-provider"),
        pytest.param(
            {"storage": {"provider": "s3"}}, ["storage.existingSecret", "BUCKET_NAME"], id="no-storage-secret"
        ),
        pytest.param(
            {"chainlit": {"url": "https://example.com/chat"}}, ["chainlit.url", "is not an origin"], id="url-with-path"
        ),
    ],
)
def test_refused_with_the_remedy(values: Object, parts: list[str]) -> None:
    (line,) = [line for line in refusal("chainlit", {**IMAGE, **values}).splitlines() if "execution error" in line]
    for part in parts:
        assert part in line
