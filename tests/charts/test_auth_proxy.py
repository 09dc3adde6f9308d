"""`authProxy`: oauth2-proxy beside the app, and all that has to know of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from .rendering import Object, Rendered, app, notes, refusal

SECRET = "chat-login"
ISSUER = "https://login.example.com/realms/team"
LEAST: Object = {"enabled": True, "issuerURL": ISSUER, "existingSecret": SECRET, "emailDomains": ["example.com"]}
IMAGE: Object = {"image": {"repository": "example/chat"}}


def proxied(proxy: Mapping[str, Any] | None = None, **values: Any) -> Rendered:
    return app({"authProxy": {**LEAST, **(proxy or {})}, **values})


def container(release: Rendered) -> Object:
    (found,) = [each for each in release.pod()["spec"]["initContainers"] if each["name"] == "auth-proxy"]
    return dict(found)


def options(release: Rendered) -> dict[str, str]:
    """The arguments by name; those that come twice must not."""
    split = [argument.partition("=") for argument in container(release)["args"]]
    assert len(split) == len({name for name, _, _ in split})
    return {name: value for name, _, value in split}


def test_off_by_default() -> None:
    release = app({"authProxy": {**LEAST, "enabled": False}, "networkPolicy": {"enabled": True}})
    assert [each["name"] for each in release.pod()["spec"]["initContainers"]] == ["app-root"]
    assert release.one("Service")["spec"]["ports"][0]["targetPort"] == "http"
    assert release.one("NetworkPolicy")["spec"]["ingress"] == [{"ports": [{"port": "http", "protocol": "TCP"}]}]


def test_proxy_starts_before_the_app_and_ends_after_it() -> None:
    release = proxied(database={"existingSecret": "db"}, initContainers=[{"name": "own"}])
    names = [each["name"] for each in release.pod()["spec"]["initContainers"]]
    assert names == ["app-root", "own", "migration", "auth-proxy"]
    assert container(release)["restartPolicy"] == "Always"
    assert [each["name"] for each in proxied(chainlit={"appRoot": {"path": ""}}).pod()["spec"]["initContainers"]] == [
        "auth-proxy"
    ]


def test_service_leads_to_the_proxy_and_the_proxy_to_the_app() -> None:
    release = proxied({"port": 4444}, chainlit={"port": 9000})
    assert release.one("Service")["spec"]["ports"][0]["targetPort"] == 4444
    proxy, given = container(release), options(release)
    assert proxy["ports"] == [{"name": "auth-proxy", "containerPort": 4444, "protocol": "TCP"}]
    assert (given["--http-address"], given["--upstream"]) == (":4444", "http://127.0.0.1:9000/")
    assert proxy["readinessProbe"]["httpGet"] == {"path": "/ready", "port": 4444}
    assert proxy["livenessProbe"]["httpGet"] == {"path": "/ping", "port": 4444}
    assert release.container()["readinessProbe"]["httpGet"]["port"] == "http"


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        pytest.param(
            {"host": "a.example", "path": "/team/chat", "scheme": "https"},
            ("/team/chat/oauth2", "/team/chat", "true", "https://a.example/team/chat/oauth2/callback"),
            id="sub-path",
        ),
        pytest.param(
            {"host": "a.example", "scheme": "https"},
            ("/oauth2", "/", "true", "https://a.example/oauth2/callback"),
            id="root",
        ),
        pytest.param(
            {"host": "a.example", "path": "/chat", "scheme": "http"},
            ("/chat/oauth2", "/chat", "false", "http://a.example/chat/oauth2/callback"),
            id="http",
        ),
        pytest.param({"host": "a.example"}, ("/oauth2", "/", "false", None), id="tls-may-end-elsewhere"),
        pytest.param(
            {"host": "a.example", "hosts": ["b.example"], "path": "/chat", "scheme": "https"},
            ("/chat/oauth2", "/chat", "true", None),
            id="two-hosts",
        ),
        pytest.param(
            {"host": "*.example", "tls": [{"secretName": "tls"}]}, ("/oauth2", "/", "true", None), id="any-host"
        ),
        pytest.param({"enabled": False, "path": "/chat"}, ("/chat/oauth2", "/chat", "false", None), id="other-route"),
    ],
)
def test_path_and_address(route: Object, expected: tuple[str, str, str, str | None]) -> None:
    """Where host or scheme is not known, the proxy takes both from the request."""
    given = options(proxied(route=route))
    names = ("--proxy-prefix", "--cookie-path", "--cookie-secure", "--redirect-url")
    assert tuple(given.get(name) for name in names) == expected


def test_origin_of_the_values_is_that_of_the_callback() -> None:
    given = options(proxied(chainlit={"url": "https://a.example/"}, route={"path": "/chat"}))
    assert given["--redirect-url"] == "https://a.example/chat/oauth2/callback"
    assert given["--cookie-secure"] == "true"


def test_socket_without_a_login_is_refused_and_not_redirected() -> None:
    assert options(proxied(route={"path": "/v1.2/chat"}))["--api-route"] == r"^/v1\.2/chat/ws/"
    assert options(proxied())["--api-route"] == "^/ws/"


def test_apps_on_one_host_have_cookies_of_their_own() -> None:
    first = app({"authProxy": LEAST}, release="a", namespace="n")
    second = app({"authProxy": LEAST}, release="b", namespace="n")
    names = {options(release)["--cookie-name"] for release in (first, second)}
    assert names == {"n_a-chainlit_oauth2_proxy", "n_b-chainlit_oauth2_proxy"}


def test_provider() -> None:
    release = proxied({"emailDomains": ["a.example"], "scopes": ["openid", "groups"]})
    given = options(release)
    assert (given["--provider"], given["--oidc-issuer-url"]) == ("oidc", ISSUER)
    assert (given["--scope"], given["--email-domain"]) == ("openid groups", "a.example")
    several = container(proxied({"emailDomains": ["a.example", ".b.example"]}))["args"]
    assert [each for each in several if each.startswith("--email-domain")] == [
        "--email-domain=a.example",
        "--email-domain=.b.example",
    ]
    keys = {each["name"]: each["valueFrom"]["secretKeyRef"] for each in container(release)["env"]}
    assert keys == {
        "OAUTH2_PROXY_CLIENT_ID": {"name": SECRET, "key": "client-id"},
        "OAUTH2_PROXY_CLIENT_SECRET": {"name": SECRET, "key": "client-secret"},
        "OAUTH2_PROXY_COOKIE_SECRET": {"name": SECRET, "key": "cookie-secret"},
    }


def test_values_of_the_user_win() -> None:
    own = {"name": "OAUTH2_PROXY_CLIENT_ID", "value": "chat"}
    given = {
        "extraArgs": ["--provider=github", "--skip-provider-button=false"],
        "extraEnv": [own],
        "issuerURL": "",
        "extraVolumeMounts": [{"name": "ca", "mountPath": "/ca"}],
        "image": {"repository": "r.example/proxy", "tag": "v8", "pullPolicy": "Always"},
        "resources": {"requests": {"cpu": "20m"}},
    }
    proxy = container(proxied(given))
    assert proxy["args"][-2:] == given["extraArgs"]
    assert not any(each.startswith("--oidc-issuer-url") for each in proxy["args"])
    assert [each for each in proxy["env"] if each["name"] == own["name"]] == [own]
    assert proxy["volumeMounts"] == given["extraVolumeMounts"]
    assert (proxy["image"], proxy["imagePullPolicy"]) == ("r.example/proxy:v8", "Always")
    assert proxy["resources"]["requests"] == {"cpu": "20m", "memory": "32Mi", "ephemeral-storage": "8Mi"}


def test_registry_of_a_parent_chart() -> None:
    release = proxied(**{"global": {"imageRegistry": "r.example"}})
    assert container(release)["image"] == "r.example/oauth2-proxy/oauth2-proxy:v7.15.6"


def test_past_the_login_are_only_the_operator_and_tests() -> None:
    """Whoever reaches the app itself could name any user in a header."""
    peers = [{"podSelector": {"matchLabels": {"app": "edge"}}}]
    release = proxied(networkPolicy={"enabled": True, "from": peers}, operator={"enabled": True})
    login, itself = release.one("NetworkPolicy")["spec"]["ingress"]
    assert login == {"ports": [{"port": 4180, "protocol": "TCP"}], "from": peers}
    assert itself["ports"] == [{"port": "http", "protocol": "TCP"}]
    labels = [next(iter(peer["podSelector"]["matchLabels"].items())) for peer in itself["from"]]
    assert labels == [
        ("app.kubernetes.io/instance", "chat"),
        ("app.kubernetes.io/name", "chainlit-operator"),
        ("app.kubernetes.io/part-of", "chainlit-operator"),
    ]
    own = proxied(networkPolicy={"enabled": True, "operatorFrom": peers}, operator={"enabled": True})
    login, itself = own.one("NetworkPolicy")["spec"]["ingress"]
    assert "from" not in login
    assert itself["from"][1:] == peers
    alone = proxied(networkPolicy={"enabled": True}).one("NetworkPolicy")["spec"]["ingress"]
    assert len(alone[1]["from"]) == 1


def test_operator_asks_the_app_itself() -> None:
    """The ChainlitApp names the container, so it needs no port: that of the Service leads to another container."""
    spec = proxied(operator={"enabled": True}).one("ChainlitApp")["spec"]
    assert spec["workload"]["ref"]["container"] == "chainlit"
    assert spec["verification"]["mode"] == "Auto"


def test_helm_test_asks_past_the_login() -> None:
    """By a Service that is there only during the test, and that no route can have."""
    tests = {"image": {"repository": "example/operator"}, "connectTo": "edge", "url": "https://a.example/chat/"}
    release = proxied(tests=tests, route={"path": "/chat", "host": "a.example"})
    (pod,) = release.all("Pod")
    service = release.named("Service", "chat-chainlit-test-app")
    assert pod["spec"]["containers"][0]["args"][:3] == [
        "probe",
        "--service",
        "http://chat-chainlit-test-app.demo.svc:8000/chat/",
    ]
    annotations = service["metadata"]["annotations"]
    assert annotations["helm.sh/hook"] == "test"
    assert int(annotations["helm.sh/hook-weight"]) < int(pod["metadata"]["annotations"]["helm.sh/hook-weight"])
    assert "hook-succeeded" in annotations["helm.sh/hook-delete-policy"]
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["ports"] == [{"name": "http", "port": 8000, "targetPort": "http", "protocol": "TCP"}]
    assert service["spec"]["selector"] == release.named("Service", "chat-chainlit")["spec"]["selector"]


def test_load_balancers_ask_the_proxy_for_its_health() -> None:
    """The app's own path would answer them with a redirect to the login."""
    route = {"controller": "alb", "path": "/chat"}
    name = "alb.ingress.kubernetes.io/healthcheck-path"
    assert proxied(route=route).one("Ingress")["metadata"]["annotations"][name] == "/ping"
    assert app({"route": route}).one("Ingress")["metadata"]["annotations"][name] == "/chat/health"


def test_notes() -> None:
    route = {"host": "a.example", "path": "/chat", "scheme": "https"}
    told = notes("chainlit", {**IMAGE, "authProxy": LEAST, "route": route})
    assert f"log in at {ISSUER}" in told
    assert "\n  https://a.example/chat/oauth2/callback\n" in told
    assert "https://a.example/chat/oauth2/sign_out" in told
    assert "curl --silent 'http://127.0.0.1:8000/chat/ws/socket.io/" in told
    assert "--container=auth-proxy" in told
    assert "past the login, and name any user" in told
    assert "past the login, and name" not in notes(
        "chainlit", {**IMAGE, "authProxy": LEAST, "networkPolicy": {"enabled": True}}
    )
    forwarded = notes("chainlit", {**IMAGE, "authProxy": LEAST, "route": {"enabled": False, "path": "/chat"}})
    assert "port-forward deployment/chat-chainlit 4180" in forwarded
    assert "\n  http://127.0.0.1:4180/chat/oauth2/callback\n" in forwarded


@pytest.mark.parametrize(
    ("proxy", "values", "parts"),
    [
        ({"existingSecret": ""}, {}, ["authProxy.existingSecret", "client-id, client-secret and cookie-secret"]),
        ({"issuerURL": ""}, {}, ["authProxy.issuerURL", "set it to the issuer"]),
        (
            {"issuerURL": f"{ISSUER}/.well-known/openid-configuration"},
            {},
            ["authProxy.issuerURL", f"set it to the issuer, {ISSUER}"],
        ),
        ({"emailDomains": []}, {}, ["authProxy.emailDomains", '["*"]']),
        ({"scopes": ["email"]}, {}, ["authProxy.scopes has no openid", "add it"]),
        ({"port": 8000}, {}, ["authProxy.port and chainlit.port are both 8000", "change one"]),
        ({"extraArgs": ["--upstream=http://x"]}, {}, ["authProxy.extraArgs has --upstream", "use chainlit.port"]),
        ({"extraArgs": ["-scope", "a"]}, {}, ["authProxy.extraArgs has --scope", "use authProxy.scopes"]),
        ({"image": {"repository": ""}}, {}, ["authProxy.image.repository", "oauth2-proxy"]),
        ({}, {"service": {"targetPort": 9000}}, ["service.targetPort", "remove service.targetPort"]),
        (
            {},
            {"operator": {"enabled": True, "verification": {"mode": "Edge"}}},
            ["operator.verification.mode Edge", "use Auto or Backend"],
        ),
    ],
)
def test_refused_with_the_remedy(proxy: Object, values: Object, parts: list[str]) -> None:
    given = {**IMAGE, "authProxy": {**LEAST, **proxy}, **values}
    (line,) = [line for line in refusal("chainlit", given).splitlines() if "execution error" in line]
    for part in parts:
        assert part in line


@pytest.mark.parametrize(
    "proxy", [{"emailDomains": [], "extraArgs": ["--authenticated-emails-file=/users"]}, {"emailDomains": ["*"]}]
)
def test_other_ways_to_say_who_may_log_in(proxy: Object) -> None:
    assert container(proxied(proxy))
