{{/*
The drain: a file that the app's Python reads at its start, so that the pod waits for running answers before it ends. An init
container puts it into a volume, and preStop calls it. The file says what it does: files/drain/sitecustomize.py.

  drainMode           .   CHAINLIT_DRAIN_MODE
  drainContainer      .   YAML list with the init container
  drainEnv            .   YAML list of the app's variables: those of chainlit.env, with the drain's
  drainLifecycle      .   YAML of the container's lifecycle
  gracePeriod         .   terminationGracePeriodSeconds of the pod
  validateDrain       .   nothing, or fails
*/}}

{{/* With Recreate there is no other pod until this one has ended, so it waits for answers only. */}}
{{- define "chainlit.drainMode" -}}
{{- $strategy := include "chainlit.strategy" . | fromYaml }}
{{- if and (eq .Values.drain.mode "Auto") (eq ($strategy.type | default "RollingUpdate") "Recreate") -}}
Answers
{{- else }}
{{- .Values.drain.mode }}
{{- end }}
{{- end }}

{{/* It has the variables of envFrom, because PYTHONPATH may be there. */}}
{{- define "chainlit.drainContainer" -}}
{{- $python := "" }}
{{- range include "chainlit.env" . | fromYamlArray }}
{{- if eq .name "PYTHONPATH" }}{{ $python = .value | default "" }}{{ end }}
{{- end }}
{{- $arguments := list "/run/scripts/drain-prepare.py" "/run/scripts/drain-sitecustomize.py" "/run/drain" $python }}
{{- include "chainlit.scriptContainer" (dict "root" . "name" "drain" "arguments" $arguments "mounts" (list (dict "name" "drain" "mountPath" "/run/drain"))) }}
{{- end }}

{{- define "chainlit.drainEnv" -}}
{{- $env := include "chainlit.env" . | fromYamlArray }}
{{- if .Values.drain.enabled }}
{{- $probe := .Values.probes.readiness }}
{{- $seconds := $probe.enabled | default false | ternary (mul (add1 ($probe.failureThreshold | default 3 | int)) ($probe.periodSeconds | default 10 | int)) 0 }}
{{- $hook := get (.Values.lifecycle | default dict) "preStop" | default dict }}
{{- $settle := get (get $hook "sleep" | default dict) "seconds" | default 0 }}
{{- $own := dict "PORT" .Values.drain.port "MODE" (include "chainlit.drainMode" .) "LIMIT_SECONDS" .Values.drain.limitSeconds "SETTLE_SECONDS" $settle "READINESS_SECONDS" $seconds }}
{{- range $name, $value := $own }}
- name: CHAINLIT_DRAIN_{{ $name }}
  value: {{ kindIs "string" $value | ternary $value (toJson $value) | quote }}
{{- end }}
{{- $names := list }}
{{- range $env }}{{ $names = append $names .name }}{{ end }}
{{- if not (has "PYTHONPATH" $names) }}
- name: PYTHONPATH
  value: /run/drain
{{- end }}
{{- range $entry := $env }}
{{- if eq .name "PYTHONPATH" }}{{ $entry = dict "name" .name "value" (printf "/run/drain:%s" .value | trimSuffix ":") }}{{ end }}
{{ list $entry | toYaml }}
{{- end }}
{{- else }}
{{- include "chainlit.env" . }}
{{- end }}
{{- end }}

{{- define "chainlit.drainLifecycle" -}}
{{- $lifecycle := include "chainlit.lifecycle" . | fromYaml }}
{{- if .Values.drain.enabled }}
{{- $_ := set $lifecycle "preStop" (dict "httpGet" (dict "path" "/drain" "port" .Values.drain.port)) }}
{{- end }}
{{- toYaml $lifecycle }}
{{- end }}

{{- define "chainlit.gracePeriod" -}}
{{- add (int .Values.terminationGracePeriodSeconds) (.Values.drain.enabled | default false | ternary (int .Values.drain.limitSeconds) 0) }}
{{- end }}

{{- define "chainlit.validateDrain" -}}
{{- if .Values.drain.enabled }}
{{- $port := int .Values.drain.port }}
{{- if eq $port (int .Values.chainlit.port) }}
{{- fail (printf "drain.port %d is the port of the app, chainlit.port; set another one, which no container of the pod has" $port) }}
{{- end }}
{{- if and .Values.authProxy.enabled (eq $port (int .Values.authProxy.port)) }}
{{- fail (printf "drain.port %d is the port of the login in front of the app, authProxy.port; set another one, which no container of the pod has" $port) }}
{{- end }}
{{- range concat (.Values.extraContainers | default list) (.Values.initContainers | default list) }}
{{- $name := .name }}
{{- range .ports }}
{{- if eq $port (int .containerPort) }}
{{- fail (printf "drain.port %d is a port of the container %s; set another one, which no container of the pod has" $port $name) }}
{{- end }}
{{- end }}
{{- end }}
{{- range $name, $_ := omit (get (.Values.lifecycle | default dict) "preStop" | default dict) "sleep" }}
{{- fail (printf "lifecycle.preStop has %s, and drain.enabled needs the hook for the drain; remove one of the two" $name) }}
{{- end }}
{{- range include "chainlit.env" . | fromYamlArray }}
{{- if hasPrefix "CHAINLIT_DRAIN_" .name }}
{{- fail (printf "%s is not allowed in env or extraEnv beside drain.enabled, whose values the chart sets; remove it, and use drain" .name) }}
{{- end }}
{{- if and (eq .name "PYTHONPATH") (hasKey . "valueFrom") }}
{{- fail "PYTHONPATH has a valueFrom, and drain.enabled must add its directory to it; write the value itself in env" }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
