"""The intake: puts the ChainlitApps of lists and of kopf's events into the state, and removes deleted ones."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import msgspec

from chainlit_operator.domain.model import App
from chainlit_operator.kinds.chainlitapp import app_from_json, app_from_object
from chainlit_operator.kube import codec
from chainlit_operator.kube.resource_versions import is_older
from chainlit_operator.kube.unreadable import UnreadableObjects
from chainlit_operator.object_ref import Ref
from chainlit_operator.state import State

logger = logging.getLogger(__name__)


class AppIntake:
    """Puts ChainlitApps into ``state``.

    An app that cannot be decoded is not in the state. Then no workload of its namespace is released, because the app
    may name any of them.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._unreadable = UnreadableObjects("ChainlitApp")

    def put_listed(self, raw: msgspec.Raw) -> None:
        """Put a ChainlitApp of a list, as JSON. Raises msgspec.DecodeError if its metadata cannot be decoded."""
        self._put(lambda: app_from_json(raw), lambda: codec.decode_metadata(raw))

    def put_event(self, body: Any) -> None:
        """Put a ChainlitApp of an event; ``body`` is a decoded API object.

        Raises msgspec.ValidationError if its metadata cannot be decoded.
        """
        self._put(lambda: app_from_object(body), lambda: msgspec.convert(body, codec.PartialObjectMetadata))

    def remove(self, ref: Ref, uid: str) -> None:
        """Remove a deleted ChainlitApp, unless a newer one with the same name is known."""
        app = self._state.apps.get(ref)
        if app is not None and app.uid == uid:
            self._state.remove_app(ref)
        elif self._unreadable.uid(ref) == uid:
            self._unreadable.forget(ref)
            self._state.mark_unreadable(ref, is_unreadable=False)

    def begin_list(self, namespace: str | None) -> AppList:
        """Begin a list of the ChainlitApps in a namespace (None: in all)."""
        return AppList(self, self._known(namespace))

    def _known(self, namespace: str | None) -> set[tuple[Ref, str]]:
        known = {(ref, app.uid) for ref, app in self._state.apps.items()}
        known |= {(ref, self._unreadable.uid(ref)) for ref in self._state.unreadable}
        return {(ref, uid) for ref, uid in known if namespace in (None, ref.namespace)}

    def _put(self, decode: Callable[[], App], decode_metadata: Callable[[], codec.PartialObjectMetadata]) -> None:
        try:
            app = decode()
        except (msgspec.MsgspecError, ValueError) as error:
            metadata = decode_metadata().metadata
            ref = Ref("ChainlitApp", metadata.namespace, metadata.name)
            known = self._state.apps.get(ref)
            if known is None or not is_older(metadata.resource_version, known.resource_version):
                self._unreadable.report(metadata, error)
                self._state.mark_unreadable(ref)
                self._state.remove_app(ref)
            return
        self._unreadable.forget(app.ref)
        self._state.put_app(app)
        self._state.mark_unreadable(app.ref, is_unreadable=False)


class AppList:
    """A list of ChainlitApps in progress. Its pages come from kopf or from the relister."""

    def __init__(self, intake: AppIntake, known: set[tuple[Ref, str]]) -> None:
        """``known`` are the apps that were known before the list was requested, with their uids."""
        self._intake, self._known = intake, known

    def found(self, metadata: codec.Identity) -> None:
        """Note that the list contains this app."""
        self._known.discard((Ref("ChainlitApp", metadata.namespace, metadata.name), metadata.uid))

    def end(self) -> None:
        """Remove the apps that were known before and are not in the list: the watch may have missed their deletion."""
        for ref, uid in self._known:
            logger.info("%s is gone", ref)
            self._intake.remove(ref, uid)
