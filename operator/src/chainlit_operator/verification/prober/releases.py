"""Recognises releases of Chainlit that answer at another path (the table is in ``domain/chainlit.py``).

The name and the tag of an image do not prove the release, because of forks and renamed images. So each check is a probe
of the path where such a release answers.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from chainlit_operator.domain import chainlit
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.verification.prober.failures import Failure
from chainlit_operator.verification.prober.outcome import Outcome, shown
from chainlit_operator.verification.prober.parse import OPEN_PREFIX
from chainlit_operator.verification.prober.probe import Prober
from chainlit_operator.verification.prober.target import Target
from chainlit_operator.verification.prober.transport import Client, read_body

_log = logging.getLogger(__name__)

#: The answer of python-engineio, with status 404 and as plain text, at a path that is mounted but not its own.
_ENGINEIO_NOT_FOUND = b"Not Found"
_SOCKET_ELSEWHERE = frozenset({Reason.HANDSHAKE_NOT_FOUND, Reason.HANDSHAKE_IS_HTML})
_UPGRADE = f"Upgrade to Chainlit {chainlit.RECOMMENDED_SINCE} or later"


async def explain_release(prober: Prober, target: Target, failed: Outcome) -> Outcome:
    """Return an outcome that names the fault of the release, if it explains ``failed``; otherwise return ``failed``.

    ``failed`` is the outcome of a probe of ``target``, which must be behind the route: at the edge, the other paths
    belong to other apps. Sends at most three probes.
    """
    root, parent = target.root_path, target.page_prefix
    if failed.reason is Reason.ASSETS_MISSING and parent and await _answers(prober, target, root, ""):
        return _parent_root_path_ignored(target)
    if failed.reason not in _SOCKET_ELSEWHERE or not root:
        return failed
    if await _answers_at_doubled_slash(prober, target):
        return _socket_at_doubled_slash(target)
    if await _answers(prober, target, "", root):
        return _root_path_in_page_only(target)
    if await _answers(prober, target, "", ""):
        return _root_path_ignored(target)
    return failed


async def _answers(prober: Prober, target: Target, root_path: str, page_prefix: str) -> bool:
    return (await prober.probe(replace(target, root_path=root_path, page_prefix=page_prefix))).reachable


async def _answers_at_doubled_slash(prober: Prober, target: Target) -> bool:
    """Whether an Engine.IO server answers below ``//``; its answer "unknown path" counts too."""
    client = Client(target, prober.limits, prober.tls)
    path = f"/{target.socket_path}"
    try:
        async with prober.connected(client):
            client.begin("GET", path)
            async with client.request("GET", path, "EIO=4&transport=polling") as response:
                body, _ = await read_body(response, prober.limits.max_handshake_bytes)
                is_plain_404 = response.status == 404 and response.content_type == "text/plain"
                return body.startswith(OPEN_PREFIX) or (is_plain_404 and body == _ENGINEIO_NOT_FOUND)
    except (Failure, TimeoutError):
        return False
    except Exception as error:
        # As in a probe: the peer chooses what the HTTP library reads.
        _log.warning("a request below // ended with an unexpected %s", type(error).__name__, exc_info=True)
        return False


def _parent_root_path_ignored(target: Target) -> Outcome:
    prefix = shown(target.page_prefix)
    return Outcome(
        Reason.PARENT_ROOT_PATH_IGNORED,
        f"The page leaves out {prefix}, which the route strips, so a browser shows a blank page: this Chainlit does "
        f"not read {chainlit.PARENT_ROOT_PATH}",
        f"{_UPGRADE}, or let the route keep the path",
    )


def _socket_at_doubled_slash(target: Target) -> Outcome:
    return Outcome(
        Reason.SOCKET_AT_DOUBLED_SLASH,
        f"This Chainlit has its socket at /{shown(target.root_path)}/ws, where no browser asks: a fault of releases "
        f"before {chainlit.DOUBLED_SLASH_BEFORE}",
        f"{_UPGRADE}, or serve the app at / of a host of its own",
    )


def _root_path_in_page_only(target: Target) -> Outcome:
    return Outcome(
        Reason.ROOT_PATH_IN_PAGE_ONLY,
        f"This Chainlit writes {shown(target.root_path)} into its page but serves everything at /, as releases "
        f"{chainlit.ROOT_PATH_IN_PAGE_ONLY} do",
        _UPGRADE,
    )


def _root_path_ignored(target: Target) -> Outcome:
    return Outcome(
        Reason.ROOT_PATH_IGNORED,
        f"The app serves Chainlit at / instead of {shown(target.root_path)}, as if {chainlit.ROOT_PATH} were not set",
        f"Start the app by chainlit run of release {chainlit.RECOMMENDED_SINCE} or later; if another app mounts "
        "Chainlit, set spec.mountPath of its ChainlitApp",
    )
