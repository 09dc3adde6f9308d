"""The prober: tests whether a Chainlit app can be used at an address, and explains why not.

``target.py`` describes the address, ``probe.py`` runs one probe with the requests of ``steps.py``, and ``releases.py``
recognises releases that answer at another path. Below them, ``address.py`` decides which addresses are allowed,
``transport.py`` sends requests within limits, ``cookies.py`` keeps cookies, ``parse.py`` parses the answers,
``failures.py`` explains failures, and ``outcome.py`` has the result.
"""

from chainlit_operator.verification.prober.address import (
    IPAddress,
    Policy,
    Resolver,
    address_allowed,
    edge_policy,
    system_resolve,
)
from chainlit_operator.verification.prober.outcome import MAX_MESSAGE_CHARS, Outcome, explain_side
from chainlit_operator.verification.prober.probe import Prober
from chainlit_operator.verification.prober.releases import explain_release
from chainlit_operator.verification.prober.target import Target
from chainlit_operator.verification.prober.transport import DEFAULT_LIMITS, MAX_REQUESTS, MAX_REQUESTS_AT_EDGE, Limits

__all__ = [
    "DEFAULT_LIMITS",
    "MAX_MESSAGE_CHARS",
    "MAX_REQUESTS",
    "MAX_REQUESTS_AT_EDGE",
    "IPAddress",
    "Limits",
    "Outcome",
    "Policy",
    "Prober",
    "Resolver",
    "Target",
    "address_allowed",
    "edge_policy",
    "explain_release",
    "explain_side",
    "system_resolve",
]
