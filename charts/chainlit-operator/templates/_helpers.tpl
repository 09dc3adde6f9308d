{{/*
What only this chart has.

  validate   .   nothing, or fails if values cannot work; each message names the value and the remedy
  ownLabels     .   labels of the chart's objects beside those of _names.tpl
  monitor       (list . .Values.metrics.podMonitor "podMetricsEndpoints" relabelings)   spec of a monitor, except the selector
  alert         (list . "ChainlitOperatorDown" "expression" "summary" "description")   YAML of one alert, or nothing
*/}}

{{- define "chainlit-operator.validate" -}}
{{- if and (gt (int .Values.replicaCount) 1) (not .Values.leaderElection.enabled) }}
{{- fail "replicaCount above 1 needs leaderElection.enabled: without it all replicas would work at the same time; enable it, or run one replica" }}
{{- end }}
{{- $optional := include "chainlit-operator.optionalKinds" . | trim | splitList " " }}
{{- range .Values.disabledKinds }}
{{- if not (has . $optional) }}
{{- fail (printf "disabledKinds has %s, which cannot be disabled; use %s" . (join ", " $optional)) }}
{{- end }}
{{- end }}
{{- range $policy := list "admissionPolicy" "routePolicy" }}
{{- $actions := (get $.Values $policy).validationActions }}
{{- if and (has "Deny" $actions) (has "Warn" $actions) }}
{{- fail (printf "%s.validationActions: Deny and Warn exclude each other: a refused write is reported anyway; keep one of the two" $policy) }}
{{- end }}
{{- end }}
{{- if .Values.metrics.service.enabled }}
{{- include "chainlit-operator.validateName" . }}
{{- end }}
{{- if and .Values.metrics.serviceMonitor.enabled .Values.metrics.podMonitor.enabled }}
{{- fail "metrics.serviceMonitor.enabled and metrics.podMonitor.enabled: each pod would be scraped twice; enable one of the two" }}
{{- end }}
{{- $own := dict "containers" "nothing else" "serviceAccountName" "serviceAccount.name" "securityContext" "podSecurityContext" "volumes" "extraVolumes" "automountServiceAccountToken" "nothing else" "enableServiceLinks" "nothing else" }}
{{- range list "terminationGracePeriodSeconds" "imagePullSecrets" "priorityClassName" "nodeSelector" "tolerations" "affinity" "topologySpreadConstraints" }}
{{- $_ := set $own . . }}
{{- end }}
{{- range $field, $_ := .Values.extraPodSpec }}
{{- with get $own $field }}
{{- fail (printf "extraPodSpec has %s, which the chart sets itself; remove it and use %s" $field .) }}
{{- end }}
{{- end }}
{{- if and .Values.metrics.serviceMonitor.enabled (not .Values.metrics.service.enabled) }}
{{- fail "metrics.serviceMonitor.enabled needs metrics.service.enabled, because a ServiceMonitor finds pods through a Service; enable it" }}
{{- end }}
{{- end }}

{{- define "chainlit-operator.ownLabels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: operator
app.kubernetes.io/part-of: chainlit-operator
{{- end }}

{{- define "chainlit-operator.monitor" -}}
{{- $root := index . 0 }}
{{- $values := index . 1 }}
{{- $relabelings := concat (index . 3) ($values.relabelings | default list) }}
namespaceSelector:
  matchNames:
    - {{ $root.Release.Namespace | quote }}
selector:
  matchLabels:
    {{- include "chainlit-operator.selectorLabels" $root | nindent 4 }}
{{ index . 2 }}:
  - port: http
    path: /metrics
    interval: {{ $values.interval }}
    {{- with $values.scrapeTimeout }}
    scrapeTimeout: {{ . }}
    {{- end }}
    {{- with $relabelings }}
    relabelings:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with $values.metricRelabelings }}
    metricRelabelings:
      {{- toYaml . | nindent 6 }}
    {{- end }}
{{- end }}

{{- define "chainlit-operator.alert" -}}
{{- $root := index . 0 }}
{{- $name := index . 1 }}
{{- $rule := $root.Values.metrics.prometheusRule }}
{{- $alert := get ($rule.alerts | default dict) $name | default dict }}
{{- if ne (get $alert "enabled" | toString) "false" }}
- alert: {{ $name }}
  expr: {{ index . 2 }}
  for: {{ $alert.for | default "5m" }}
  labels:
    severity: {{ $alert.severity | default "warning" | quote }}
    {{- /* Routes of Alertmanager ask for it, those of an AlertmanagerConfig always; the expressions have lost it. */}}
    namespace: {{ $root.Release.Namespace | quote }}
  annotations:
    summary: {{ index . 3 | quote }}
    description: {{ index . 4 | quote }}
    {{- /* Only a packaged chart has a home. */}}
    {{- $page := empty $root.Chart.Home | ternary "" (printf "%s/blob/v%s/docs/how-to/monitor.md" $root.Chart.Home $root.Chart.Version) }}
    {{- with $rule.runbookURL | default $page }}
    runbook_url: {{ printf "%s#%s" . (lower $name) | quote }}
    {{- end }}
{{- end }}
{{- end }}
