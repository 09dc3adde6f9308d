"""The cluster that the fuzzed object gets into: an app with its workload, and one rich object of each kind."""

from __future__ import annotations

from typing import Any

from tests import objects
from tests.objects import Object, stored

NAMESPACE = "shop"
STRIP = f"{NAMESPACE}-strip@kubernetescrd"

OWNER = objects.owner_reference()
MANAGED = [
    {
        "manager": "chainlit-operator",
        "operation": "Apply",
        "fieldsV1": {
            "f:spec": {
                "f:template": {
                    "f:spec": {
                        "f:containers": {
                            'k:{"name":"chainlit"}': {
                                "f:env": {'k:{"name":"CHAINLIT_ROOT_PATH"}': {"f:value": {}, "f:name": {}}},
                                "f:readinessProbe": {"f:httpGet": {"f:path": {}}},
                            }
                        }
                    }
                }
            }
        },
    },
    {
        "manager": "chainlit-operator-created",
        "operation": "Apply",
        "fieldsV1": {"f:spec": {"f:replicas": {}, "f:template": {}}, "f:metadata": {"f:labels": {"f:app": {}}}},
    },
]

CONTAINER = objects.container(
    image="chat:1",
    command=["chainlit"],
    args=["run", "app.py"],
    ports=[{"name": "http", "containerPort": 8000, "protocol": "TCP"}],
    env={"CHAINLIT_ROOT_PATH": "/old", "A": {"valueFrom": {"fieldRef": {}}}},
    envFrom=[],
    readinessProbe=objects.http_probe("/old/health?x=1"),
    livenessProbe=objects.http_probe("/health", 8000),
    startupProbe={"exec": {"command": ["true"]}},
)


def _workload(kind: str) -> Object:
    made = objects.workload(
        CONTAINER,
        kind=kind,
        selector=None,
        paused=False,
        updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        status={
            "observedGeneration": 1,
            "replicas": 1,
            "updatedReplicas": 1,
            "availableReplicas": 1,
            "conditions": [{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}],
        },
    )
    return stored(made, NAMESPACE, managedFields=MANAGED, labels={"app": "chat"}, ownerReferences=[OWNER])


def _rollout(**spec: Any) -> Object:
    """A Rollout in the middle of a canary."""
    strategy = {"canary": {"canaryService": "canary", "stableService": "chat", "trafficRouting": {"nginx": {}}}}
    status = {
        "observedGeneration": "1",
        "workloadObservedGeneration": "1",
        "replicas": 2,
        "updatedReplicas": 1,
        "availableReplicas": 2,
        "phase": "Paused",
        "message": "CanaryPauseStep",
        "currentPodHash": "b",
        "stableRS": "a",
        "pauseConditions": [{"reason": "CanaryPauseStep"}],
        "canary": {"weights": {"canary": {"weight": 20, "podTemplateHash": "b"}}},
        "conditions": [{"type": "Progressing", "status": "False", "reason": "RolloutAborted", "message": "Aborted."}],
    }
    blue_green = {"activeService": "chat", "previewService": "preview"}
    made = objects.workload(CONTAINER, kind="Rollout", strategy=strategy | {"blueGreen": blue_green}, status=status)
    owned: Object = {"f:spec": {"f:template": {"f:spec": {"f:containers": {}}}}}
    whole = {"manager": "helm", "operation": "Apply", "fieldsV1": owned}
    made["spec"] |= {"paused": False} | spec
    return stored(made, NAMESPACE, managedFields=[*MANAGED, whole])


SERVICE = stored(objects.service(type="ClusterIP", clusterIP="10.96.0.7"), NAMESPACE)

ANNOTATIONS = {
    "kubernetes.io/ingress.class": "traefik",
    "traefik.ingress.kubernetes.io/router.middlewares": STRIP,
    "nginx.ingress.kubernetes.io/canary": "false",
    "nginx.ingress.kubernetes.io/rewrite-target": "/$2",
    "nginx.ingress.kubernetes.io/use-regex": "true",
    "nginx.org/rewrites": "serviceName=chat rewrite=/",
    "nginx.org/rewrite-target": "/$1",
    "nginx.org/path-regex": "case_sensitive",
    "haproxy-ingress.github.io/rewrite-target": "/",
    "haproxy.org/path-rewrite": "/chat/(.*) /\\1",
    "konghq.com/strip-path": "true",
    "konghq.com/rewrite": "/$1",
    "appgw.ingress.kubernetes.io/backend-path-prefix": "/",
    "nginx.ingress.kubernetes.io/configuration-snippet": "rewrite ^/chat/(.*)$ /$1 break;",
    "k8s.apisix.apache.org/rewrite-target": "/",
    "projectcontour.io/websocket-routes": "/chat",
    "projectcontour.io/ingress.class": "contour",
}


def ingress(name: str = "chat", **annotations: str) -> Object:
    path = objects.ingress_path
    paths = [
        path("/chat"),
        path("/chat(/|$)(.*)", "ImplementationSpecific"),
        path("/chat/ws", "Exact"),
    ]
    made = objects.ingress(
        name=name,
        rules=[objects.ingress_rule(*paths, host="chat.example")],
        annotations=annotations,
        defaultBackend=objects.backend(),
        tls=[{"hosts": ["chat.example"], "secretName": "tls"}],
        status={"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}},
    )
    return stored(made, NAMESPACE)


_NAMED = [{"name": "x", "value": "y"}]
_REWRITE = objects.prefix_rewrite("/")
_REWRITE["urlRewrite"]["hostname"] = "x.example"
HTTP_ROUTE = stored(
    objects.http_route(
        objects.http_rule(
            objects.path_match("/chat"),
            objects.path_match("/chat/.*", "RegularExpression", method="GET", headers=_NAMED, queryParams=_NAMED),
            filters=[_REWRITE, objects.extension("strip")],
            backends=[
                objects.backend_ref(weight=1, filters=[{"type": "RequestHeaderModifier"}]),
                objects.backend_ref("other", namespace="x", kind="Service", group=""),
            ],
        ),
        parents=[objects.gateway_ref("edge", "infra", sectionName="web", port=80)],
        hostnames=["chat.example"],
        status={
            "parents": [
                {
                    "parentRef": objects.gateway_ref("edge", "infra"),
                    "conditions": [{"type": "Accepted", "status": "True", "reason": "Accepted", "message": "Fine."}],
                }
            ]
        },
    ),
    NAMESPACE,
)
INGRESS_ROUTE = stored(
    objects.ingress_route(
        objects.router(
            "Host(`chat.example`) && (Path(`/chat`) || PathPrefix(`/chat/`)) && !PathPrefix(`/chat/shop`)",
            objects.traefik_service(sticky={"cookie": {"name": "c"}}, middlewares=[{"name": "strip"}], nativeLB=True),
            objects.traefik_service("other", "http", kind="TraefikService", namespace="x", weight=0, strategy="hrw"),
            middlewares=[{"name": "strip", "namespace": NAMESPACE}, {"name": "limit@file"}],
            priority=7,
            syntax="v3",
        ),
        objects.router('HostRegexp("^[a-z]+.example$") && PathRegexp(`^/chat(/|$)`) && Method(`GET`) || Query(`a`)'),
        name="router",
        metadata={"annotations": {"kubernetes.io/ingress.class": "traefik"}},
        ingressClassName="traefik",
        tls={"secretName": "tls"},
        parentRefs=[{"name": "edge"}],
    ),
    NAMESPACE,
)
ROUTE = stored(
    objects.openshift_route(
        "chat.example",
        annotations={
            "haproxy.router.openshift.io/rewrite-target": "/",
            "haproxy.router.openshift.io/timeout": "10s",
            "haproxy.router.openshift.io/disable_cookies": "true",
            "virtual-server.f5.com/rewrite-target-url": "",
        },
        port=8000,
        tls={"termination": "edge", "insecureEdgeTerminationPolicy": "Redirect"},
        alternateBackends=[objects.openshift_backend("other", 0)],
        wildcardPolicy="None",
        status=objects.router_status("chat.example", reason="", message=""),
    ),
    NAMESPACE,
)
GATEWAY = stored(
    objects.gateway({"name": "web", "port": 80, "protocol": "HTTP", "hostname": "*.example"}, addresses=["192.0.2.9"]),
    "infra",
)
MIDDLEWARE = stored(
    objects.middleware(
        "strip",
        {
            "stripPrefix": {"prefixes": ["/chat"]},
            "stripPrefixRegex": {"regex": ["^/chat"]},
            "replacePath": {"path": "/"},
            "replacePathRegex": {"regex": "^/chat/(.*)", "replacement": "/$1"},
            "addPrefix": {"prefix": "/"},
            "chain": {"middlewares": [{"name": "strip", "namespace": NAMESPACE}]},
            "plugin": {"any": {"thing": 1}},
        },
    ),
    NAMESPACE,
)
LEASE = stored(
    objects.resource(
        "Lease",
        "chainlit-operator",
        spec={
            "holderIdentity": "a",
            "leaseDurationSeconds": 15,
            "leaseTransitions": 1,
            "acquireTime": "2026-01-01T00:00:00.000000Z",
        },
    ),
    NAMESPACE,
)


def app(**spec: Any) -> Object:
    given: Object = {"workload": {"ref": {"kind": "Deployment", "name": "chat", "container": "chainlit"}}}
    condition = {
        "type": "WebSocketReachable",
        "status": "True",
        "reason": "Verified",
        "message": "Fine.",
        "observedGeneration": 1,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    status = {
        "observedGeneration": 1,
        "rootPath": "/chat",
        "parentRootPath": "",
        "url": "http://chat.example/chat/",
        "webSocketURL": "ws://chat.example/chat/ws/socket.io/",
        "route": {"kind": "Ingress", "name": "chat", "host": "", "path": "", "pathType": "", "rewrite": ""},
        "workload": {"kind": "Deployment", "name": "chat", "container": "chainlit"},
        "conditions": [condition],
    }
    return stored(objects.chainlit_app(**given | spec, status=status), NAMESPACE)


#: All settings of a template; the API server holds them to a schema, so only their values are fuzzed.
TEMPLATE: Object = {
    "image": "chat:1",
    "imagePullPolicy": "Always",
    "imagePullSecrets": [{"name": "registry"}],
    "replicas": 2,
    "commonLabels": {"team": "chat"},
    "chainlit": {
        "command": ["chainlit"],
        "args": ["run"],
        "port": 9000,
        "authCookieName": "mine",
        "forwardedAllowIPs": "",
        "appRoot": {"path": "/data", "volume": {"emptyDir": {}}},
    },
    "env": [{"name": "A", "value": "b"}, {"name": "CHAINLIT_HOST", "valueFrom": {"x": {}}}],
    "envFrom": [{"secretRef": {"name": "all"}}],
    "service": {"type": "NodePort", "port": 8080, "annotations": {"a": "b"}},
    "serviceAccount": {"create": True, "name": "runner", "annotations": {"a": "b"}},
    "resources": {"limits": {"cpu": 1}},
    "probes": {"path": "/health", "liveness": {"enabled": False}, "startup": {"periodSeconds": 1}},
    "podSecurityContext": {"fsGroup": 1},
    "securityContext": {"readOnlyRootFilesystem": False},
    "tmpVolume": {"medium": "Memory"},
    "strategy": {"type": "Recreate"},
    "podLabels": {"a": "b"},
    "podAnnotations": {"a": "b"},
    "deploymentAnnotations": {"a": "b"},
    "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
    "affinity": {"podAffinity": {}},
    "initContainers": [{"name": "a"}],
    "extraContainers": [{"name": "b"}],
    "extraVolumes": [{"name": "c"}],
    "extraVolumeMounts": [{"name": "c"}],
    "nodeSelector": {"a": "b"},
    "tolerations": [{"key": "a"}],
    "topologySpreadConstraints": [{"maxSkew": 1}],
    "priorityClassName": "high",
    "terminationGracePeriodSeconds": 5,
}
APPS: dict[str, Object] = {
    "adopted": app(verification={"mode": "Edge", "intervalSeconds": 60}, mountPath="/bot", suspend=False),
    "named": app(route={"ref": {"kind": "Ingress", "name": "chat"}, "rewrite": "Auto"}),
    "by-ingress": app(
        workload={"template": TEMPLATE},
        route={
            "ingress": {
                "path": "/chat",
                "pathType": "Prefix",
                "host": "chat.example",
                "className": "traefik",
                "tls": [{"hosts": ["chat.example"], "secretName": "tls"}],
                "annotations": {"a": "b"},
            }
        },
    ),
    "by-gateway": app(
        workload={"template": {"image": "chat:1"}},
        route={
            "gateway": {
                "parentRefs": [{"name": "edge", "namespace": "infra"}],
                "hostnames": ["chat.example"],
                "path": "/chat",
                "annotations": {"a": "b"},
            }
        },
    ),
    "rollout": app(workload={"ref": {"kind": "Rollout", "name": "chat", "container": "chainlit"}}),
}

_TEXTS = {"exact": "a", "prefix": "b", "regex": "c.*"}
_HEADERS = {"request": {"set": {"host": "x.example"}, "add": {":authority": "y.example"}}}
VIRTUAL_SERVICE = stored(
    objects.virtual_service(
        objects.istio_rule(
            {
                "uri": {"prefix": "/chat"},
                "scheme": _TEXTS,
                "method": {"exact": "GET"},
                "authority": _TEXTS,
                "headers": {"x-a": _TEXTS},
                "withoutHeaders": {"x-b": _TEXTS},
                "queryParams": {"c": _TEXTS},
                "port": 80,
                "gateways": ["infra/edge"],
                "sourceLabels": {"a": "b"},
                "sourceNamespace": "shop",
            },
            objects.uri(prefix="/chat/"),
            objects.uri(regex="/chat/.*"),
            to=[
                objects.destination(weight=1, subset="v1") | {"headers": _HEADERS},
                objects.destination("chat.shop.svc.cluster.local", weight=1),
            ],
            rewrite={
                "uri": "/",
                "authority": "x.example",
                "uriRegexRewrite": {"match": "^/chat/(.*)", "rewrite": r"/\1"},
            },
            headers=_HEADERS,
            timeout="10s",
        ),
        objects.istio_rule(objects.uri(exact="/chat"), rewrite={"uri": "/"}),
        objects.istio_rule(
            to=[], redirect={"uri": "/", "prefixRewrite": "/", "authority": "z.example", "scheme": "https"}
        ),
        objects.istio_rule(objects.uri(prefix="/team"), to=[], delegate={"name": "x"}, directResponse={"status": 503}),
        hosts=["chat.example", "*.example", "*", "chat"],
        gateways=["infra/edge", "gw", "mesh"],
    ),
    NAMESPACE,
)
ISTIO_GATEWAY = stored(
    objects.istio_gateway(
        objects.istio_server(hosts=["*.example", "./x.example", "shop/*"], tls={"httpsRedirect": True}),
        objects.istio_server(443, "HTTPS", tls={"mode": "SIMPLE"}),
        name="edge",
    ),
    "infra",
)
DESTINATION_RULE = stored(
    objects.destination_rule(
        trafficPolicy={
            "loadBalancer": {
                "simple": "RANDOM",
                "consistentHash": {"httpCookie": {"name": "a", "path": "/chat", "ttl": "0s"}, "useSourceIp": False},
            },
            "portLevelSettings": [{"port": {"number": 80}} | objects.hashed()],
        },
        subsets=[{"name": "v1", "labels": {"version": "v1"}, "trafficPolicy": objects.hashed()}],
    ),
    NAMESPACE,
)

#: One of each kind, with every field that the operator reads.
CORPUS: tuple[Object, ...] = (
    _workload("Deployment"),
    _workload("StatefulSet"),
    _rollout(),
    _rollout(workloadRef={"apiVersion": "apps/v1", "kind": "Deployment", "name": "chat", "scaleDown": "never"}),
    SERVICE,
    stored(objects.resource("ServiceAccount"), NAMESPACE, ownerReferences=[OWNER]),
    ingress(),
    *(ingress(**{key: value}) for key, value in ANNOTATIONS.items()),
    ingress(**ANNOTATIONS),
    HTTP_ROUTE,
    INGRESS_ROUTE,
    ROUTE,
    GATEWAY,
    MIDDLEWARE,
    VIRTUAL_SERVICE,
    ISTIO_GATEWAY,
    DESTINATION_RULE,
    LEASE,
    *APPS.values(),
)
