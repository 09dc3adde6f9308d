{{/*
What only this chart has.

  validate   .   nothing, or fails if values cannot work; each message names the value and the remedy
  ownLabels  .   labels of the chart's objects beside those of _names.tpl
*/}}

{{- define "chainlit-operator.validate" -}}
{{- if and (gt (int .Values.replicaCount) 1) (not .Values.leaderElection.enabled) }}
{{- fail "replicaCount above 1 needs leaderElection.enabled: without it all replicas would work at the same time; enable it, or run one replica" }}
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
{{- if and .Values.metrics.serviceMonitor.enabled (not .Values.metrics.service.enabled) }}
{{- fail "metrics.serviceMonitor.enabled needs metrics.service.enabled, because a ServiceMonitor finds pods through a Service; enable it" }}
{{- end }}
{{- end }}

{{- define "chainlit-operator.ownLabels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: operator
app.kubernetes.io/part-of: chainlit-operator
{{- end }}
