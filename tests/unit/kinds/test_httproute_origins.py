"""The address of an HTTPRoute: that of the Gateway listener that serves it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.domain.world import ingress, path, snapshot

from chainlit_operator.domain.model import Attachment, Dependency, Gateway, Listener
from chainlit_operator.domain.resolution import Resolved, resolve
from chainlit_operator.kinds.routes import httproute
from chainlit_operator.object_ref import Ref

EDGE = "Gateway infra/edge"
WEB, TLS, ANY = (
    Listener("web", 80, "HTTP"),
    Listener("tls", 443, "HTTPS"),
    Listener("any", 8443, "HTTPS", "*.example.com"),
)


def gateway(*listeners: Listener, address: str = "") -> Gateway:
    return Gateway(Ref("Gateway", "infra", "edge"), "1", listeners, address)


@pytest.mark.parametrize(
    ("host", "attachment", "found", "url"),
    [
        ("a.example", Attachment(EDGE), gateway(WEB), "http://a.example/chat/"),
        ("a.example", Attachment(EDGE), gateway(TLS, WEB), "https://a.example/chat/"),
        ("a.example", Attachment(EDGE, section="web"), gateway(TLS, WEB), "http://a.example/chat/"),
        ("a.example", Attachment(EDGE, port=443), gateway(WEB, TLS), "https://a.example/chat/"),
        ("a.example", Attachment(EDGE), gateway(WEB, TLS), "https://a.example/chat/"),
        ("a.example.com", Attachment(EDGE), gateway(ANY), "https://a.example.com:8443/chat/"),
        ("a.example", Attachment(EDGE), gateway(ANY, WEB), "http://a.example/chat/"),
        ("a.example", Attachment(EDGE), gateway(Listener("tcp", 443, "TLS"), WEB), "http://a.example/chat/"),
        # A wildcard stands for several labels too.
        ("x.a.example.com", Attachment(EDGE), gateway(ANY), "https://x.a.example.com:8443/chat/"),
        ("example.com", Attachment(EDGE), gateway(ANY), None),
        ("aexample.com", Attachment(EDGE), gateway(ANY), None),
        ("*.a.example.com", Attachment(EDGE), gateway(ANY), None),
        # The narrower of two hosts counts.
        ("*.example.com", Attachment(EDGE), gateway(Listener("a", 80, "HTTP", "x.a.example.com")),
         "http://x.a.example.com/chat/"),
        ("*.example.com", Attachment(EDGE), gateway(Listener("a", 80, "HTTP", "b.example")), None),
        ("*.example.com", Attachment(EDGE), gateway(ANY, Listener("a", 80, "HTTP", "c.example.com")),
         "http://c.example.com/chat/"),
        ("*.example.com", Attachment(EDGE), gateway(WEB, address="192.0.2.1"), None),
        ("", Attachment(EDGE), gateway(ANY, WEB, address="192.0.2.1"), "http://192.0.2.1/chat/"),
        ("", Attachment(EDGE), gateway(ANY), None),
        ("", Attachment(EDGE), gateway(WEB, address="192.0.2.1"), "http://192.0.2.1/chat/"),
        ("", Attachment(EDGE), gateway(Listener("web", 80, "HTTP", "b.example")), "http://b.example/chat/"),
        ("a.example", Attachment(EDGE, section="none"), gateway(WEB), None),
        ("a.example", Attachment("Gateway infra/unread"), gateway(WEB), None),
    ],
)  # fmt: skip
def test_address_of_an_http_route_is_that_of_its_listener(
    host: str, attachment: Attachment, found: Gateway, url: str | None
) -> None:
    route = replace(
        ingress(path(host=host), attachments=(attachment,), dependencies=(Dependency("Gateway", "infra/edge"),)),
        ref=Ref("HTTPRoute", "shop", "chat"),
    )
    answer = resolve(snapshot(httproute.compose(route, lambda _: (found,))))
    assert isinstance(answer, Resolved)
    assert answer.url == url
    assert (answer.web_socket_url or "").startswith("wss" if (url or "").startswith("https") else "ws" if url else "")
