"""What readers have when they come to a page, or to a section of it.

A page begins with its state. Its commands run in their order, each after those above it. A section may have a state of
its own, because it is an alternative to the section above. ``before`` has the commands that only its reader has run.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Given:
    """A state of :data:`tests.docs.world.STATES`, or none for that of the section above, and more commands."""

    state: str = ""
    before: str = ""


GIVEN = {
    "README.md": Given("new"),
    "README.md#Use": Given("operator"),
    "charts/chainlit/README.md": Given("operator"),
    "charts/chainlit/README.md#With an image that has the app": Given("operator"),
    "charts/chainlit/README.md#helm test": Given(
        "new",
        "helm install chat charts/chainlit --set image.repository=REGISTRY/chat,image.tag=1.4.0,fullnameOverride=chat "
        "--set tests.image.repository=REGISTRY/chainlit-operator",
    ),
    "charts/chainlit-operator/README.md": Given("new"),
    "charts/chainlit-operator/README.md#One namespace or all": Given("new"),
    "docs/how-to/adopt-an-app.md": Given("app"),
    "docs/how-to/gitops.md": Given(
        "operator", "kubectl create namespace argocd && kubectl create configmap argocd-cm --namespace argocd"
    ),
    "docs/how-to/install.md": Given("new"),
    "docs/how-to/install.md#With kubectl": Given("new"),
    "docs/how-to/install.md#Only some namespaces": Given("new"),
    "docs/how-to/install.md#Without rights on cluster-wide objects": Given("new"),
    "docs/how-to/install.md#Several replicas": Given("operator"),
    "docs/how-to/logins-and-storage.md": Given("default"),
    "docs/how-to/monitor.md": Given("operator"),
    "docs/how-to/move-the-path.md": Given("app"),
    "docs/how-to/new-app.md": Given("operator"),
    "docs/how-to/several-replicas.md": Given("operator"),
    "docs/how-to/several-teams.md": Given("operator"),
    "docs/how-to/troubleshoot.md": Given("app"),
    "docs/how-to/uninstall.md": Given("app"),
    "docs/how-to/uninstall.md#With kubectl": Given("operator"),
    "docs/how-to/upgrade.md": Given("operator"),
    "docs/tutorial/first-app.md": Given(
        "operator",
        "kubectl create namespace demo && kubectl apply --namespace demo -f - <<'EOF'\n"
        "{apiVersion: chainlit-operator.dev/v1alpha1, kind: ChainlitApp, metadata: {name: chat},\n"
        " spec: {workload: {ref: {name: chat}}, route: {url: 'http://127.0.0.1:8080/chat'}}}\nEOF",
    ),
    "docs/reference/controllers.md": Given("operator"),
}
