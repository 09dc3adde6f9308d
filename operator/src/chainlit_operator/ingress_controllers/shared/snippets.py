"""Snippets: parts of a proxy's own configuration in annotations, and the test whether they change a path."""

from __future__ import annotations

import re

#: NGINX's ``rewrite`` directive redirects if its last word is one of these, or its replacement begins with an origin.
_REDIRECTS = frozenset({"redirect", "permanent"})
_ORIGINS = ("http://", "https://", "$scheme")
#: Actions of HAProxy's http-request.
_HAPROXY_ACTIONS = frozenset({"set-path", "set-pathq", "set-uri", "replace-path", "replace-pathq", "replace-uri"})
#: The longest snippet that is parsed, in characters; a longer one counts as a rewrite if it contains the word.
MAX_SNIPPET = 16_384
_COMMENT = re.compile(r"(?:^|\s)#.*")
_PIECE = re.compile(r"[^;{}]+|[;{}]")


def may_rewrite(snippet: str) -> bool:
    """Whether a snippet of HAProxy's or NGINX's configuration may change the path of a request."""
    return _is_rewritten_by_haproxy(snippet) or _is_rewritten_by_nginx(snippet)


def _is_rewritten_by_haproxy(snippet: str) -> bool:
    """Whether a line of HAProxy's configuration changes the path of a request."""
    lines = (line.split() for line in snippet.splitlines())
    return any(words[0] == "http-request" and words[1] in _HAPROXY_ACTIONS for words in lines if len(words) > 1)


def _is_rewritten_by_nginx(snippet: str) -> bool:
    """Whether an NGINX directive changes the path of a request; those in a ``location`` block are for other paths."""
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
