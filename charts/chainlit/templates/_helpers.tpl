{{/* Nothing: app.kubernetes.io/version would be that of the app, which only its image knows. */}}
{{- define "chainlit.ownLabels" -}}
{{- end }}

{{/* The pods' annotations, with which they are replaced when what they were started with changes. */}}
{{- define "chainlit.podAnnotations" -}}
{{- $annotations := dict }}
{{- with include "chainlit.files" . | fromJson }}
{{- $_ := set $annotations "checksum/files" (toJson . | sha256sum) }}
{{- end }}
{{- if and (include "chainlit.authSecretName" .) (not .Values.auth.existingSecret) }}
{{- $_ := set $annotations "checksum/auth" (include "chainlit.authSecret" . | sha256sum) }}
{{- end }}
{{- with merge $annotations (.Values.podAnnotations | default dict) }}
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

{{/* How many pods there may be. */}}
{{- define "chainlit.mostPods" -}}
{{- ternary .Values.autoscaling.maxReplicas .Values.replicaCount (.Values.autoscaling.enabled | default false) }}
{{- end }}

{{/*
A path as Chainlit and the Ingress want it: empty or /a/b. Takes a string or nothing. The operator normalises in the same way,
which a test holds the two to.
*/}}
{{- define "chainlit.normalisePath" -}}
{{- range splitList "/" (. | default "" | trim) }}{{ if . }}/{{ . }}{{ end }}{{ end }}
{{- end }}

{{/*
Why Chainlit cannot serve a normalised path; nothing if it can. With other characters the page stays blank in a browser
even where the WebSocket answers, and browsers resolve . and .. away.
*/}}
{{- define "chainlit.pathProblem" -}}
{{- $problem := "" }}
{{- range compact (splitList "/" .) }}
{{- if has . (list "." "..") }}
{{- $problem = printf "the segment %q is resolved away by browsers" . }}
{{- else if not (regexMatch "^[A-Za-z0-9._~-]+$" .) }}
{{- $problem = printf "the segment %q has characters other than letters, digits and . _ ~ -" . }}
{{- end }}
{{- end }}
{{- $problem }}
{{- end }}

{{/* The root path that route.path asks for: empty or /a/b. */}}
{{- define "chainlit.rootPath" -}}
{{- include "chainlit.normalisePath" .Values.route.path }}
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
{{- range $name, $value := include "chainlit.secretEnv" . | fromYaml }}
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

{{/* A probe of the container. Takes (list . "startup"). */}}
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

{{/* What the schema cannot say, or not clearly enough. Each message names the value and the remedy. */}}
{{- define "chainlit.validate" -}}
{{- if not .Values.image.repository }}
{{- fail "image.repository is required: set it to the image of your Chainlit app" }}
{{- end }}
{{- include "chainlit.validateName" . }}
{{- with include "chainlit.rootPath" . | include "chainlit.pathProblem" }}
{{- fail (printf "route.path %q cannot be served by Chainlit: %s; use a path such as /chat or /team/chat" $.Values.route.path .) }}
{{- end }}
{{- if eq .Values.route.pathType "Exact" }}
{{- fail "route.pathType Exact serves the page but nothing below route.path, where Chainlit has its assets and its WebSocket; use Prefix" }}
{{- end }}
{{- $onlyPlace := "route.path is the only place where the path is written; remove it and set route.path" }}
{{- $names := keys (.Values.env | default dict) }}
{{- range .Values.extraEnv }}
{{- if has .name $names }}
{{- fail (printf "extraEnv has %s, which env or extraEnv already has; remove one of the two" .name) }}
{{- end }}
{{- $names = append $names .name }}
{{- end }}
{{- range list "CHAINLIT_ROOT_PATH" "CHAINLIT_PARENT_ROOT_PATH" }}
{{- if has . $names }}
{{- fail (printf "%s is not allowed in env or extraEnv: %s" . $onlyPlace) }}
{{- end }}
{{- end }}
{{- if has "CHAINLIT_PORT" $names }}
{{- fail "CHAINLIT_PORT is not allowed in env or extraEnv: Service and probes have to know the port too; remove it and set chainlit.port" }}
{{- end }}
{{- include "chainlit.validateRunning" . }}
{{- include "chainlit.validateFiles" . }}
{{- include "chainlit.validateSettings" . }}
{{- if contains "--root-path" (concat (.Values.chainlit.command | default list) (.Values.chainlit.args | default list) | join " ") }}
{{- fail (printf "--root-path is not allowed in chainlit.command or chainlit.args: %s" $onlyPlace) }}
{{- end }}
{{- include "chainlit.validateRoute" . }}
{{- end }}

{{/* What the schema cannot say of how the app is run. */}}
{{- define "chainlit.validateRunning" -}}
{{- with .Values.chainlit.appRoot.path }}
{{- if regexMatch "^/+(tmp/*)?$" . }}
{{- fail (printf "chainlit.appRoot.path %s is not possible: %s; use a directory of its own, such as /data or /tmp/chainlit" . (ternary "tmpVolume is mounted there" "the image's files are there" (contains "tmp" .))) }}
{{- end }}
{{- end }}
{{- with .Values.autoscaling }}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) }}
{{- fail (printf "autoscaling.minReplicas %d is above autoscaling.maxReplicas %d; lower the one or raise the other" (int .minReplicas) (int .maxReplicas)) }}
{{- end }}
{{- if and .enabled (not .targetCPUUtilizationPercentage) (not .targetMemoryUtilizationPercentage) (not .metrics) }}
{{- fail "autoscaling.enabled has nothing to go by; set autoscaling.targetCPUUtilizationPercentage or autoscaling.metrics" }}
{{- end }}
{{- end }}
{{- with .Values.podDisruptionBudget }}
{{- if and .enabled (has .minAvailable (list nil "")) (has .maxUnavailable (list nil "")) }}
{{- fail "podDisruptionBudget.enabled has nothing to go by; set podDisruptionBudget.maxUnavailable or podDisruptionBudget.minAvailable" }}
{{- end }}
{{- end }}
{{- $hook := get (.Values.lifecycle | default dict) "preStop" | default dict }}
{{- $pause := get (get $hook "sleep" | default dict) "seconds" | default 0 | int }}
{{- if gt $pause (int .Values.terminationGracePeriodSeconds) }}
{{- fail (printf "terminationGracePeriodSeconds %d is less than lifecycle.preStop.sleep.seconds %d, which is part of it; raise the one or lower the other" (int .Values.terminationGracePeriodSeconds) $pause) }}
{{- end }}
{{- $own := dict "containers" "extraContainers" "initContainers" "initContainers" "volumes" "extraVolumes" "serviceAccountName" "serviceAccount.name" "securityContext" "podSecurityContext" "automountServiceAccountToken" "nothing, as the app does not talk to Kubernetes" "enableServiceLinks" "nothing, as Chainlit reads CHAINLIT_PORT" }}
{{- range list "terminationGracePeriodSeconds" "imagePullSecrets" "priorityClassName" "nodeSelector" "tolerations" "affinity" "topologySpreadConstraints" }}
{{- $_ := set $own . . }}
{{- end }}
{{- range $field, $_ := .Values.extraPodSpec }}
{{- with get $own $field }}
{{- fail (printf "extraPodSpec has %s, which the chart sets itself; remove it and use %s" $field .) }}
{{- end }}
{{- end }}
{{- end }}
