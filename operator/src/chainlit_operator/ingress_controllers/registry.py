"""All ingress controllers, found in the package, and the interpretation of annotations by them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

import chainlit_operator.ingress_controllers
from chainlit_operator.domain import middlewares
from chainlit_operator.domain.expressions import Style
from chainlit_operator.domain.model import (
    AffinitySetting,
    AnnotatedRoute,
    AnnotatedService,
    Canary,
    ControllerAffinity,
    Dependency,
    Matching,
    Route,
    RoutePath,
    Service,
    class_of,
    ingress_class,
)
from chainlit_operator.domain.route_warnings import RouteWarning
from chainlit_operator.ingress_controllers import unknown
from chainlit_operator.ingress_controllers.shared.affinity import Affinity, Annotations
from chainlit_operator.ingress_controllers.shared.controller import IngressController, Rules, is_never, unclear

_PACKAGE = chainlit_operator.ingress_controllers
_UNKNOWN = "unknown"
#: A route may have annotations of several controllers, though only one of them serves it. Their rewrites are applied in
#: this order; controllers that are not in the list follow by name.
_FIRST = ("ingress_nginx", "haproxy_ingress", "kong", "haproxy", "f5_nginx", _UNKNOWN, "traefik")


def _position(name: str) -> tuple[int, str]:
    return (_FIRST.index(name) if name in _FIRST else len(_FIRST), name)


def _found() -> Mapping[str, IngressController]:
    """The controllers by the names of their files, in their order."""
    found = {}
    for name in sorted((info.name for info in pkgutil.iter_modules(_PACKAGE.__path__)), key=_position):
        if (full := f"{_PACKAGE.__name__}.{name}") != __name__:
            controller = getattr(importlib.import_module(full), "CONTROLLER", None)
            if isinstance(controller, IngressController):
                found[name] = controller
    return found


CONTROLLERS: Mapping[str, IngressController] = _found()
#: The names of the controllers whose ingress classes usually have a name, by the group of that class.
_BY_CLASS: Mapping[str, frozenset[str]] = {
    ingress_class(of_class).group: frozenset(name for name, each in CONTROLLERS.items() if of_class in each.classes)
    for controller in CONTROLLERS.values()
    for of_class in controller.classes
}
#: From a kind that one controller alone serves to that controller.
_OWNERS = {kind: controller for controller in CONTROLLERS.values() for kind in controller.own_kinds}
_OF_SERVICES = frozenset(key for controller in CONTROLLERS.values() for key in controller.of_services)
_SUSPECTS = {key: test for controller in CONTROLLERS.values() for key, test in controller.may_rewrite.items()}


@lru_cache(64)
def _readers_of(kind: str) -> Mapping[str, IngressController]:
    """The controllers that read the annotations of a kind of route, by name."""
    return {name: controller for name, controller in CONTROLLERS.items() if controller.reads(kind)}


@lru_cache(64)
def _recognising(kind: str) -> tuple[tuple[str, Callable[[AnnotatedRoute], bool]], ...]:
    """The controllers that recognise routes of a kind without an annotation."""
    return tuple((name, each.recognises) for name, each in _readers_of(kind).items() if each.recognises is not is_never)


@lru_cache(4096)
def _role(kind: str, key: str) -> tuple[str, Callable[[str], bool] | None]:
    """The role of an annotation of a kind of route, looked up once for all routes that have it.

    The first value is the name of the controller whose annotation it is, empty for none. The second one tests whether a
    value may change the path in an unknown way; it is None if no value does.
    """
    recognised_by = ""
    for name, controller in _readers_of(kind).items():
        if key in controller.annotations or key.startswith(controller.prefixes):
            return name, _SUSPECTS.get(key)
        if key.startswith(controller.domains):
            recognised_by = name
    if kind in _OWNERS and not recognised_by:
        return "", _OWNERS[kind].may_rewrite.get(key)
    return recognised_by, _SUSPECTS.get(key) or unknown.suspicion(key)


def _of_its_class(route: Route) -> frozenset[str] | None:
    """The controllers that may serve a route whose class has the usual name of one; None if it has not."""
    return next((_BY_CLASS[each.group] for each in route.attachments if each.group in _BY_CLASS), None)


def _rules(found: AnnotatedRoute) -> Mapping[str, Rules]:
    """The rules of a route's annotations: one for each controller that reads it and may serve it, in their order."""
    kind, of_class = found.route.ref.kind, _of_its_class(found.route)
    readers = {name for name, recognises in _recognising(kind) if recognises(found)}
    unread: Rules | None = None
    for key, value in found.annotations.items():
        reader, suspicion = _role(kind, key)
        if reader:
            readers.add(reader)
        if suspicion is not None and unread is None and suspicion(value):
            unread = unknown.Unread(unclear(key, value))
    if of_class is not None:  # annotations of other controllers are without effect
        readers = {*of_class}
    rules = {name: each for name in readers if (each := CONTROLLERS[name].read(found)) is not None}
    rules = {name: each for name, each in rules.items() if each.is_owner} or rules
    if unread is not None:
        rules[_UNKNOWN] = unread
    return {name: rules[name] for name in sorted(rules, key=_position)}


def _read_as(route: Route, rules: Mapping[str, Rules]) -> tuple[str, ...]:
    """The titles of controllers for which a route is read only because annotations of theirs change its paths."""
    if len(_of_its_class(route) or ()) == 1:
        return ()
    changing = (name for name, each in rules.items() if any(map(each.changes, route.paths)))
    return tuple(title(name) for name in changing if name in CONTROLLERS)


def title(name: str) -> str:
    """Return the name of a controller for people."""
    affinity = CONTROLLERS[name].affinity
    return name if affinity is None else affinity.title


def interpret(found: AnnotatedRoute) -> Route:
    """Return the route as its ingress controller serves it: its paths, what serves them, its origins, affinity."""
    by_name, route = _rules(found), found.route
    rules = [*by_name.values()]
    has_class = any(each.is_ingress_class for each in route.attachments)
    settings = tuple(_settings(found.annotations, route.ref.kind)) if has_class else ()
    if settings:
        route = replace(route, affinity=(*route.affinity, *settings))
    if not rules:
        return _with_doubt(route)
    named = tuple(key for each in rules for key in each.middlewares)
    for each in rules:
        refusal, remedy = each.refusal(route)
        route = replace(
            route,
            refusal=route.refusal or refusal,
            refusal_remedy=route.refusal_remedy or remedy,
            paths=each.routed(route.paths),
            precedence=each.precedence or route.precedence,
            attachments=each.attachments(route),
            origins=each.origins(route),
        )
    return replace(
        route,
        paths=tuple(_interpreted(path, rules, named) for path in route.paths),
        dependencies=(*route.dependencies, *(Dependency(middlewares.KIND, key) for key in named)),
        canary=next((each.canary for each in rules if each.canary is not Canary.NONE), Canary.NONE),
        is_sticky=any(each.is_sticky for each in rules),
        order=next((each.order for each in rules if each.order is not None), route.order),
        read_as=_read_as(found.route, by_name),
    )


#: Traefik, Istio and OpenShift ignore a default backend beside rules; Contour and Cilium, at the hosts of the rules.
_BESIDE_RULES = "its ingress controller uses the default backend beside rules, which the class does not tell"


def _with_doubt(route: Route) -> Route:
    """Return a route of an unknown controller; its default backend may take no requests if there are rules."""
    if not route.paths or not route.paths[-1].is_fallback or route.paths[0].is_fallback:
        return route
    paths = (replace(path, condition=_BESIDE_RULES) if path.is_fallback else path for path in route.paths)
    return replace(route, paths=tuple(paths))


def _interpreted(path: RoutePath, rules: list[Rules], named: tuple[str, ...]) -> RoutePath:
    compared = _matching(path, rules)
    return replace(
        path,
        matching=compared,
        styles=_styles(path, rules) if compared is Matching.REGULAR_EXPRESSION else path.styles,
        transforms=(*path.transforms, *(transform for each in rules for transform in each.transforms(path))),
        # All paths of an Ingress share one tuple.
        middlewares=(*path.middlewares, *named) if path.middlewares else named,
        web_socket_refusal=next(filter(None, (each.web_socket_refusal(path) for each in rules)), None),
        warnings=tuple(warning for each in rules for warning in each.warnings(path)),
    )


def _matching(path: RoutePath, rules: list[Rules]) -> Matching:
    """How the path is compared. Any of the controllers may serve the route, so one unknown answer is enough."""
    answers = [answer for each in rules if (answer := each.matching(path)) is not None]
    if Matching.UNKNOWN in answers:
        return Matching.UNKNOWN
    return answers[0] if answers else path.matching


def _styles(path: RoutePath, rules: list[Rules]) -> tuple[Style, ...]:
    """How an expression is compared: in the styles of all controllers that read the path as one."""
    readers = (each for each in rules if each.matching(path) is Matching.REGULAR_EXPRESSION)
    found = {each.style: None for each in readers if each.style is not None}
    return tuple(found) or path.styles


# --------------------------------------------------------------------------------------------------- session affinity


def interpret_service(found: AnnotatedService) -> Service:
    """Return the Service with the settings in its annotations: of session affinity, and of load balancers."""
    affinity = tuple(_settings(found.annotations, found.service.ref.kind))
    settings = tuple(sorted((key, found.annotations[key]) for key in _OF_SERVICES & found.annotations.keys()))
    return replace(found.service, affinity=affinity, settings=settings)


def with_controllers(route: Route) -> Route:
    """Return a composed route with what the controllers of its class say: session affinity, and warnings.

    A route whose kind has told its controller stays as it is.
    """
    if route.controllers:
        return route
    warned: tuple[RouteWarning, ...] = ()
    if route.gateway_classes:
        is_one = len(route.gateway_classes) == 1
        found = _of_gateway(route.gateway_classes[0]) if is_one else ()
        warned = tuple(warning for name in route.gateway_classes for warning in _warnings_of_gateway(name))
    else:
        found = _of_class(class_of(route.attachments[0])) if len(route.attachments) == 1 else ()
    if warned:
        route = replace(route, paths=tuple(replace(path, warnings=(*path.warnings, *warned)) for path in route.paths))
    return replace(route, controllers=found) if found else route


_AFFINITIES = {name: controller.affinity for name, controller in CONTROLLERS.items() if controller.affinity is not None}


@lru_cache(4096)
def _readers(key: str) -> tuple[str, ...]:
    """The controllers that read an annotation about session affinity."""
    return tuple(name for name, affinity in _AFFINITIES.items() if key.startswith(affinity.prefixes))


def _settings(annotations: Annotations, kind: str) -> Iterator[AffinitySetting]:
    """The settings in the annotations of a route or a Service, for each controller that reads one."""
    is_service = kind == "Service"
    for name in sorted({name for key in annotations for name in _readers(key)}):
        affinity: Affinity = _AFFINITIES[name]
        if not is_service and not CONTROLLERS[name].reads(kind):
            continue
        for found in (affinity.on_service if is_service else affinity.on_route)(annotations):
            yield AffinitySetting(name, found.stickiness, f"the annotation {found.key}", found.service)


@lru_cache(256)
def _of_class(name: str) -> tuple[ControllerAffinity, ...]:
    """The controllers whose ingress class usually has that name."""
    return tuple(
        ControllerAffinity(affinity.title, frozenset({reader}), affinity.default, affinity.remedy)
        for reader, affinity in _AFFINITIES.items()
        if name in CONTROLLERS[reader].classes
    )


@lru_cache(256)
def _of_gateway(name: str) -> tuple[ControllerAffinity, ...]:
    """The controllers whose GatewayClass usually has that name."""
    return tuple(
        ControllerAffinity(affinity.title, affinity.gateway_readers, affinity.gateway_default, affinity.gateway_remedy)
        for affinity in _AFFINITIES.values()
        if name in affinity.gateway_classes
    )


@lru_cache(256)
def _warnings_of_gateway(name: str) -> tuple[RouteWarning, ...]:
    """The warnings of the controllers whose GatewayClass usually has that name."""
    found = (each for each in CONTROLLERS.values() if each.affinity and name in each.affinity.gateway_classes)
    return tuple(warning for each in found for warning in each.gateway_warnings)
