"""Any route that Hypothesis makes: the operator blocks with a reason, or the address that it reports is served.

The judge is a model that routes single requests by the controllers' documented rules and answers them as Chainlit does
(``tests/model``); it shares no code with the operator. ``make served`` tries many more, with ``SERVED_KINDS``, such as
"Ingress HTTPRoute", routes of these kinds only.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, given, settings
from tests.model import judge
from tests.model.chainlit import Chainlit
from tests.model.registry import model_of
from tests.model.scenes import ANY, Scene, Stage, scenes
from tests.objects import Object
from tests.records import app_record, record

from chainlit_operator.domain.alignment import Apply
from chainlit_operator.domain.decide import Decision, decide
from chainlit_operator.domain.model import Snapshot
from chainlit_operator.domain.reasons import Reason
from chainlit_operator.domain.resolution import Unresolved
from chainlit_operator.object_ref import Ref
from chainlit_operator.state import State

#: What a route can be blocked for; each occurs in the long run.
REASONS = {
    *(Reason.ROUTE_NOT_FOUND, Reason.ROUTE_AMBIGUOUS, Reason.ROUTE_WITHOUT_BACKEND, Reason.SERVICE_NOT_FOUND),
    *(Reason.SEVERAL_PATHS, Reason.EXACT_PATH, Reason.PATH_NOT_SUPPORTED, Reason.REGULAR_EXPRESSION_PATH),
    *(Reason.REWRITE_UNKNOWN, Reason.REWRITE_NOT_SUPPORTED, Reason.MIDDLEWARE_NOT_FOUND, Reason.CONDITIONAL_MATCH),
    *(Reason.BACKEND_SHARED, Reason.PATH_SHADOWED, Reason.ROUTE_NOT_ACCEPTED, Reason.REDIRECTED_BY_ROUTE),
}
#: The same, so seldom that a few thousand scenes may have none.
SELDOM = {Reason.PATH_CLAIMED}
#: Reasons that occur although the model finds variables with which the app is served, where its route has one path.
CAUTIOUS_ALONE = {
    Reason.REGULAR_EXPRESSION_PATH: "an expression with a look-around is not run, and may be right",
    Reason.REWRITE_UNKNOWN: "the same of expressions in rewrites; and what a provider elsewhere holds is not read",
    Reason.SEVERAL_PATHS: "each alternative of an expression works: which is meant is not guessed",
}
#: The same where the route has more than one.
CAUTIOUS = CAUTIOUS_ALONE | {
    Reason.ROUTE_AMBIGUOUS: "the same of routes",
    Reason.PATH_CLAIMED: "another route has the same place, and the model looks at one route only",
    Reason.REWRITE_NOT_SUPPORTED: "the same of paths that are rewritten each in its own way",
    Reason.PATH_SHADOWED: "controllers differ in who gets a request, and Chainlit has more routes than a visit needs",
    Reason.BACKEND_SHARED: "the shared path is another one, from which users would get half an app",
    Reason.ROUTE_WITHOUT_BACKEND: "the path without a Service is another one, from which users would get nothing",
    Reason.MIDDLEWARE_NOT_FOUND: "the path with the missing Middleware is another one, which is broken too",
    Reason.PATH_NOT_SUPPORTED: "the path that cannot be served is another one, at which users would get nothing",
    Reason.ROUTE_NOT_ACCEPTED: "the path that the controller refuses is another one, at which users get nothing",
    Reason.EXACT_PATH: "the same; rules for one method each, or a default backend, may serve the app beside it",
    Reason.CONDITIONAL_MATCH: "a rule for the app asks for something that a browser's visit happens to have",
}


def snapshot_of(objects: list[Object]) -> Snapshot:
    """What the operator knows of the objects, from the bytes that the API server sends."""
    told: list[Ref] = []
    cache = State(told.append)
    app = next(app_record(found) for found in objects if found["kind"] == "ChainlitApp")
    for found in objects:
        if found["kind"] != "ChainlitApp":
            cache.upsert(record(found))
    cache.put_app(app)
    return cache.snapshot(app)


def decided(scene: Scene) -> Decision:
    """What the operator decides."""
    return decide(snapshot_of(scene.objects))


def as_run(scene: Scene, decision: Decision) -> Chainlit:
    """The app as it runs once the plan is carried out."""
    container = scene.of("Deployment")[0]["spec"]["template"]["spec"]["containers"][0]
    env = {entry["name"]: entry["value"] for entry in container["env"]}
    if isinstance(decision.action, Apply):
        env |= dict(decision.action.env)
    return Chainlit(env.get("CHAINLIT_ROOT_PATH", ""), env.get("CHAINLIT_PARENT_ROOT_PATH", ""))


def own_routes(scene: Scene) -> list[Object]:
    """The routes that are the app's: the one that it names, or all."""
    wanted = scene.of("ChainlitApp")[0]["spec"].get("route", {}).get("ref", {}).get("name")
    return [route for route in scene.routes if wanted in (None, route["metadata"]["name"])]


def verdict(scene: Scene) -> str:
    """Say what became of a scene; fails if what the operator reports is not served, or it blocks without need."""
    decision = decided(scene)
    found = decision.route
    if isinstance(found, Unresolved):
        assert found.reason in REASONS | SELDOM and len(found.message) > 20
        return blocked(scene, found)
    route = next(o for o in scene.of(found.status.kind) if o["metadata"]["name"] == found.status.name)
    chainlit = as_run(scene, decision)
    # A route without a host is for any that no other one has.
    host = found.status.host.replace("*", "some") or "no.rule.names.it"
    url = found.url or (f"http://{host}{found.public_prefix}/" if model_of(route).is_for_any_host else "")
    beside = [other for other in own_routes(scene) if other != route and judge.is_whole(other, scene.objects)]
    if url:
        trouble = judge.trouble(judge.Answer(url, chainlit), route, scene.objects, beside)
        assert not trouble, f"{url}: {trouble}"
    if found.url:
        return "served by several routes" if beside else "served"
    for url in judge.addresses(route, scene.objects, found.public_prefix):
        is_served = not judge.trouble(judge.Answer(url, chainlit), route, scene.objects, beside)
        assert not is_served, f"served at {url}, which is not reported"
    return "served, without an address"


def blocked(scene: Scene, found: Unresolved) -> str:
    own = own_routes(scene)
    answer = next(judge.answers(scene.objects, own), None)
    if answer is None:
        return str(found.reason)
    if len(own) == 1:  # where none of several routes is right, the decision names what is wrong with the first
        # Another route may take requests of the one that the app names.
        is_alone = model_of(own[0]).is_single(own[0], scene.objects) and len(scene.routes) == 1
        allowed = CAUTIOUS_ALONE if is_alone else CAUTIOUS
        assert found.reason in allowed, f"{found} although {answer} is served"
    return f"{found.reason}, out of caution"


def play(examples: int, stage: Stage, **how: Any) -> Counter[str]:
    """Try scenes and count what became of them."""
    seen: Counter[str] = Counter()

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck), **how)
    @given(scenes(stage))
    def every(scene: Scene) -> None:
        seen[verdict(scene)] += 1

    every()
    return seen


def told(seen: Counter[str]) -> str:
    total = seen.total()
    return "\n".join(f"{count:7} {100 * count / total:5.1f} %  {what}" for what, count in sorted(seen.items()))


def share(seen: Counter[str], words: str) -> float:
    return sum(count for what, count in seen.items() if words in what) / seen.total()


def test_blocked_or_served() -> None:
    """Always the same scenes, unless ``SERVED_EXAMPLES`` asks for others."""
    examples = int(os.environ.get("SERVED_EXAMPLES", "0"))
    kinds = os.environ.get("SERVED_KINDS", "").split()
    seen = play(examples or 400, Stage.of(*kinds) if kinds else ANY, derandomize=not examples)
    print(told(seen))
    if examples >= 1000:  # the shares of fewer scenes scatter, because Hypothesis makes some of others
        # Three fifths of what is made has an answer; were it less than half, too little of the rules would be played.
        assert share(seen, "served") >= 0.5, told(seen)
        assert share(seen, "caution") < 0.15, told(seen)
    if examples >= 5000 and not kinds:
        assert {what.partition(",")[0] for what in seen} >= {str(reason) for reason in REASONS}, told(seen)
