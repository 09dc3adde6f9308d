"""A candidate: one route that may be the app's, with the values that rules and routes read together need.

Each value is computed once, when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property

from chainlit_operator.domain import chainlit, paths, redirects, rewrites
from chainlit_operator.domain.endpoint import Endpoint, paths_to, target_of
from chainlit_operator.domain.model import (
    Matching,
    Rewrite,
    Route,
    RoutePath,
    Service,
    Snapshot,
    backend_name,
    backend_ref,
)
from chainlit_operator.domain.place import Place, place_of, stated_url, without_mount
from chainlit_operator.domain.resolution import path_overrides
from chainlit_operator.domain.resolution.origin import origin_of
from chainlit_operator.domain.route_paths import METHOD_CONDITION, is_own_route, prefixes_of

#: The most different rewrites by expressions that are run for one route; the result of others is unknown.
MAX_REWRITES = 10
#: Conditions of rules that together take every request of a browser.
METHODS = {f"{METHOD_CONDITION}{method}": method for method in chainlit.METHODS}


class Candidate:
    """One route that may be the app's, with the values that several rules need."""

    def __init__(self, snapshot: Snapshot, route: Route, endpoint: Endpoint, *, only: str | None = None) -> None:
        self.snapshot, self.route, self.endpoint = snapshot, route, endpoint
        #: The one prefix that counts, where a path has several.
        self._only = only
        namespace = route.ref.namespace
        self.services: Mapping[str, Service] = {backend_name(namespace, s.ref): s for s in snapshot.services}
        #: The paths that lead to the app's pods, each with the pods' port (None: the Service has no such port).
        self.targets = [(path, target_of(service, path.port)) for path, service in paths_to(route, snapshot.services)]
        self._rewritten: dict[tuple[str, tuple[rewrites.Transform, ...], tuple[str, ...]], str | None] = {}
        self.own_paths = [path for path, target in self.targets if endpoint.counts(target)]

    @property
    def elsewhere(self) -> str:
        """The namespace of the route, empty if it is that of the app."""
        namespace = self.route.ref.namespace
        return "" if namespace == self.snapshot.app.ref.namespace else namespace

    @property
    def shown_services(self) -> list[str]:
        """The Services of the route that a message may name: of a route elsewhere only those of the app's namespace."""
        own = self.snapshot.app.ref.namespace
        names = ((name, backend_ref(self.route.ref.namespace, name)) for name in sorted(self.route.services))
        return [name for name, service in names if own in (self.route.ref.namespace, service.namespace)]

    @cached_property
    def whole_paths(self) -> list[RoutePath]:
        """The app's paths that take every request; rules for each of Chainlit's methods, otherwise alike, count as
        one.
        """
        return list(_unconditional(self.own_paths))

    @cached_property
    def covering(self) -> list[RoutePath]:
        """The app's paths that let everything below them through."""
        return [path for path in self.whole_paths if path.matching is not Matching.EXACT]

    @cached_property
    def by_prefix(self) -> dict[str, RoutePath]:
        """The first covering path of each prefix."""
        return {prefix: path for path in reversed(self.covering) for prefix in self._prefixes(path)}

    def _prefixes(self, path: RoutePath) -> list[str]:
        """The prefixes of a path, without those that lie below another one and are rewritten as it is."""
        prefixes, found = prefixes_of(path), dict[str, str | None]()
        if self._only is not None:
            return [prefix for prefix in prefixes if prefix == self._only]
        if len(prefixes) == 1:
            return [*prefixes]
        for prefix in prefixes:
            arriving = self.arriving(path, prefix)
            if not any(
                paths.is_below(prefix, top) and at is not None and arriving == at + prefix.removeprefix(top)
                for top, at in found.items()
            ):
                found[prefix] = arriving
        return list(found)

    @cached_property
    def stated_prefix(self) -> str | None:
        """The prefix of the covering paths that serves the stated URL; None if none or several do, or none is stated.

        The edge takes the longest one that is above the URL's path. Behind a proxy that removes the beginning of that
        path, it is the only one that is the path's end. Paths of the URL's host count, if there are any.
        """
        spec = self.snapshot.app.spec
        url = stated_url(spec.url)
        if url is None:
            return None
        opened = without_mount(url.prefix, spec.mount_path)
        at_host = {prefix for path in self.covering if _is_of(path.host, url.host) for prefix in self._prefixes(path)}
        prefixes = at_host or self.by_prefix.keys()
        above = [prefix for prefix in prefixes if paths.is_below(opened, prefix)]
        if above:
            return max(above, key=len)
        ends = [prefix for prefix in prefixes if opened.endswith(prefix)]
        return ends[0] if len(ends) == 1 else None

    @cached_property
    def public_prefix(self) -> str:
        """The prefix that serves the stated URL, else the shortest prefix of the covering paths."""
        return min(self.by_prefix, key=len) if self.stated_prefix is None else self.stated_prefix

    def is_own(self, prefix: str) -> bool:
        """Return whether a prefix is the route's or the chat's, or one of Chainlit's own routes below either."""
        return is_own_route(prefix, self.public_prefix) or is_own_route(prefix, self.chat_prefix)

    @cached_property
    def parts(self) -> list[RoutePath]:
        """The covering paths for the app's place; a stated URL leaves out others."""
        if self.stated_prefix is None:
            return self.covering
        return [path for path in self.covering if any(map(self.is_own, self._prefixes(path)))]

    @cached_property
    def chosen(self) -> RoutePath:
        """The path that represents all paths of the app."""
        return self.by_prefix[self.public_prefix]

    @cached_property
    def origin(self) -> str:
        """What comes between ``http`` and the path of the URL of the chosen path; empty if it has no address."""
        return origin_of(self.route, self.chosen)

    @cached_property
    def serving_hosts(self) -> dict[str, RoutePath]:
        """Every host that serves the app, with its first path: the status has one host, but people open them all."""
        return {path.host: path for path in reversed(self.covering) if self.public_prefix in prefixes_of(path)}

    @cached_property
    def overriding(self) -> list[RoutePath]:
        """Other paths of the route that take requests away from those that serve the app."""
        # By identity: comparing thousands of paths with each other takes seconds.
        known, serving = {id(path) for path in self.parts}, self.serving_hosts
        seen: set[str] = set()
        found = []
        for path in self.route.paths:
            if path is serving.get(path.host):
                seen.add(path.host)
            if id(path) in known:
                continue
            is_before = path.host not in seen
            if any(
                path_overrides.takes(self.route.precedence, path, mine, self.chat_prefix, is_before=is_before)
                for mine in path_overrides.beside(path, serving)
            ):
                found.append(path)
        return found

    @cached_property
    def serving(self) -> list[RoutePath]:
        """All paths that decide about the app's requests; the chosen one first."""
        return [self.chosen, *(path for path in self.parts if path is not self.chosen), *self.overriding]

    @cached_property
    def backend_prefix(self) -> str:
        """The prefix that the backend receives for the chosen path. Earlier rules ensure that there is one."""
        return self.arriving(self.chosen, self.public_prefix) or ""

    @property
    def prefixes(self) -> tuple[str, str]:
        """The public prefix, and the prefix that the backend receives for it."""
        return self.public_prefix, self.backend_prefix

    def has_port(self, path: RoutePath) -> bool:
        """Return whether the Service of one of the app's paths has the port that the path names."""
        return self.services[path.service].port_of(path.port) is not None

    def arriving(self, path: RoutePath, prefix: str, requests: tuple[str, ...] = chainlit.REQUESTS) -> str | None:
        """Return the prefix that the backend receives for a prefix of a path; None if there is no such prefix.

        Only these of Chainlit's requests count. No rewrite without an expression tells them apart.
        """
        if self.is_rewrite_stated:
            return "" if self.snapshot.app.spec.rewrite is Rewrite.STRIP else prefix
        if not rewrites.count_expressions(path.transforms):
            return rewrites.backend_prefix(prefix, path.transforms)
        key = (prefix, path.transforms, requests)
        if key not in self._rewritten and len(self._rewritten) < MAX_REWRITES:
            self._rewritten[key] = rewrites.backend_prefix(*key)
        return self._rewritten.get(key)

    def transforms(self) -> tuple[rewrites.Transform, ...]:
        """Return the transforms of the chosen path; none if the spec states the rewrite."""
        return () if self.is_rewrite_stated else self.chosen.transforms

    @property
    def missing_middleware(self) -> str:
        """The key of the first Middleware that the chosen path needs and that is not there; empty if all are."""
        return next((found.what for found in self.transforms() if isinstance(found, rewrites.Missing)), "")

    @property
    def is_rewrite_stated(self) -> bool:
        """Whether the spec says what arrives at the app, so that the rewrites of the route decide nothing."""
        spec = self.snapshot.app.spec
        return spec.rewrite is not Rewrite.AUTO or spec.backend_path is not None

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach the route by https."""
        return any(origin.is_secure for origin in self.route.origins)

    @cached_property
    def only_redirects(self) -> bool:
        """Whether the route is for http alone, and sends all requests for the app to https."""
        found = {path.transforms: None for path in self.own_paths}
        return not self.is_secure and all(any(map(_is_to_https, transforms)) for transforms in found)

    @cached_property
    def place(self) -> Place | None:
        """The place that counts; None if the route does not serve the stated URL."""
        return place_of(self.snapshot.app.spec, self.public_prefix, self.backend_prefix)

    @property
    def chat_prefixes(self) -> tuple[str, str]:
        """The prefix of Chainlit's requests that the route gets, and the prefix that the backend receives for it."""
        return self.chat_prefix, self.backend_prefix + self.chat_prefix.removeprefix(self.public_prefix)

    @property
    def present_prefix(self) -> str | None:
        """The prefix at which the pods serve Chainlit now; None if it is not known, or not below the route's."""
        container = self.endpoint.container
        if container is None:
            return None
        variable = container.effective_root_path
        value = variable.value if variable is not None else ""
        if value is None or not paths.is_below(value, self.backend_prefix):
            return None
        return self.public_prefix + value.removeprefix(self.backend_prefix)

    @cached_property
    def chat_prefix(self) -> str:
        """The prefix of Chainlit's requests that the route gets, for the place that counts."""
        place = self.place or Place(*self.prefixes)
        top = place.public if paths.is_below(place.public, self.public_prefix) else self.public_prefix
        return top + paths.mounted(place.backend, self.snapshot.app.spec.mount_path).removeprefix(place.backend)


def _is_to_https(transform: rewrites.Transform) -> bool:
    return isinstance(transform, redirects.Redirect) and redirects.is_to_https(transform)


def _is_of(pattern: str, host: str) -> bool:
    """Whether a path of that host, which may be a wildcard, is for requests to a host."""
    return pattern in ("", host) or (pattern.startswith("*.") and host.endswith(pattern[1:]))


def _unconditional(own: Iterable[RoutePath]) -> Iterator[RoutePath]:
    methods: dict[RoutePath, set[str]] = {}
    for path in own:
        if not path.condition:
            yield path
        elif path.condition in METHODS:
            whole = replace(path, condition="")
            seen = methods.setdefault(whole, set())
            seen.add(path.condition)
            if len(seen) == len(METHODS):
                yield whole
