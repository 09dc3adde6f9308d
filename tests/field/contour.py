"""Set-ups with HTTPProxies of Contour."""

from __future__ import annotations

from tests import objects
from tests.field.building import AT_CHAT, HOST, NAMESPACE, STRIPPED, Expected, chat, plain
from tests.objects import Object, http_proxy, proxy_route, replace_prefix

INFRA = {"namespace": f"infra-{NAMESPACE}"}


def proxy(*routes: Object) -> Object:
    """Return an HTTPProxy of the set-up's host."""
    return http_proxy(*routes, fqdn=HOST)


def root(prefix: str) -> Object:
    """Return an HTTPProxy of another namespace that includes the app's below a prefix."""
    includes = [objects.include("chat", prefix, namespace=NAMESPACE)]
    return http_proxy(name="root", fqdn=HOST, includes=includes, metadata=INFRA)


CONTOUR = (
    plain("httpproxy", "An HTTPProxy", "The operator follows it.", AT_CHAT, proxy(proxy_route())),
    plain(
        "httpproxy-chart",
        "An HTTPProxy with an exact path and a prefix with a slash, as the app chart makes it",
        "The path is `/chat`.",
        AT_CHAT,
        proxy(proxy_route("", {"exact": "/chat"}), proxy_route("/chat/")),
    ),
    plain(
        "httpproxy-strip",
        "An HTTPProxy with `replacePrefix` `/`",
        "The path is stripped.",
        STRIPPED,
        proxy(proxy_route(**replace_prefix("/"))),
    ),
    plain(
        "httpproxy-no-websockets",
        "An HTTPProxy without `enableWebsockets`",
        "The path is `/chat`. A condition names the field, because Contour refuses the WebSocket.",
        Expected(root="/chat", parent="", says="enableWebsockets"),
        proxy(proxy_route(enableWebsockets=None)),
    ),
    plain(
        "httpproxy-no-affinity",
        "Two replicas behind an HTTPProxy without a `loadBalancerPolicy`",
        "The path is `/chat`. A condition names the field.",
        Expected(root="/chat", parent="", says="loadBalancerPolicy"),
        chat(replicas=2),
        proxy(proxy_route()),
    ),
    plain(
        "httpproxy-included",
        "An HTTPProxy that one of another namespace includes below `/team`",
        "The path is `/team/chat`.",
        Expected(root="/team/chat", parent=""),
        root("/team"),
        http_proxy(proxy_route(), fqdn=None),
    ),
    plain(
        "httpproxy-orphan",
        "An HTTPProxy without a virtual host that no other includes",
        "A condition says so, and nothing is written.",
        Expected(is_written=False, says="Include it in an HTTPProxy"),
        http_proxy(proxy_route(), fqdn=None),
    ),
)
