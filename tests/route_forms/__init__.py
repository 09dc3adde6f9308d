"""Every form of route that the operator knows, as manifests, each with its answer.

One table for all, with a file for each kind: the unit tests read the manifests as the operator does, the end-to-end
tests apply them to a cluster and talk to the chat, and ``docs/reference/routes.md`` is printed from it::

    python -m tests.route_forms > docs/reference/routes.md
"""

from __future__ import annotations

from tests.route_forms import http_proxy, http_route, ingress, openshift_route
from tests.route_forms.form import SOCKETS, Edge, Form, Roots
from tests.route_forms.page import lines

#: From a kind of route to its forms.
TABLES: dict[str, tuple[Form, ...]] = {
    "Ingress": ingress.FORMS,
    "HTTPRoute": http_route.FORMS,
    "HTTPProxy": http_proxy.FORMS,
    "Route": openshift_route.FORMS,
}
FORMS = [form for table in TABLES.values() for form in table]
PAIRS = [(form, edge) for form in FORMS for edge in form.edges]

__all__ = ["FORMS", "PAIRS", "SOCKETS", "TABLES", "Edge", "Form", "Roots", "page"]


def page() -> list[str]:
    """The lines of ``docs/reference/routes.md``."""
    return list(lines(TABLES))
