"""Errors of the API server: which ones RBAC made, and which reasons there are."""

from __future__ import annotations

import pytest

from chainlit_operator.kube.errors import ApiError

USER = 'User "system:serviceaccount:system:chainlit-operator"'


@pytest.mark.parametrize(
    ("code", "message", "verb"),
    [
        (403, f'deployments.apps "chat" is forbidden: {USER} cannot patch resource "deployments" in API group "apps" '
              'in the namespace "shop"', "patch"),
        (403, f'services is forbidden: {USER} cannot create resource "services" in API group "" at the cluster scope: '
              'RBAC: clusterrole.rbac.authorization.k8s.io "x" not found', "create"),
        (403, f'chainlitapps.chainlit-operator.dev "a b" is forbidden: {USER} cannot delete resource "chainlitapps"',
         "delete"),
        (403, r'services "x" is forbidden: User "odd \" name" cannot delete resource "services"', "delete"),
        (403, 'admission webhook "psp" denied the request: team-a cannot create more Deployments', ""),
        (403, f'admission webhook "psp" denied the request: services "x" is forbidden: {USER} cannot create resource',
         ""),
        (403, 'deployments.apps "chat" is forbidden: ValidatingAdmissionPolicy "x" denied: cannot patch it', ""),
        (403, 'deployments.apps "chat" is forbidden: exceeded quota: pods, you cannot create resource "pods"', ""),
        (403, "", ""),
        (422, f'deployments.apps "chat" is forbidden: {USER} cannot patch resource "deployments"', ""),
    ],
)  # fmt: skip
def test_the_verb_that_rbac_refused(code: int, message: str, verb: str) -> None:
    assert ApiError(code, "Forbidden", message).missing_verb == verb
