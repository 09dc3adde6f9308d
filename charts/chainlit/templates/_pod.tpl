{{/*
The Deployment and its pods.

  ownLabels                  .   labels of the chart's objects beside those of _names.tpl
  podAnnotations             (dict "root" . "authSecret" "text")   YAML, or nothing
  mostPods                   .   the greatest number of pods
  authCookieName             .   name of the login cookie
  env                        .   YAML list of the container's variables
  probe                      (list . "startup")   YAML of one probe, or nothing
  strategy, lifecycle, resources   .   YAML of the value, without defaults that contradict what the user has set beside them
  isOnOneNode                .   "true" if the pod has a volume that only one node can have; otherwise nothing
  bytes                      a quantity of memory   its number of bytes; 0 for what is no such quantity
*/}}

{{/* Nothing. Only the image knows the version of the app, so there is no app.kubernetes.io/version. */}}
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

{{- define "chainlit.mostPods" -}}
{{- ternary .Values.autoscaling.maxReplicas .Values.replicaCount (.Values.autoscaling.enabled | default false) }}
{{- end }}

{{/*
Chainlit reads all cookies that begin with this name as parts of one cookie. Namespaces and names have no underscores, so no
such name is the beginning of another.
*/}}
{{- define "chainlit.authCookieName" -}}
{{- default (printf "%s_%s_access_token" .Release.Namespace (include "chainlit.fullname" .)) .Values.chainlit.authCookieName }}
{{- end }}

{{/*
The chart's variables and env are one map, so env wins over the chart, and no name comes twice. An empty CHAINLIT_HOST means
all addresses, of IPv4 and IPv6. While the operator owns the root path, the chart must not render it: both would write the
same field.
*/}}
{{- define "chainlit.env" -}}
{{- $env := dict "CHAINLIT_HOST" "" "CHAINLIT_PORT" .Values.chainlit.port }}
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
{{- if .Values.embed.origins }}
{{- $_ := set $env "CHAINLIT_COOKIE_SAMESITE" "none" }}
{{- end }}
{{- range $name, $value := include "chainlit.secretEnv" . | fromJson }}
{{- $_ := set $env $name $value }}
{{- end }}
{{- range $name, $value := .Values.env }}
{{- $_ := set $env $name $value }}
{{- end }}
{{- with include "chainlit.pythonPath" . }}
{{- $_ := set $env "PYTHONPATH" . }}
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
  {{- /* JSON writes a large number as 1000000, not as 1e+06. */}}
  value: {{ toJson $value | quote }}
  {{- end }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- if not .Values.operator.enabled }}
{{- /*
An empty value is rendered too: it wins over envFrom and over a .env file in the image. The operator adds the variable at the
end of the list. It is here at the end too, so that switching the operator off does not change the pod template.
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


{{/*
The API server refuses these pairs, and no null takes a default away in the values of a subchart. The operator has the same
rules for the workloads that it creates.
*/}}
{{- define "chainlit.strategy" -}}
{{- $strategy := .Values.strategy | default dict }}
{{- if include "chainlit.isOnOneNode" . }}
{{- $strategy = dict "type" "Recreate" }}
{{- else if ne ($strategy.type | default "RollingUpdate") "RollingUpdate" }}
{{- $strategy = omit $strategy "rollingUpdate" }}
{{- end }}
{{- toYaml $strategy }}
{{- end }}

{{/* Such a volume is at one node only: with another pod elsewhere, a rollout would wait for ever. */}}
{{- define "chainlit.isOnOneNode" -}}
{{- with .Values.persistence }}
{{- if and .enabled (not (has "ReadWriteMany" (.accessModes | default list))) }}true{{ end }}
{{- end }}
{{- end }}

{{- define "chainlit.lifecycle" -}}
{{- $lifecycle := deepCopy (.Values.lifecycle | default dict) }}
{{- $hook := $lifecycle.preStop | default dict }}
{{- if and (gt (len $hook) 1) (hasKey $hook "sleep") }}
{{- $_ := set $lifecycle "preStop" (omit $hook "sleep") }}
{{- end }}
{{- toYaml $lifecycle }}
{{- end }}

{{/* A request above a default limit lifts this limit, which nobody has set. */}}
{{- define "chainlit.resources" -}}
{{- $resources := deepCopy (.Values.resources | default dict) }}
{{- $limits := $resources.limits | default dict }}
{{- range $name, $default := dict "memory" "1Gi" "ephemeral-storage" "2Gi" }}
{{- $request := get ($resources.requests | default dict) $name }}
{{- if and $request (eq (get $limits $name | toString) $default) }}
{{- if gt (include "chainlit.bytes" $request | float64) (include "chainlit.bytes" $default | float64) }}
{{- $_ := set $limits $name $request }}
{{- end }}
{{- end }}
{{- end }}
{{- toYaml $resources }}
{{- end }}

{{- define "chainlit.bytes" -}}
{{- $units := dict "" 1.0 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18 "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0 "Pi" 1125899906842624.0 "Ei" 1152921504606846976.0 }}
{{- $text := kindIs "string" . | ternary . (toJson .) }}
{{- $number := regexFind "^[0-9]+([.][0-9]*)?([eE][0-9]{1,2})?" $text }}
{{- mulf (float64 $number) (get $units (trimPrefix $number $text) | default 0.0) }}
{{- end }}
