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
#: Of hosts and headers, of what is logged, and of redirects from the root.
_HARMLESS = re.compile(r"host|header|response|log|app-root", re.IGNORECASE)
_SNIPPETS = ("snippet", "snippets", "config-backend")
#: That of a request of NGINX's own, which is no browser's.
_AUTH_SNIPPET = "auth-snippet"
#: With one of these at its end, or such a beginning of what takes the path's place, NGINX's directive redirects.
_REDIRECTS = frozenset({"redirect", "permanent"})
_ORIGINS = ("http://", "https://", "$scheme")
_HAPROXY_ACTIONS = frozenset(
    {"set-path", "set-pathq", "set-uri", "replace-path", "replace-pathq", "replace-uri"}  # of http-request
)
#: The longest piece of configuration that is read, in characters; longer ones are judged by whether they have the word.
MAX_SNIPPET = 16_384
_COMMENT = re.compile(r"(?:^|\s)#.*")
_PIECE = re.compile(r"[^;{}]+|[;{}]")


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
    if name.endswith(_SNIPPETS):
        return name != _AUTH_SNIPPET and (_is_rewritten_by_haproxy(value) or _is_rewritten_by_nginx(value))
    is_named = key in MAY_REWRITE or (_REWRITES.search(name) is not None and _HARMLESS.search(name) is None)
    return is_named and value.strip().lower() not in _OFF


def _is_rewritten_by_haproxy(snippet: str) -> bool:
    """Whether a line of HAProxy's configuration changes the path of a request."""
    lines = (line.split() for line in snippet.splitlines())
    return any(words[0] == "http-request" and words[1] in _HAPROXY_ACTIONS for words in lines if len(words) > 1)


def _is_rewritten_by_nginx(snippet: str) -> bool:
    """Whether a directive of NGINX's changes the path of a request; those of a location of its own are another's."""
    if "rewrite" not in snippet or len(snippet) > MAX_SNIPPET:
        return "rewrite" in snippet
    text = "\n".join(_COMMENT.sub("", line) for line in snippet.splitlines())
    outside, words = [True], [""]
    for piece in _PIECE.findall(text):
        if piece == "{":
            outside.append(outside[-1] and words[0] != "location")
        elif piece == "}" and len(outside) > 1:
            outside.pop()
        elif piece not in ";}":
            words = piece.split() or [""]
            if outside[-1] and words[0] == "rewrite" and not _is_redirect(words):
                return True
    return False


def _is_redirect(words: list[str]) -> bool:
    return words[-1] in _REDIRECTS or any(word.strip("\"'").startswith(_ORIGINS) for word in words[2:3])
