"""Clusters that Hypothesis makes: an app, its workload, Services and routes, as an API server returns them.

What people write is likelier than what they could write. Half of the scenes are *calm*: an oddity in one of them is
mostly its only one, so that it decides alone, and most have an answer. In the others oddities meet. Every reason for
having no answer occurs, and mistakes that nobody warns of.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from tests import objects as make
from tests.model.drawing import HOST, NAMESPACE, OWN_PATHS, often
from tests.model.registry import FLAVOURS, MODELS, model_of
from tests.model.route_model import Flavour, Part, RouteModel, Setting
from tests.objects import Object

PREFIXES = often(
    *("/chat", "/team/chat", "/team/v1.0/chat", "/", "/chat/ws", "/my%20chat", "/bot"),
    usually=("/chat", "/team/chat", "/"),
)


@dataclass(frozen=True)
class Scene:
    """The objects of one namespace (and of one with Gateways), as JSON."""

    text: str

    @property
    def objects(self) -> list[Object]:
        """All of them, the ChainlitApp too."""
        found: list[Object] = json.loads(self.text)
        return found

    @property
    def routes(self) -> list[Object]:
        """The routes by which users may come."""
        return [found for found in self.of(*MODELS) if model_of(found).is_entry(found)]

    @property
    def cast(self) -> list[Object]:
        """The routes, and the objects that they name."""
        return [found for found in self.objects if found["kind"] not in ("Deployment", "Service", "ChainlitApp")]

    def of(self, *kinds: str) -> list[Object]:
        """Those of some kinds."""
        return [found for found in self.objects if found["kind"] in kinds]

    def played(self, namespace: str, host: str) -> Scene:
        """The same scene in another namespace, for another host."""
        return Scene(self.text.replace(NAMESPACE, namespace).replace(HOST, host))


@dataclass(frozen=True)
class Stage:
    """What a scene may hold: ``flavours`` of routes, and whether all is so that a real Traefik plays it."""

    flavours: tuple[str, ...]
    is_real: bool = False

    @classmethod
    def of(cls, *kinds: str) -> Stage:
        """The stage for all flavours of some kinds, each with its weight."""
        found = [flavour for model, flavour in FLAVOURS.values() if model.kind in kinds]
        return cls(tuple(flavour.name for flavour in found for _ in range(flavour.weight)))


ANY = Stage.of(*MODELS)
REAL = Stage(tuple(name for name, (_, flavour) in FLAVOURS.items() if flavour.is_real), is_real=True)


def scenes(stage: Stage = ANY) -> SearchStrategy[Scene]:
    """Scenes for a stage."""
    return _scenes(stage)


@dataclass(frozen=True)
class Cast:
    """Routes of one kind, and the objects that they may name."""

    model: RouteModel
    companions: tuple[Object, ...]
    routes: tuple[Object, ...]


@st.composite
def _scenes(draw: DrawFn, stage: Stage) -> Scene:
    model, flavour = FLAVOURS[draw(st.sampled_from(stage.flavours))]
    prefix = draw(PREFIXES)
    casts = [draw(_cast(model, flavour, prefix, stage))]
    if casts[0].routes and not stage.is_real:
        casts += draw(_neighbours(flavour, prefix, stage))
    routes = [route for cast in casts for route in cast.routes]
    for number, route in enumerate(routes):
        route["metadata"]["name"] = f"route-{number}"
    objects = [
        draw(_deployment(stage)),
        *draw(_services(stage)),
        *(companion for cast in casts for companion in cast.companions),
        *routes,
        *(found for cast in casts if not stage.is_real for found in draw(cast.model.surroundings())),
        draw(_app(model.kind, stage)),
    ]
    return Scene(json.dumps(_each_once(make.stored(found, NAMESPACE) for found in objects)))


def _each_once(objects: Iterable[Object]) -> list[Object]:
    """The first of those with one name: casts share what they name alike."""
    found: dict[tuple[str, ...], Object] = {}
    for one in objects:
        found.setdefault((one["kind"], one["metadata"]["namespace"], one["metadata"]["name"]), one)
    return [*found.values()]


@st.composite
def _cast(draw: DrawFn, model: RouteModel, flavour: Flavour, prefix: str, stage: Stage) -> Cast:
    companions = tuple(draw(model.companions(prefix, flavour.name)))
    setting = Setting(prefix, flavour.name, stage.is_real, companions)
    count = 1 if stage.is_real else draw(often(0, usually=(*(1,) * 10, 2), odds=40))
    routes = [draw(model.route(setting)) for _ in range(count)]
    if routes and flavour.is_split and not stage.is_real:
        routes += draw(_split(model, routes[0], prefix))
    return Cast(model, companions, tuple(routes))


@st.composite
def _split(draw: DrawFn, model: RouteModel, route: Object, prefix: str) -> list[Object]:
    """Seldom, further routes for parts of the app, like the route but for their paths, or without its annotations."""
    number = draw(often(1, 1, 2, usually=(0,), odds=3, calm=1))
    return [draw(model.part(route, draw(_part(prefix.rstrip("/"))))) for _ in range(number)]


@st.composite
def _part(draw: DrawFn, base: str) -> Part:
    text = base + draw(often("/bot", "", "/wsx", "/", usually=(*OWN_PATHS, "/slack/events", "/public"), odds=1))
    is_exact = draw(often(True, usually=(False,)))
    return Part(text or "/", is_exact, draw(often("missing", "chat-2", usually=("chat",), odds=20)))


@st.composite
def _neighbours(draw: DrawFn, flavour: Flavour, prefix: str, stage: Stage) -> list[Cast]:
    """Seldom, routes of another kind at the same edge, for a part of the app or for all of it."""
    if not flavour.beside or not draw(often(True, usually=(False,), odds=3, calm=1)):
        return []
    model, other = FLAVOURS[draw(st.sampled_from(flavour.beside))]
    path = prefix.rstrip("/") + draw(often("", usually=OWN_PATHS, odds=1))
    return [draw(_cast(model, other, path or "/", stage))]


@st.composite
def _deployment(draw: DrawFn, stage: Stage) -> Object:
    # In a real cluster one workload plays all scenes: it never has a value of its own that the app could keep.
    env: Object = {} if stage.is_real else draw(often({"CHAINLIT_ROOT_PATH": "/old"}, usually=({},)))
    return make.workload(make.container(env=env))


@st.composite
def _services(draw: DrawFn, stage: Stage) -> list[Object]:
    selectors = {"chat": "chat", "chat-2": "chat", "other": "other"}
    if not stage.is_real:
        selectors["chat"] = draw(often("other", usually=("chat",), odds=30))
        for name in draw(often(("chat", "chat-2"), ("chat",), ("other",), usually=((),))):
            del selectors[name]
    return [make.service(name, app) for name, app in selectors.items()]


@st.composite
def _app(draw: DrawFn, kind: str, stage: Stage) -> Object:
    name = draw(often("missing", usually=("", "", "route-0"), odds=40))
    if stage.is_real:
        name = ""
    route: Object = {"route": {"ref": {"kind": kind, "name": name}}} if name else {}
    return make.chainlit_app(**route)
