{{- define "chainlit-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "chainlit-operator.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "chainlit-operator.metricsServiceName" -}}
{{- printf "%s-metrics" (include "chainlit-operator.fullname" . | trunc 55 | trimSuffix "-") }}
{{- end }}

{{/* Unlike the name of the Role in a watched namespace, which may be the operator's own. */}}
{{- define "chainlit-operator.leaderElectionName" -}}
{{- printf "%s-lease" (include "chainlit-operator.fullname" . | trunc 57 | trimSuffix "-") }}
{{- end }}

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
{{- with include "chainlit-operator.fullname" . }}
{{- if and $.Values.metrics.service.enabled (not (regexMatch "^[A-Za-z][-A-Za-z0-9]*$" .)) }}
{{- fail (printf "fullnameOverride is needed: the name %q, which comes from the release's, is none that a Service can have; set it to lower-case letters, digits and -, a letter first" .) }}
{{- end }}
{{- end }}
{{- if and .Values.metrics.serviceMonitor.enabled (not .Values.metrics.service.enabled) }}
{{- fail "metrics.serviceMonitor.enabled needs metrics.service.enabled: a ServiceMonitor finds pods through a Service" }}
{{- end }}
{{- end }}

{{- define "chainlit-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "chainlit-operator.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{/* Merged as maps, so that a label given twice is still written once; the chart's own win. */}}
{{- define "chainlit-operator.labels" -}}
{{- $labels := include "chainlit-operator.selectorLabels" . | fromYaml }}
{{- $_ := set $labels "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") }}
{{- $_ := set $labels "app.kubernetes.io/version" .Chart.AppVersion }}
{{- $_ := set $labels "app.kubernetes.io/component" "operator" }}
{{- $_ := set $labels "app.kubernetes.io/part-of" "chainlit-operator" }}
{{- $_ := set $labels "app.kubernetes.io/managed-by" .Release.Service }}
{{- toYaml (merge $labels (.Values.commonLabels | default dict)) }}
{{- end }}

{{/* No chart version here: a new chart alone is no reason to restart the pod. */}}
{{- define "chainlit-operator.podLabels" -}}
{{- $labels := include "chainlit-operator.selectorLabels" . | fromYaml }}
{{- toYaml (merge $labels (.Values.podLabels | default dict) (.Values.commonLabels | default dict)) }}
{{- end }}

{{- define "chainlit-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "chainlit-operator.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "chainlit-operator.image" -}}
{{- with .Values.image }}
{{- if .digest }}
{{- printf "%s@%s" .repository .digest }}
{{- else }}
{{- printf "%s:%s" .repository (default $.Chart.AppVersion .tag) }}
{{- end }}
{{- end }}
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
