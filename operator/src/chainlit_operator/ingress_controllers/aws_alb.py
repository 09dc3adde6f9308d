"""AWS Load Balancer Controller: patterns as paths, actions and conditions by annotation, listeners, health checks.

The facts are those of its documentation and of ``pkg/ingress`` in its source. A path of type ImplementationSpecific is
a pattern of the load balancer as it stands: ``/chat`` matches only itself, ``/chat/*`` everything below.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from chainlit_operator.domain import rewrites
from chainlit_operator.domain.model import (
    AnnotatedRoute,
    Attachment,
    Matching,
    Origin,
    Precedence,
    Route,
    RouteOrder,
    RoutePath,
    Stickiness,
    ingress_class,
)
from chainlit_operator.domain.route_warnings import HealthCheck, HealthCheckKeys, NeedsNodePort, RouteWarning
from chainlit_operator.ingress_controllers.shared.affinity import Affinity, Annotations, Found
from chainlit_operator.ingress_controllers.shared.controller import (
    IMPLEMENTATION_SPECIFIC,
    SHOWN,
    IngressController,
    Rules,
    with_https,
)

_CLASS = "alb"
_PREFIX = "alb.ingress.kubernetes.io/"
#: The name of a Service or of an action follows.
TRANSFORMS, ACTIONS, CONDITIONS = f"{_PREFIX}transforms.", f"{_PREFIX}actions.", f"{_PREFIX}conditions."
LISTEN_PORTS, CERTIFICATE, SSL_REDIRECT = (
    f"{_PREFIX}listen-ports",
    f"{_PREFIX}certificate-arn",
    f"{_PREFIX}ssl-redirect",
)
_HEALTH_CHECK = HealthCheckKeys(f"{_PREFIX}healthcheck-path", f"{_PREFIX}healthcheck-port", f"{_PREFIX}success-codes")
TARGET_TYPE, GROUP = f"{_PREFIX}target-type", f"{_PREFIX}group.name"
REGEX_PATHS = f"{_PREFIX}use-regex-path-match"
#: The port of a backend that an action describes.
_USE_ANNOTATION = "use-annotation"
#: A rule of the load balancer has no more values.
_MAX_VALUES = 5
_WILDCARDS = frozenset("*?")


class _Rules(Rules):
    precedence = Precedence.FIRST_MATCH
    #: A load balancer tries the rules of a group in an order that annotations state.
    order = RouteOrder.UNKNOWN

    def __init__(self, annotations: Mapping[str, str]) -> None:
        self._annotations = annotations

    # ------------------------------------------------------------------------------------------------------ paths

    def routed(self, paths: tuple[RoutePath, ...]) -> tuple[RoutePath, ...]:
        """Exact paths come first, then prefixes by their length, then patterns as the Ingress lists them."""
        return tuple(
            routed
            for path in sorted(paths, key=_order)
            for served in self._after_action(path)
            for routed in self._with_conditions(served, path.service)
        )

    def _action(self, name: str) -> Any:
        return _parsed(self._annotations.get(f"{ACTIONS}{name}", ""))

    def _after_action(self, path: RoutePath) -> Iterator[RoutePath]:
        """The path to the Services of its action; none for a redirect to https, which the https listener leaves out."""
        if path.port != _USE_ANNOTATION:
            yield path
            return
        action = self._action(path.service)
        if _is_https_redirect(action):
            return
        targets = [target for target in _targets(action) if target.get("weight") != 0]
        others = tuple(str(target.get("servicename", "a target group")) for target in targets)
        for target in [target for target in targets if "servicename" in target] or [{}]:
            port = str(target.get("serviceport", 0))
            yield replace(
                path,
                service=str(target.get("servicename", "")),
                port=int(port) if port.isdecimal() else port,
                others=others,
            )

    def _with_conditions(self, path: RoutePath, name: str) -> Iterator[RoutePath]:
        """The path with the conditions for its Service or its action, and on more hosts and paths if they say so."""
        hosts, texts, condition = [path.host] if path.host else [], [path.path], path.condition
        for found in _list(_parsed(self._annotations.get(f"{CONDITIONS}{name}", ""))):
            values = _values(found)
            match found.get("field"):
                case "host-header":
                    hosts += values
                case "path-pattern":
                    texts += values
                case "http-header":
                    condition = condition or "a header matches"
                case "query-string":
                    condition = condition or "a query parameter matches"
                case "http-request-method":
                    condition = condition or f"the method is {' or '.join(values)}"
        for host in dict.fromkeys(hosts[: _MAX_VALUES + 1]) or [""]:
            yield replace(path, host=host, condition=condition)
            for text in texts[1 : _MAX_VALUES + 1]:
                yield replace(path, host=host, path=text, path_type=IMPLEMENTATION_SPECIFIC, condition=condition)

    def refusal(self, route: Route) -> tuple[str, str]:
        wrong = [
            path.path
            for path in route.paths
            if path.path_type != IMPLEMENTATION_SPECIFIC and not _WILDCARDS.isdisjoint(path.path)
        ]
        if not wrong:
            return "", ""
        return (
            f"its controller refuses the wildcard in path {wrong[0][:SHOWN]} because its type is not "
            "ImplementationSpecific",
            "Remove the wildcard, or set pathType: ImplementationSpecific.",
        )

    def matching(self, path: RoutePath) -> Matching | None:
        if path.path_type != IMPLEMENTATION_SPECIFIC:
            return None
        if self._annotations.get(REGEX_PATHS) == "true":
            return Matching.UNKNOWN
        return Matching.EXACT if _WILDCARDS.isdisjoint(path.path) else Matching.WILDCARD

    def transforms(self, path: RoutePath) -> Iterator[rewrites.Transform]:
        key = f"{TRANSFORMS}{path.service}"
        if "url-rewrite" in self._annotations.get(key, ""):
            yield _rewrite(_parsed(self._annotations[key])) or rewrites.Unknown(
                f"the annotation {key} with a url-rewrite"
            )

    # -------------------------------------------------------------------------------------------------- listeners

    def attachments(self, route: Route) -> tuple[Attachment, ...]:
        """Ingresses of one group share a load balancer; without a group, one without hosts has its own.

        An ingress class may name a group too. So the class stays where hosts say that Ingresses belong together.
        """
        group = self._annotations.get(GROUP)
        if group:
            return (ingress_class(_CLASS, f"group {group}"),)
        if any(path.host for path in route.paths):
            return route.attachments
        return (ingress_class(_CLASS, str(route.ref)),)

    def origins(self, route: Route) -> tuple[Origin, ...]:
        listeners = list(_listeners(self._annotations.get(LISTEN_PORTS, "")))
        address = next((origin.address for origin in route.origins if origin.address), "")
        if listeners:
            return tuple(Origin("", is_secure, port, address) for is_secure, port in listeners)
        if self._annotations.get(CERTIFICATE):
            return with_https(route.origins, is_alone=True)
        actions = {path.service for path in route.paths if path.port == _USE_ANNOTATION}
        if self._annotations.get(SSL_REDIRECT) or any(_is_https_redirect(self._action(name)) for name in actions):
            return with_https(route.origins)
        return route.origins

    # ----------------------------------------------------------------------------------------------- health checks

    def warnings(self, path: RoutePath) -> tuple[RouteWarning, ...]:
        given = self._annotations
        check = HealthCheck(
            _HEALTH_CHECK,
            path=given.get(_HEALTH_CHECK.path) or "/",
            codes=given.get(_HEALTH_CHECK.codes) or "200",
            port=given.get(_HEALTH_CHECK.port, ""),
        )
        return NeedsNodePort(TARGET_TYPE, given.get(TARGET_TYPE, ""), "instance", "ip"), check


def _order(path: RoutePath) -> tuple[bool, bool, int]:
    return path.is_fallback, path.path_type != "Exact", -len(path.path) if path.path_type == "Prefix" else 0


# --------------------------------------------------------------------------------------------- JSON in annotations


def _parsed(text: str) -> Any:
    """The value of an annotation with the names of fields in lower case, as Go reads them; None if it is no JSON."""
    try:
        return json.loads(text, object_pairs_hook=lambda pairs: {key.lower(): value for key, value in pairs})
    except (ValueError, RecursionError):
        return None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _is_https_redirect(action: Any) -> bool:
    """Whether an action sends browsers to https and leaves host, path and query as they are."""
    config = _dict(_dict(action).get("redirectconfig"))
    return (
        _dict(action).get("type") == "redirect"
        and config.get("protocol") == "HTTPS"
        and config.get("host", "#{host}") == "#{host}"
        and config.get("path", "/#{path}") == "/#{path}"
        and config.get("query", "#{query}") == "#{query}"
    )


def _targets(action: Any) -> list[dict[str, Any]]:
    """The target groups of a forward action; none for other actions."""
    if _dict(action).get("type") != "forward":
        return []
    return _list(_dict(_dict(action).get("forwardconfig")).get("targetgroups"))


def _rewrite(transforms: Any) -> rewrites.Transform | None:
    """The one rewrite of paths in a list of transforms; None if it is not one, or not of the whole path."""
    configs = [each.get("urlrewriteconfig") for each in _list(transforms) if each.get("type") == "url-rewrite"]
    found = [rewrite for config in configs for rewrite in _list(_dict(config).get("rewrites"))]
    only = found[0] if len(found) == 1 else {}
    pattern, replacement = str(only.get("regex", "")), str(only.get("replace", ""))
    # The load balancer replaces the match. Another expression may leave a part of the path.
    is_whole = pattern.startswith("^") and pattern.endswith("$") and not pattern.endswith("\\$")
    return rewrites.RewriteWholePath(pattern, replacement) if is_whole else None


def _values(condition: dict[str, Any]) -> list[str]:
    """The values of a condition; each kind has them in a field of its own."""
    for key, config in condition.items():
        if key.endswith("config") and isinstance(config, dict):
            values = config.get("values")
            return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []
    return []


def _listeners(text: str) -> Iterator[tuple[bool, int]]:
    """Yield the listeners of ``[{"HTTP": 80}, {"HTTPS": 443}]``: whether one is for https, and its port."""
    for entry in _list(_parsed(text)):
        for protocol, port in entry.items():
            if protocol in ("http", "https") and isinstance(port, int):
                yield protocol == "https", port


def _read(found: AnnotatedRoute) -> Rules:
    return _Rules(found.annotations)


ATTRIBUTES = "alb.ingress.kubernetes.io/target-group-attributes"


def _settings(annotations: Annotations) -> Iterator[Found]:
    """Yield the settings of an Ingress or a Service.

    With targets of another type than ``ip`` the load balancer keeps a browser at a node, which may have several pods.
    """
    if "stickiness.enabled=true" in (entry.strip() for entry in annotations.get(ATTRIBUTES, "").split(",")):
        is_kept = annotations.get(TARGET_TYPE) == "ip"
        yield Found(Stickiness.KEPT if is_kept else Stickiness.UNKNOWN, ATTRIBUTES)


_AFFINITY = Affinity(
    title="AWS Load Balancer Controller",
    default=Stickiness.LOST,
    remedy=(
        f"Set the annotations {ATTRIBUTES}: stickiness.enabled=true,stickiness.type=lb_cookie and {TARGET_TYPE}: ip "
        "on {route}."
    ),
    prefixes=(ATTRIBUTES,),
    on_route=_settings,
    on_service=_settings,
)


CONTROLLER = IngressController(
    prefixes=(TRANSFORMS, ACTIONS, CONDITIONS),
    domains=(_PREFIX,),
    classes=frozenset({_CLASS}),
    of_services=frozenset({*_HEALTH_CHECK, TARGET_TYPE}),
    read=_read,
    affinity=_AFFINITY,
)
