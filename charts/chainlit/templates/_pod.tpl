{{/*
The Deployment and its pods.

  ownLabels                  .   labels of the chart's objects beside those of _names.tpl
  podAnnotations             (dict "root" . "authSecret" "text")   YAML, or nothing
  topologySpreadConstraints  .   YAML
  mostPods                   .   the greatest number of pods
  authCookieName             .   name of the login cookie
  env                        .   YAML list of the container's variables
  probe                      (list . "startup")   YAML of one probe, or nothing
*/}}

{{/* Nothing: app.kubernetes.io/version would be that of the app, which only its image knows. */}}
{{- define "chainlit.ownLabels" -}}
{{- end }}

{{/* With the checksums, new files or a new secret replace the pods. */}}
{{- define "chainlit.podAnnotations" -}}
{{- $annotations := dict }}
{{- if include "chainlit.hasFiles" .root }}
{{- $_ := set $annotations "checksum/files" (include "chainlit.files" .root | sha256sum) }}
{{- end }}
{{- with .authSecret }}
{{- $_ := set $annotations "checksum/auth" (sha256sum .) }}
{{- end }}
{{- with merge $annotations (.root.Values.podAnnotations | default dict) }}
{{- toYaml . }}
{{- end }}
{{- end }}

{{/* Each constraint is for the app's own pods, unless it says for which. */}}
{{- define "chainlit.topologySpreadConstraints" -}}
{{- $selector := dict "matchLabels" (include "chainlit.selectorLabels" . | fromYaml) }}
{{- $nodes := dict "maxSkew" 1 "topologyKey" "kubernetes.io/hostname" "whenUnsatisfiable" "ScheduleAnyway" "matchLabelKeys" (list "pod-template-hash") }}
{{- $constraints := list }}
{{- range .Values.topologySpreadConstraints | default (list $nodes) }}
{{- $constraints = append $constraints (ternary . (set (deepCopy .) "labelSelector" $selector) (hasKey . "labelSelector")) }}
{{- end }}
{{- toYaml $constraints }}
{{- end }}

{{- define "chainlit.mostPods" -}}
{{- ternary .Values.autoscaling.maxReplicas .Values.replicaCount (.Values.autoscaling.enabled | default false) }}
{{- end }}

{{/*
Neither namespaces nor names can have an underscore, so no such name is the beginning of another: Chainlit takes
cookies that begin with its own name for parts of its own.
*/}}
{{- define "chainlit.authCookieName" -}}
{{- default (printf "%s_%s_access_token" .Release.Namespace (include "chainlit.fullname" .)) .Values.chainlit.authCookieName }}
{{- end }}

{{/*
The container's environment. The chart's variables and env are one map, so env wins over the chart and no name comes
twice. While the operator owns the root path, rendering it here would make the two fight over the field.
*/}}
{{- define "chainlit.env" -}}
{{- $env := dict "CHAINLIT_HOST" "0.0.0.0" "CHAINLIT_PORT" .Values.chainlit.port }}
{{- $_ := set $env "CHAINLIT_AUTH_COOKIE_NAME" (include "chainlit.authCookieName" .) }}
{{- with .Values.chainlit.forwardedAllowIPs }}
{{- $_ := set $env "FORWARDED_ALLOW_IPS" . }}
{{- end }}
{{- with include "chainlit.appRootPath" . }}
{{- $_ := set $env "CHAINLIT_APP_ROOT" . }}
{{- end }}
{{- with include "chainlit.publicURL" . }}
{{- $_ := set $env "CHAINLIT_URL" . }}
{{- end }}
{{- range $name, $value := include "chainlit.secretEnv" . | fromJson }}
{{- $_ := set $env $name $value }}
{{- end }}
{{- range $name, $value := .Values.env }}
{{- $_ := set $env $name $value }}
{{- end }}
{{- range .Values.extraEnv }}
{{- $env = omit $env .name }}
{{- end }}
{{- range $name, $value := $env }}
- name: {{ $name | quote }}
  {{- if kindIs "map" $value }}
  {{- toYaml $value | nindent 2 }}
  {{- else if kindIs "string" $value }}
  value: {{ quote $value }}
  {{- else }}
  {{- /* Through JSON, because a large number would otherwise come out as 1e+06. */}}
  value: {{ toJson $value | quote }}
  {{- end }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- if not .Values.operator.enabled }}
{{- /*
Also when empty: that wins over envFrom and over a .env file in the image. Last, where the operator's is too: switching
it off then moves nothing, which would replace the pods.
*/}}
- name: CHAINLIT_ROOT_PATH
  value: {{ include "chainlit.rootPath" . | quote }}
{{- end }}
{{- end }}

{{- define "chainlit.probe" -}}
{{- $root := index . 0 }}
{{- $kind := index . 1 }}
{{- $probe := index $root.Values.probes $kind }}
{{- if $probe.enabled -}}
{{ $kind }}Probe:
  httpGet:
    port: http
    {{- if not $root.Values.operator.enabled }}
    path: {{ printf "%s%s" (include "chainlit.rootPath" $root) (include "chainlit.normalisePath" $root.Values.probes.path | default "/") }}
    {{- end }}
  {{- with omit $probe "enabled" }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end }}

