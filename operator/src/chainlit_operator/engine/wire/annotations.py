"""Annotations of routes: the words that several controllers share, and rewrites that nothing here reads."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from chainlit_operator.domain import rewrites

KONG_STRIP = "konghq.com/strip-path"
F5_REGEX = "nginx.org/path-regex"
#: What rewrites in a way that cannot be told from the annotation alone, though its name does not say so.
MAY_REWRITE = frozenset({F5_REGEX, "appgw.ingress.kubernetes.io/backend-path-prefix"})
#: How much of an annotation is told, in characters.
SHOWN = 250

#: The words that ingress-nginx takes for true (``strconv.ParseBool``); Kong takes those that are "true" in lower case.
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_OFF = frozenset({"", "0", "f", "false", "no", "off"})
_REWRITES = re.compile(r"rewrite|strip", re.IGNORECASE)
_HARMLESS = frozenset({"enable-rewrite-log"})
#: NGINX's directive ends with one of these where it answers with a redirect, which leaves requests alone.
_REDIRECTS = frozenset({"redirect", "permanent"})
_HAPROXY_ACTIONS = frozenset(
    {"set-path", "set-pathq", "set-uri", "replace-path", "replace-pathq", "replace-uri"}  # of http-request
)


def is_true(value: str) -> bool:
    """Whether ingress-nginx takes a value for true."""
    return value in _TRUE


def kong_strips(annotations: Mapping[str, str]) -> bool:
    """Whether Kong takes the prefix that a rule matches off the path, of an Ingress or an HTTPRoute."""
    return annotations.get(KONG_STRIP, "").lower() == "true"


def unread(annotations: Mapping[str, str], read: Collection[str]) -> Iterator[rewrites.Unknown]:
    """What may rewrite a path, by its name or by the piece of configuration that it is, and is none of ``read``.

    Controllers have more such annotations than can be known, and one that is passed over leaves a chat dead that
    looks well from the Service.
    """
    for key, value in annotations.items():
        if key not in read and _may_rewrite(key, value):
            yield rewrites.Unknown(f"the annotation {key[:SHOWN]}: {value[:SHOWN]}")


def _may_rewrite(key: str, value: str) -> bool:
    name = key.rpartition("/")[2]
    if name == "skipper-filter":
        return "Path(" in value
    if name.endswith(("snippet", "snippets", "config-backend")):
        return any(map(_is_rewrite, re.split(r"[;\n]", value)))
    is_named = key in MAY_REWRITE or (_REWRITES.search(name) is not None and name not in _HARMLESS)
    return is_named and value.strip().lower() not in _OFF


def _is_rewrite(statement: str) -> bool:
    """Whether one statement of NGINX's or HAProxy's configuration changes the path of a request."""
    words = [word.strip("{}") for word in statement.split() if word.strip("{}")]
    if not words or words[0].startswith("#"):
        return False
    return ("rewrite" in words and words[-1] not in _REDIRECTS) or not _HAPROXY_ACTIONS.isdisjoint(words)
