"""Resolution: from the routes of an app to the one path at which Chainlit must be served, or the reason for none.

``chain.py``, ``rules.py`` and ``together.py`` have ordered lists of rules: the first rule that fails gives the reason.
The lists are the truth table, and the page of reasons in the documentation prints them.
"""

from chainlit_operator.domain.resolution.answer import Resolved, Unresolved
from chainlit_operator.domain.resolution.backend import route_backend
from chainlit_operator.domain.resolution.chain import against_others, missing_workload, resolve, resolve_alone

__all__ = [
    "Resolved",
    "Unresolved",
    "against_others",
    "missing_workload",
    "resolve",
    "resolve_alone",
    "route_backend",
]
