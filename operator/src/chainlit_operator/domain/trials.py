"""Variables that only some apps want, found by trying them once.

Behind a stripped prefix the law of alignment asks for ``CHAINLIT_PARENT_ROOT_PATH``. Chainlit 2.0.6 to 2.2.1 ignore it
and want the stripped prefix in ``CHAINLIT_ROOT_PATH``, which they write into the page and nowhere else; other releases
before 2.4.1 ignore it too, and no value of any variable helps. At ``/`` those two answer every request alike, so the
difference shows only when the other value is tried. A Chainlit that is mounted in another app may be told of the prefix
by that app already; only where its page leaves the prefix out is the variable tried.

A trial is made once for an image and remembered in the status::

    none    ── the page leaves the stripped prefix out ──▶ Pending      (one write)
    none    ── the variables are set like that already ──▶ Pending      (no write)
    Pending ── verified ──▶ Works
    Pending, Works ── the app answers, but not there ──▶ Fails          (one write, back to the law)
    Pending ── the rollout fails ──▶ Fails
    any     ── another image ──▶ none

So an image costs three writes at the most.
"""

from __future__ import annotations

from chainlit_operator.domain.model import App, Container, Trial, TrialOutcome, VerificationMode, Workload
from chainlit_operator.domain.paths import RootPaths
from chainlit_operator.domain.reasons import ConditionType, Reason

#: What verification says of a page that leaves the stripped prefix out.
PARENT_IGNORED = Reason.PARENT_ROOT_PATH_IGNORED
#: What it says of an app that answers, but is not there: no matter of addresses, networks and time.
ELSEWHERE = frozenset(
    {
        PARENT_IGNORED,
        Reason.HANDSHAKE_NOT_FOUND,
        Reason.HANDSHAKE_IS_HTML,
        Reason.PAGE_NOT_FOUND,
        Reason.PAGE_MALFORMED,
        Reason.ASSETS_MISSING,
        Reason.SOCKET_AT_DOUBLED_SLASH,
        Reason.ROOT_PATH_IN_PAGE_ONLY,
        Reason.ROOT_PATH_IGNORED,
    }
)


def other_roots(public: str, backend: str, roots: RootPaths) -> RootPaths | None:
    """Return the values that Chainlit 2.0.6 to 2.2.1 want for a route; None if those of the law are theirs too."""
    return RootPaths(public, "") if public and not backend and roots.parent_root_path else None


def remembered(app: App, container: Container) -> Trial | None:
    """Return what the status says of this image, if anything."""
    trial = app.status.trial
    return trial if trial is not None and trial.image == container.image else None


def stands(app: App, workload: Workload, container: Container, other: RootPaths) -> bool:
    """Whether ready pods have those other values, so that a look comes before any write.

    Whoever was verified below a root path has the routes there, and needs no look.
    """
    if app.spec.verification is VerificationMode.DISABLED or not workload.is_rolled_out:
        return False
    reachable = app.status.condition(ConditionType.WEBSOCKET_REACHABLE)
    if app.status.root_path and reachable is not None and reachable.status == "True":
        return False
    root_path, parent = container.root_path, container.parent_root_path
    return (
        root_path is not None
        and root_path.value == other.root_path
        and not (parent is not None and parent.value != other.parent_root_path)
    )


def advance(trial: Trial | None, image: str, reason: Reason | None, *, is_reachable: bool) -> Trial | None:
    """Return the trial after a verification of the present variables."""
    if trial is None:
        return Trial(image, TrialOutcome.PENDING) if reason is PARENT_IGNORED else None
    if trial.outcome is TrialOutcome.PENDING and is_reachable:
        return Trial(image, TrialOutcome.WORKS)
    if trial.outcome is not TrialOutcome.FAILS and reason in ELSEWHERE:
        return Trial(image, TrialOutcome.FAILS)
    return trial


def holds(trial: Trial | None) -> bool:
    """Whether the other values are to be set: while they are tried, and for as long as they work."""
    return trial is not None and trial.outcome is not TrialOutcome.FAILS
