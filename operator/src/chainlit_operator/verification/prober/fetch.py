"""One bounded GET request to a pod, for questions that are not a whole probe."""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import dataclass

import aiohttp

from chainlit_operator.domain.reasons import Reason
from chainlit_operator.verification.prober.failures import Failure
from chainlit_operator.verification.prober.probe import Prober
from chainlit_operator.verification.prober.target import Target
from chainlit_operator.verification.prober.transport import Client, read_body

_log = logging.getLogger(__name__)

_MAX_PATH_CHARS = 1024
_PATH = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to a request: the status, the media type, and the beginning of the body."""

    status: int
    content_type: str
    body: bytes


async def fetch(prober: Prober, base_url: str, path: str, query: str = "") -> Reply | Reason:
    """Send one GET request, or return the reason why there is no answer.

    A redirect is not followed: it is the reason REDIRECTED. A path that is not plain is TARGET_INVALID, unasked.
    """
    if len(path) > _MAX_PATH_CHARS or _PATH.fullmatch(path) is None:
        return Reason.TARGET_INVALID
    client = Client(Target(base_url, ""), prober.limits, prober.tls)
    try:
        async with prober.connected(client):
            path, mark, more = path.partition("?")
            client.begin("GET", path)
            async with client.request("GET", path, more if mark else query) as response:
                return await _read(response, prober.limits.max_body_bytes)
    except Failure as failure:
        return failure.outcome.reason
    except TimeoutError:
        return Reason.TIMED_OUT if client.is_connected else Reason.CONNECTION_TIMED_OUT
    except asyncio.CancelledError:
        raise
    except Exception as error:
        # As in a probe: the peer chooses what the HTTP library reads.
        _log.warning("a request to a pod ended with an unexpected %s", type(error).__name__, exc_info=True)
        return Reason.PROBE_FAILED


async def _read(response: aiohttp.ClientResponse, limit: int) -> Reply:
    body, _ = await read_body(response, limit)
    return Reply(response.status, response.content_type, body)
