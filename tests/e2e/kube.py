"""The API server as the tests use it: objects are plain dicts (tests/objects.py)."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from kubernetes import config

from tests import objects
from tests.objects import Object, path_of

MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


class KubeError(Exception):
    """The API server refused; ``code`` is the HTTP status."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


class Kube:
    """A connection with the kubeconfig's rights. Every method raises KubeError."""

    def __init__(self, kubeconfig: str) -> None:
        self._client = config.new_client_from_config(config_file=kubeconfig)

    def close(self) -> None:
        """End all connections."""
        self._client.close()

    def request(
        self, method: str, path: str, body: Object | None = None, content_type: str = "application/json"
    ) -> bytes:
        """Ask the API server and return the body of its answer."""
        headers = {"Accept": "application/json", "Content-Type": content_type, "User-Agent": "chainlit-e2e"}
        self._client.update_params_for_auth(headers, [], ["BearerToken"], path, method, body)
        answer = self._client.rest_client.request(
            method,
            self._client.configuration.host + path,
            headers=headers,
            body=body,
            _request_timeout=30,
        )
        data: bytes = answer.read() or b""
        if answer.status >= 400:
            try:
                message = json.loads(data)["message"]
            except (ValueError, KeyError):
                message = data.decode("utf-8", "replace")
            raise KubeError(answer.status, message)
        return data

    def _object(self, *arguments: Any) -> Object:
        answer: Object = json.loads(self.request(*arguments))
        return answer

    def get(self, kind: str, namespace: str, name: str) -> Object:
        """Return an object."""
        return self._object("GET", path_of(kind, namespace, name))

    def find(self, kind: str, namespace: str, name: str) -> Object | None:
        """Return an object, or None if there is no such."""
        try:
            return self.get(kind, namespace, name)
        except KubeError as error:
            if error.code == 404:
                return None
            raise

    def objects(self, kind: str, namespace: str, **query: str) -> list[Object]:
        """Return all objects of a kind in a namespace; ``query`` as ``labelSelector="a=b"``."""
        suffix = f"?{urlencode(query)}" if query else ""
        items: list[Object] = self._object("GET", path_of(kind, namespace) + suffix)["items"] or []
        for item in items:
            item.setdefault("kind", kind)
        return items

    def create(self, manifest: Object, namespace: str) -> Object:
        """Create an object."""
        return self._object("POST", path_of(manifest["kind"], namespace), manifest)

    def patch(self, kind: str, namespace: str, name: str, body: Object, content_type: str = MERGE_PATCH) -> Object:
        """Patch an object, by default with a merge patch."""
        return self._object("PATCH", path_of(kind, namespace, name), body, content_type)

    def apply(self, manifest: Object, namespace: str, manager: str, *, force: bool = True) -> Object:
        """Server-side apply under the name ``manager``, by default by force."""
        path = path_of(manifest["kind"], namespace, manifest["metadata"]["name"])
        query = urlencode({"fieldManager": manager, "force": str(force).lower(), "fieldValidation": "Strict"})
        return self._object("PATCH", f"{path}?{query}", manifest, APPLY_PATCH)

    def ensure_namespace(self, name: str) -> None:
        """Create a namespace unless it is there."""
        if self.find("Namespace", "", name) is None:
            self.create(objects.resource("Namespace", name), "")

    def delete(self, kind: str, namespace: str, name: str, grace_seconds: int | None = None) -> None:
        """Have an object deleted; nobody waits for it."""
        body: Object = {"propagationPolicy": "Background"}
        if grace_seconds is not None:
            body["gracePeriodSeconds"] = grace_seconds
        self.request("DELETE", path_of(kind, namespace, name), body)

    def logs(self, namespace: str, pod: str, container: str, *, previous: bool = False, lines: int = 500) -> str:
        """Return the end of a container's log."""
        query = urlencode({"container": container, "tailLines": lines, "previous": str(previous).lower()})
        return self.request("GET", f"{path_of('Pod', namespace, pod)}/log?{query}").decode("utf-8", "replace")
