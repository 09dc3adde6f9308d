"""Traefik Middlewares: a route with the transforms of those that it names."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.domain.world import composed, ingress, middleware, path

from chainlit_operator.domain.middlewares import MAX_EXPRESSIONS
from chainlit_operator.domain.redirects import RedirectRegex
from chainlit_operator.domain.rewrites import (
    AddPrefix,
    Missing,
    ReplaceMatch,
    RewriteWholePath,
    StripPrefix,
    StripPrefixRegex,
    Unknown,
    count_expressions,
)
from chainlit_operator.object_ref import Ref

OWN, STRIP, ADD = AddPrefix("/own"), StripPrefix(("/chat",)), AddPrefix("/x")
NAMES_TWO = path(transforms=(OWN,), middlewares=("shop-strip", "shop-add"))
PLAIN = path("/chat/ws", transforms=(OWN,))
ONE_KEY = (middleware("a-b", STRIP), replace(middleware("b", ADD), ref=Ref("Middleware", "shop-a", "b")))
NAMES_ONE = path(middlewares=("shop-a-b",))


def test_transforms_take_the_place_of_keys() -> None:
    route = ingress(NAMES_TWO, PLAIN)
    found = composed(route, middleware("strip", STRIP), middleware("add", ADD))
    assert found == replace(route, paths=(replace(NAMES_TWO, transforms=(OWN, STRIP, ADD), middlewares=()), PLAIN))


def test_a_route_without_middlewares_stays_as_it_is() -> None:
    route = ingress(PLAIN)
    assert composed(route, middleware("strip", STRIP)) is route


def test_one_that_does_not_exist_is_missing() -> None:
    (found,) = composed(ingress(path(middlewares=("shop-none",)))).paths
    assert found.transforms == (Missing("shop-none"),)


def test_a_member_of_a_chain_that_does_not_exist_is_missing() -> None:
    chain = middleware("all", chain=("shop-strip", "team-none"))
    (found,) = composed(ingress(path(middlewares=("shop-all",))), chain, middleware("strip", STRIP)).paths
    assert found.transforms == (Missing("team-none"),)


def test_a_chain_of_itself_is_missing() -> None:
    chains = (middleware("a", chain=("shop-b",)), middleware("b", chain=("shop-a",)))
    (found,) = composed(ingress(path(middlewares=("shop-a",))), *chains).paths
    assert found.transforms == (Missing("shop-a"),)


def test_many_expressions_are_unknown() -> None:
    few, many = (StripPrefixRegex(tuple(f"/{n}" for n in range(count))) for count in (MAX_EXPRESSIONS, 11))
    (found,) = composed(ingress(path(middlewares=("shop-few",))), middleware("few", few)).paths
    assert found.transforms == (few,)
    (found,) = composed(ingress(path(middlewares=("shop-many",))), middleware("many", many)).paths
    assert found.transforms == (Unknown("more than 10 regular expressions in Traefik Middlewares"),)
    mixed = (RedirectRegex("x", "a", "b"), ReplaceMatch("a", "b"), RewriteWholePath("a", "b"))
    assert count_expressions((*mixed, few, STRIP)) == 3 + MAX_EXPRESSIONS


def test_two_of_one_key_are_unknown_where_they_differ() -> None:
    (found,) = composed(ingress(NAMES_ONE), *ONE_KEY).paths
    assert found.transforms == (Unknown("two Traefik Middlewares called shop-a-b"),)
    chains = [replace(each, transforms=(), chain=(f"shop-{n}",)) for n, each in enumerate(ONE_KEY)]
    (found,) = composed(ingress(NAMES_ONE), *chains).paths
    assert found.transforms == (Unknown("two Traefik Middlewares called shop-a-b"),)
    alike = [replace(each, transforms=(STRIP,)) for each in ONE_KEY]
    (found,) = composed(ingress(NAMES_ONE), *alike).paths
    assert found.transforms == (STRIP,)
