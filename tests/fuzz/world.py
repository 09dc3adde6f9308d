"""The cluster that the fuzzed object gets into: an app with its workload, and one rich object of each kind."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]

NAMESPACE = "shop"
STRIP = f"{NAMESPACE}-strip@kubernetescrd"


def _meta(name: str = "chat", **more: Any) -> Object:
    return {
        "name": name,
        "namespace": NAMESPACE,
        "uid": f"uid-of-{name}",
        "resourceVersion": "7",
        "generation": 1,
        "creationTimestamp": "2026-01-01T00:00:00Z",
    } | more


OWNER = {
    "apiVersion": "chainlit-operator.dev/v1alpha1",
    "kind": "ChainlitApp",
    "name": "chat",
    "uid": "uid-of-chat",
    "controller": True,
}
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

CONTAINER: Object = {
    "name": "chainlit",
    "image": "chat:1",
    "command": ["chainlit"],
    "args": ["run", "app.py"],
    "ports": [{"name": "http", "containerPort": 8000, "protocol": "TCP"}],
    "env": [{"name": "CHAINLIT_ROOT_PATH", "value": "/old"}, {"name": "A", "valueFrom": {"fieldRef": {}}}],
    "envFrom": [],
    "readinessProbe": {"httpGet": {"path": "/old/health?x=1", "port": "http"}},
    "livenessProbe": {"httpGet": {"path": "/health", "port": 8000}},
    "startupProbe": {"exec": {"command": ["true"]}},
}


def _workload(kind: str) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": _meta(managedFields=MANAGED, labels={"app": "chat"}, ownerReferences=[OWNER]),
        "spec": {
            "replicas": 1,
            "paused": False,
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
            "template": {"metadata": {"labels": {"app": "chat"}}, "spec": {"containers": [CONTAINER]}},
        },
        "status": {
            "observedGeneration": 1,
            "replicas": 1,
            "updatedReplicas": 1,
            "availableReplicas": 1,
            "conditions": [{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}],
        },
    }


SERVICE: Object = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": _meta(),
    "spec": {
        "type": "ClusterIP",
        "clusterIP": "10.96.0.7",
        "selector": {"app": "chat"},
        "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
    },
}

BACKEND = {"service": {"name": "chat", "port": {"name": "http"}}}
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
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": _meta(name, annotations=annotations),
        "spec": {
            "ingressClassName": "traefik",
            "defaultBackend": BACKEND,
            "tls": [{"hosts": ["chat.example"], "secretName": "tls"}],
            "rules": [
                {
                    "host": "chat.example",
                    "http": {
                        "paths": [
                            {"path": "/chat", "pathType": "Prefix", "backend": BACKEND},
                            {"path": "/chat(/|$)(.*)", "pathType": "ImplementationSpecific", "backend": BACKEND},
                            {"path": "/chat/ws", "pathType": "Exact", "backend": BACKEND},
                        ]
                    },
                }
            ],
        },
        "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}},
    }


HTTP_ROUTE: Object = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "HTTPRoute",
    "metadata": _meta(),
    "spec": {
        "parentRefs": [{"name": "edge", "namespace": "infra", "sectionName": "web", "port": 80}],
        "hostnames": ["chat.example"],
        "rules": [
            {
                "matches": [
                    {"path": {"type": "PathPrefix", "value": "/chat"}},
                    {
                        "path": {"type": "RegularExpression", "value": "/chat/.*"},
                        "method": "GET",
                        "headers": [{"name": "x", "value": "y"}],
                        "queryParams": [{"name": "x", "value": "y"}],
                    },
                ],
                "filters": [
                    {
                        "type": "URLRewrite",
                        "urlRewrite": {
                            "hostname": "x.example",
                            "path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"},
                        },
                    },
                    {
                        "type": "ExtensionRef",
                        "extensionRef": {"group": "traefik.io", "kind": "Middleware", "name": "strip"},
                    },
                ],
                "backendRefs": [
                    {"name": "chat", "port": 80, "weight": 1, "filters": [{"type": "RequestHeaderModifier"}]},
                    {"name": "other", "namespace": "x", "kind": "Service", "group": "", "port": 80},
                ],
            }
        ],
    },
    "status": {
        "parents": [
            {
                "parentRef": {"name": "edge", "namespace": "infra"},
                "conditions": [{"type": "Accepted", "status": "True", "reason": "Accepted", "message": "Fine."}],
            }
        ]
    },
}
GATEWAY: Object = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "Gateway",
    "metadata": _meta("edge", namespace="infra"),
    "spec": {"listeners": [{"name": "web", "port": 80, "protocol": "HTTP", "hostname": "*.example"}]},
    "status": {"addresses": [{"type": "IPAddress", "value": "192.0.2.9"}]},
}
MIDDLEWARE: Object = {
    "apiVersion": "traefik.io/v1alpha1",
    "kind": "Middleware",
    "metadata": _meta("strip"),
    "spec": {
        "stripPrefix": {"prefixes": ["/chat"]},
        "stripPrefixRegex": {"regex": ["^/chat"]},
        "replacePath": {"path": "/"},
        "replacePathRegex": {"regex": "^/chat/(.*)", "replacement": "/$1"},
        "addPrefix": {"prefix": "/"},
        "chain": {"middlewares": [{"name": "strip", "namespace": NAMESPACE}]},
        "plugin": {"any": {"thing": 1}},
    },
}
LEASE: Object = {
    "apiVersion": "coordination.k8s.io/v1",
    "kind": "Lease",
    "metadata": _meta("chainlit-operator"),
    "spec": {
        "holderIdentity": "a",
        "leaseDurationSeconds": 15,
        "leaseTransitions": 1,
        "acquireTime": "2026-01-01T00:00:00.000000Z",
    },
}


def app(**spec: Any) -> Object:
    return {
        "apiVersion": "chainlit-operator.dev/v1alpha1",
        "kind": "ChainlitApp",
        "metadata": _meta(),
        "spec": {"workload": {"ref": {"kind": "Deployment", "name": "chat", "container": "chainlit"}}} | spec,
        "status": {
            "observedGeneration": 1,
            "rootPath": "/chat",
            "parentRootPath": "",
            "url": "http://chat.example/chat/",
            "webSocketURL": "ws://chat.example/chat/ws/socket.io/",
            "route": {"kind": "Ingress", "name": "chat", "host": "", "path": "", "pathType": "", "rewrite": ""},
            "workload": {"kind": "Deployment", "name": "chat", "container": "chainlit"},
            "trial": {"image": "chat:1", "outcome": "Works"},
            "conditions": [
                {
                    "type": "WebSocketReachable",
                    "status": "True",
                    "reason": "Verified",
                    "message": "Fine.",
                    "observedGeneration": 1,
                    "lastTransitionTime": "2026-01-01T00:00:00Z",
                }
            ],
        },
    }


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
}

#: One of each kind, with every field that the operator reads.
CORPUS: tuple[Object, ...] = (
    _workload("Deployment"),
    _workload("StatefulSet"),
    SERVICE,
    {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _meta(ownerReferences=[OWNER])},
    ingress(),
    *(ingress(**{key: value}) for key, value in ANNOTATIONS.items()),
    ingress(**ANNOTATIONS),
    HTTP_ROUTE,
    GATEWAY,
    MIDDLEWARE,
    LEASE,
    *APPS.values(),
)
