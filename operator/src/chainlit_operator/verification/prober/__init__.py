"""The prober: whether a Chainlit app can be used at an address, and if not, why.

``steps.py`` takes the steps, ``releases.py`` recognises releases that answer elsewhere; ``address.py`` says which
addresses may be asked, ``transport.py`` asks within limits, ``cookies.py`` keeps cookies, ``parse.py`` reads what comes
back, ``outcome.py`` has the words.
"""

from chainlit_operator.verification.prober.address import (
    IPAddress,
    Policy,
    Resolver,
    address_allowed,
    edge_policy,
    system_resolve,
)
from chainlit_operator.verification.prober.outcome import MAX_MESSAGE_CHARS, Outcome, told_from_both_sides
from chainlit_operator.verification.prober.releases import explain
from chainlit_operator.verification.prober.steps import DEFAULT_LIMITS, Target, probe
from chainlit_operator.verification.prober.transport import MAX_REQUESTS, MAX_REQUESTS_AT_EDGE, Limits

__all__ = [
    "DEFAULT_LIMITS",
    "MAX_MESSAGE_CHARS",
    "MAX_REQUESTS",
    "MAX_REQUESTS_AT_EDGE",
    "IPAddress",
    "Limits",
    "Outcome",
    "Policy",
    "Resolver",
    "Target",
    "address_allowed",
    "edge_policy",
    "explain",
    "probe",
    "system_resolve",
    "told_from_both_sides",
]
