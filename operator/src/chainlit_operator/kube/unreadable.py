"""Objects that cannot be decoded, for example because their CRD is newer than this program."""

from __future__ import annotations

import logging

from chainlit_operator.kube import codec
from chainlit_operator.object_ref import Ref
from chainlit_operator.observability import metrics

logger = logging.getLogger(__name__)


class UnreadableObjects:
    """The objects of one kind that cannot be decoded. Each version is logged and counted once."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._found: dict[Ref, codec.Identity] = {}

    def report(self, metadata: codec.Identity, error: Exception) -> None:
        """Note an object that cannot be decoded because of ``error``."""
        ref = Ref(self._kind, metadata.namespace, metadata.name)
        known = self._found.get(ref)
        if known is None or known.resource_version != metadata.resource_version:
            metrics.UNREADABLE.labels(self._kind).inc()
            logger.warning("%s cannot be read and is ignored: %s", ref, error)
        self._found[ref] = metadata

    def uid(self, ref: Ref) -> str:
        """Return the uid of an object that cannot be decoded; empty for any other."""
        return self._found[ref].uid if ref in self._found else ""

    def forget(self, ref: Ref) -> None:
        """Forget an object that can be decoded now, or that was deleted."""
        if self._found:
            self._found.pop(ref, None)
