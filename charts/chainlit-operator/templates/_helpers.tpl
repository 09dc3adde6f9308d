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
