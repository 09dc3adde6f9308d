"""Snippets of a proxy's own configuration: which of them may change a path."""

from __future__ import annotations

import pytest

from chainlit_operator.ingress_controllers.shared.snippets import MAX_SNIPPET, may_rewrite

LONG = "rewrite /a /b permanent; "


@pytest.mark.parametrize(
    ("snippet", "expected"),
    [
        pytest.param("http-request set-path", True, id="HAProxy"),
        pytest.param("http-request set-header X Y", False, id="HAProxy, a header"),
        pytest.param("http-response set-path /x", False, id="HAProxy, a response"),
        pytest.param("http-request", False, id="HAProxy, cut off"),
        pytest.param("rewrite ^/chat(.*) /$1 break;", True, id="NGINX"),
        pytest.param("proxy_buffering off;\nrewrite ^/chat(.*) /$1;", True, id="NGINX, the second line"),
        pytest.param("# a comment\nrewrite ^/chat(.*) /$1;", True, id="NGINX, after a comment"),
        pytest.param("# rewrite ^/chat(.*) /$1;", False, id="NGINX, a comment"),
        pytest.param("rewrite ^ /new redirect;", False, id="NGINX, a redirect"),
        pytest.param('rewrite ^ "https://new.example/";', False, id="NGINX, a redirect to an origin"),
        pytest.param("rewrite ^ /new https://flag;", True, id="NGINX, an origin where a flag belongs"),
        pytest.param("location /x { rewrite ^ /y; }", False, id="NGINX, another location"),
        pytest.param("if ($a) { rewrite ^ /y; }", True, id="NGINX, a condition"),
        pytest.param("location /x { a b; }\nrewrite ^ /y;", True, id="NGINX, after a location"),
        pytest.param(LONG.ljust(MAX_SNIPPET), False, id="as long as it is read"),
        pytest.param(LONG.ljust(MAX_SNIPPET + 1), True, id="longer than it is read"),
    ],
)
def test_a_snippet_counts_as_a_rewrite_if_it_may_change_a_path(snippet: str, expected: bool) -> None:
    assert may_rewrite(snippet) is expected
