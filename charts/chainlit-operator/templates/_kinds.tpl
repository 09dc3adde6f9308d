{{/*
All that the chart says of Kubernetes kinds, in one place: rights, and the resources that the admission policies match.

  rules         .   the operator's rights (YAML), the same for a ClusterRole and for a Role in each watched namespace
  adoptedRules  .   resourceRules (YAML) of the policy "adopted"
  createdRules  .   resourceRules (YAML) of the policy "created"
  routeRules    .   resourceRules (YAML) of the policy "routes"
  adoptable     .   CEL: the list of resources that a ChainlitApp names by spec.workload.ref
  creatable     .   CEL: the list of resources that the operator creates
  routeKind     .   CEL: the kind of the route in the request
*/}}

{{- define "chainlit-operator.rules" -}}
# The resources that the operator manages. It never changes their spec or metadata.
- apiGroups: [chainlit-operator.dev]
  resources: [chainlitapps]
  verbs: [list, watch]
# Writes the status. patch is needed only during an upgrade from 0.1.0.
- apiGroups: [chainlit-operator.dev]
  resources: [chainlitapps/status]
  verbs: [patch, update]
# The listeners of a Gateway have scheme and port of an HTTPRoute's URL.
- apiGroups: [gateway.networking.k8s.io]
  resources: [gateways]
  verbs: [list, watch]
# Traefik's Middlewares may strip a prefix of the path.
- apiGroups: [traefik.io]
  resources: [middlewares]
  verbs: [list, watch]
# An existing workload. patch sets the root path and the probe paths (server-side apply) and releases their ownership (JSON
# patch). Without create, an apply cannot create a deleted workload again.
- apiGroups: [apps]
  resources: [statefulsets]
  verbs: [list, watch, patch]
{{- $whole := ternary ", create, patch, delete" "" .Values.creation.enabled }}
# The same. Deployments of a template are also created, changed and deleted.
- apiGroups: [apps]
  resources: [deployments]
  verbs: [list, watch{{ $whole | default ", patch" }}]
# Ingress and HTTPRoute have the path of an app. The operator writes only those that a ChainlitApp describes.
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [list, watch{{ $whole }}]
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes]
  verbs: [list, watch{{ $whole }}]
# A Service leads from a route to the pods of a workload. A template creates a Service and a ServiceAccount.
- apiGroups: [""]
  resources: [services, serviceaccounts]
  verbs: [list, watch{{ $whole }}]
# Events report changes and faults.
- apiGroups: [""]
  resources: [events]
  verbs: [create]
{{- end }}

{{- define "chainlit-operator.adoptedRules" -}}
- apiGroups: [apps]
  apiVersions: ["*"]
  resources: [deployments, statefulsets]
  operations: [UPDATE]
{{- end }}

{{- define "chainlit-operator.createdRules" -}}
- apiGroups: [apps]
  apiVersions: ["*"]
  resources: [deployments, deployments/*, statefulsets, statefulsets/*]
  operations: [CREATE, UPDATE, DELETE]
- apiGroups: [networking.k8s.io]
  apiVersions: ["*"]
  resources: [ingresses, ingresses/*]
  operations: [CREATE, UPDATE, DELETE]
- apiGroups: [gateway.networking.k8s.io]
  apiVersions: ["*"]
  resources: [httproutes, httproutes/*]
  operations: [CREATE, UPDATE, DELETE]
- apiGroups: [""]
  apiVersions: ["*"]
  resources: [services, services/*, serviceaccounts, serviceaccounts/*]
  operations: [CREATE, UPDATE, DELETE]
{{- end }}

{{- define "chainlit-operator.routeRules" -}}
- apiGroups: [networking.k8s.io]
  apiVersions: [v1]
  resources: [ingresses]
  operations: [UPDATE]
- apiGroups: [gateway.networking.k8s.io]
  apiVersions: [v1]
  resources: [httproutes]
  operations: [UPDATE]
{{- end }}

{{- define "chainlit-operator.adoptable" -}}
['deployments', 'statefulsets']
{{- end }}

{{- define "chainlit-operator.creatable" -}}
['deployments', 'ingresses', 'httproutes', 'services', 'serviceaccounts']
{{- end }}

{{- define "chainlit-operator.routeKind" -}}
{'ingresses': 'Ingress', 'httproutes': 'HTTPRoute'}[request.resource.resource]
{{- end }}
