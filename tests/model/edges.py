"""The edges: ingress and gateway controllers, named by the domain of their annotations or API.

An edge routes single requests by the documented rules of its controller; the file of each kind says how it reads a
route of that kind. A request goes to a Service with some path, or nowhere. Where documentation leaves a choice to
implementations, or weights leave it to chance, all outcomes are possible.

Nothing of the model is shared with the operator, which reduces a route to two prefixes; here expressions are run, and
rewrites happen to real paths.
"""

from __future__ import annotations

#: The precedence of a claim on Traefik is the priority of its router, and nothing else.
TRAEFIK = "traefik.ingress.kubernetes.io"
#: On other edges an Ingress claims by host (0 exact, -1 wildcard, -2 any), 1 (0 of a default backend), and path.
NGINX, F5 = "nginx.ingress.kubernetes.io", "nginx.org"
HAPROXY_INGRESS, HAPROXY, KONG = "haproxy-ingress.github.io", "haproxy.org", "konghq.com"
ALB, GKE, AGIC = "alb.ingress.kubernetes.io", "networking.gke.io", "appgw.ingress.kubernetes.io"
OPENSHIFT = "haproxy.router.openshift.io"
ISTIO, CILIUM, TAILSCALE, CONTOUR = "istio.io", "cilium.io", "tailscale.com", "projectcontour.io"
#: Any implementation of the Gateway API that keeps to its specification.
ENVOY = "envoy"
#: A gateway of Istio. A VirtualService claims there by the host of its routes, and last if it is for every path.
ISTIO_GATEWAY = "gateways.networking.istio.io"
