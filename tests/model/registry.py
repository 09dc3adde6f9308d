"""All kinds of routes, found in the package: each file of ``kinds/`` that has a ``MODEL`` is one."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import tests.model.kinds
from tests.model.route_model import Flavour, RouteModel
from tests.objects import Object


def _found() -> Iterator[RouteModel]:
    for info in pkgutil.iter_modules(tests.model.kinds.__path__, f"{tests.model.kinds.__name__}."):
        model = importlib.import_module(info.name).MODEL
        assert isinstance(model, RouteModel), info.name
        yield model


def _weight(model: RouteModel) -> int:
    return sum(flavour.weight for flavour in model.flavours)


#: By kind, the likeliest one first: Hypothesis shrinks towards it.
MODELS: dict[str, RouteModel] = {model.kind: model for model in sorted(_found(), key=_weight, reverse=True)}
#: By name, each with the model of its kind.
FLAVOURS: dict[str, tuple[RouteModel, Flavour]] = {
    flavour.name: (model, flavour) for model in MODELS.values() for flavour in model.flavours
}


def model_of(route: Object) -> RouteModel:
    """Return the model of a route's kind."""
    return MODELS[route["kind"]]
