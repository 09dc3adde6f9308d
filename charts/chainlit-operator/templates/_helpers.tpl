{{- define "chainlit-operator.validate" -}}
{{- if and (gt (int .Values.replicaCount) 1) (not .Values.leaderElection.enabled) }}
{{- fail "replicaCount above 1 needs leaderElection.enabled: without it all of them would work at once" }}
{{- end }}
{{- range $policy := list "admissionPolicy" "routePolicy" }}
{{- $actions := (get $.Values $policy).validationActions }}
{{- if and (has "Deny" $actions) (has "Warn" $actions) }}
{{- fail (printf "%s.validationActions: Deny and Warn exclude each other: what is denied is told anyway" $policy) }}
{{- end }}
{{- end }}
{{- if .Values.metrics.service.enabled }}
{{- include "chainlit-operator.validateName" . }}
{{- end }}
{{- if and .Values.metrics.serviceMonitor.enabled (not .Values.metrics.service.enabled) }}
{{- fail "metrics.serviceMonitor.enabled needs metrics.service.enabled: a ServiceMonitor finds pods through a Service" }}
{{- end }}
{{- end }}

{{- define "chainlit-operator.ownLabels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: operator
app.kubernetes.io/part-of: chainlit-operator
{{- end }}

{{/* The whole of the operator's rights, the same for a ClusterRole and for a Role in each watched namespace. */}}
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
