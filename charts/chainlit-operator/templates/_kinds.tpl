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
# The resources that the operator serves. It never changes their spec or metadata.
- apiGroups: [chainlit-operator.dev]
  resources: [chainlitapps]
  verbs: [list, watch]
# Its findings: the status is replaced as a whole, in the version that they are about. Version 0.1.0, which may lead for
# a moment of an upgrade, patches it.
- apiGroups: [chainlit-operator.dev]
  resources: [chainlitapps/status]
  verbs: [patch, update]
# Gateways tell scheme and port of an HTTPRoute's address.
- apiGroups: [gateway.networking.k8s.io]
  resources: [gateways]
  verbs: [list, watch]
# Traefik's Middlewares may strip a part of the path on its way to the app.
- apiGroups: [traefik.io]
  resources: [middlewares]
  verbs: [list, watch]
# A workload that is there already: read to compare, patched (server-side apply) with the root path and the probe paths,
# and (JSON patch) freed of the operator's field ownership. Without create and update, an apply cannot bring a deleted
# one back.
- apiGroups: [apps]
  resources: [statefulsets]
  verbs: [list, watch, patch]
{{- $whole := ternary ", create, patch, delete" "" .Values.creation.enabled }}
# The same, and created, repaired and deleted where a ChainlitApp has a template.
- apiGroups: [apps]
  resources: [deployments]
  verbs: [list, watch{{ $whole | default ", patch" }}]
# The path of an app is read from its Ingress or HTTPRoute. Written are only those that a ChainlitApp has created.
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [list, watch{{ $whole }}]
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes]
  verbs: [list, watch{{ $whole }}]
# Services lead from an Ingress to the pods of a workload. A template has one of its own, and a ServiceAccount.
- apiGroups: [""]
  resources: [services, serviceaccounts]
  verbs: [list, watch{{ $whole }}]
# What was changed and what stands in the way is also told as Events.
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
