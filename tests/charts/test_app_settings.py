"""What an app is told of logins, database, storage and its URL, and where the secret part of it comes from."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from .rendering import Object, app, refusal

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


PROVIDERS = {
    "github": ("OAUTH_GITHUB_CLIENT_ID", "OAUTH_GITHUB_CLIENT_SECRET"),
    "google": ("OAUTH_GOOGLE_CLIENT_ID", "OAUTH_GOOGLE_CLIENT_SECRET"),
    "azure-ad": ("OAUTH_AZURE_AD_CLIENT_ID", "OAUTH_AZURE_AD_CLIENT_SECRET", "OAUTH_AZURE_AD_TENANT_ID"),
    "azure-ad-hybrid": (
        "OAUTH_AZURE_AD_HYBRID_CLIENT_ID",
        "OAUTH_AZURE_AD_HYBRID_CLIENT_SECRET",
        "OAUTH_AZURE_AD_HYBRID_TENANT_ID",
    ),
    "okta": ("OAUTH_OKTA_CLIENT_ID", "OAUTH_OKTA_CLIENT_SECRET", "OAUTH_OKTA_DOMAIN"),
    "auth0": ("OAUTH_AUTH0_CLIENT_ID", "OAUTH_AUTH0_CLIENT_SECRET", "OAUTH_AUTH0_DOMAIN"),
    "descope": ("OAUTH_DESCOPE_CLIENT_ID", "OAUTH_DESCOPE_CLIENT_SECRET"),
    "aws-cognito": ("OAUTH_COGNITO_CLIENT_ID", "OAUTH_COGNITO_CLIENT_SECRET", "OAUTH_COGNITO_DOMAIN"),
    "gitlab": ("OAUTH_GITLAB_CLIENT_ID", "OAUTH_GITLAB_CLIENT_SECRET", "OAUTH_GITLAB_DOMAIN"),
    "keycloak": (
        "OAUTH_KEYCLOAK_CLIENT_ID",
        "OAUTH_KEYCLOAK_CLIENT_SECRET",
        "OAUTH_KEYCLOAK_REALM",
        "OAUTH_KEYCLOAK_BASE_URL",
    ),
    "generic": (
        "OAUTH_GENERIC_CLIENT_ID",
        "OAUTH_GENERIC_CLIENT_SECRET",
        "OAUTH_GENERIC_AUTH_URL",
        "OAUTH_GENERIC_TOKEN_URL",
        "OAUTH_GENERIC_USER_INFO_URL",
        "OAUTH_GENERIC_SCOPES",
    ),
}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_oauth(provider: str) -> None:
    found = secret_env({"auth": {"existingSecret": "auth"}, "oauth": {provider: {"existingSecret": "login"}}})
    assert found.pop("CHAINLIT_AUTH_SECRET")
    optional = {name for name, entry in found.items() if entry["valueFrom"]["secretKeyRef"].get("optional")}
    assert found.keys() - optional == set(PROVIDERS[provider])
    for name, entry in found.items():
        assert entry == reference("login", name, **({"optional": True} if name in optional else {}))


def test_several_providers_in_one_secret() -> None:
    oauth = {name: {"existingSecret": "logins"} for name in PROVIDERS}
    assert {v for names in PROVIDERS.values() for v in names} <= secret_env(
        {"auth": {"secret": LONG}, "oauth": oauth}
    ).keys()


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


@pytest.mark.parametrize(
    ("provider", "required"),
    [
        ("s3", {"BUCKET_NAME", "APP_AWS_REGION", "APP_AWS_ACCESS_KEY", "APP_AWS_SECRET_KEY"}),
        ("gcs", {"BUCKET_NAME", "APP_GCS_PROJECT_ID"}),
        ("azure", {"BUCKET_NAME", "APP_AZURE_STORAGE_ACCOUNT", "APP_AZURE_STORAGE_ACCESS_KEY"}),
    ],
)
def test_storage(provider: str, required: set[str]) -> None:
    found = secret_env({"storage": {"provider": provider, "existingSecret": "files"}})
    references = {name: entry["valueFrom"]["secretKeyRef"] for name, entry in found.items()}
    assert {name for name, entry in references.items() if not entry.get("optional")} == required
    assert all(entry["name"] == "files" and entry["key"] == name for name, entry in references.items())


def test_env_of_the_user_wins() -> None:
    storage = {"provider": "s3", "existingSecret": "files"}
    assert app({"storage": storage, "env": {"BUCKET_NAME": "mine"}}).env()["BUCKET_NAME"] == "mine"


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


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"app": {"files": {"app.py": 1}}}, "/app/files/app.py"),
        ({"app": {"file": {}}}, "file"),
        ({"chainlit": {"translations": {"de": 1}}}, "/chainlit/translations/de"),
        ({"auth": {"secret": "short"}}, "/auth/secret"),
        ({"oauth": {"github": {}}}, "existingSecret"),
        ({"oauth": {"github": {"clientSecret": "x"}}}, "clientSecret"),
        ({"storage": {"provider": "ftp"}}, "/storage/provider"),
    ],
)
def test_refused_by_the_schema(values: Object, key: str) -> None:
    message = refusal("chainlit", {**IMAGE, **values})
    assert "schema" in message
    assert f"{key}'" in message
