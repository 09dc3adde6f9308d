"""All that the operator may do. A right more or a right less is a decision, and this is where it is made."""

from __future__ import annotations

Rights = dict[tuple[str, str], set[str]]

READ = {"list", "watch"}
WRITTEN = {"create", "patch", "delete"}

WITHOUT_CREATION: Rights = {
    ("chainlit-operator.dev", "chainlitapps"): READ,
    ("chainlit-operator.dev", "chainlitapps/status"): {"patch", "update"},
    ("gateway.networking.k8s.io", "gateways"): READ,
    ("traefik.io", "middlewares"): READ,
    ("apps", "statefulsets"): READ | {"patch"},
    ("apps", "deployments"): READ | {"patch"},
    ("networking.k8s.io", "ingresses"): READ,
    ("gateway.networking.k8s.io", "httproutes"): READ,
    ("", "services"): READ,
    ("", "serviceaccounts"): READ,
    ("", "events"): {"create"},
}
#: Those of which ``creation.enabled`` has more.
CREATED = (
    ("apps", "deployments"),
    ("networking.k8s.io", "ingresses"),
    ("gateway.networking.k8s.io", "httproutes"),
    ("", "services"),
    ("", "serviceaccounts"),
)
WITH_CREATION: Rights = WITHOUT_CREATION | dict.fromkeys(CREATED, READ | WRITTEN)
