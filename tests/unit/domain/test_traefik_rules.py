"""Rules of Traefik's routers."""

from __future__ import annotations

import pytest

from chainlit_operator.domain import traefik_rules


@pytest.mark.parametrize(
    ("host", "path", "rules"),
    [
        (
            "example.com",
            "/chat",
            (
                'Host("example.com") && PathPrefix("/chat")',
                'Host("example.com") && (Path("/chat") || PathPrefix("/chat/"))',
            ),
        ),
        ("", "/chat/", ('PathPrefix("/chat/")', '(Path("/chat") || PathPrefix("/chat/"))')),
        ("", "/", ('PathPrefix("/")', 'PathPrefix("/")')),
    ],
)
def test_the_priority_of_an_ingress_is_the_length_of_its_rule(host: str, path: str, rules: tuple[str, str]) -> None:
    assert traefik_rules.usual_priority(host, path) == len(rules[0])
    assert traefik_rules.possible_priorities(host, path) == (len(rules[0]), len(rules[1]))
