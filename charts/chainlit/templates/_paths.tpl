{{/*
Paths.

  normalisePath  "text"             the path as Chainlit and the Ingress need it: empty or /a/b
  pathProblem    "normalised path"  why Chainlit cannot serve the path; nothing if it can
  rootPath       .                  the root path of route.path: empty or /a/b
*/}}

{{/* The operator normalises paths in the same way; a test compares the two. */}}
{{- define "chainlit.normalisePath" -}}
{{- range splitList "/" (. | default "" | trim) }}{{ if . }}/{{ . }}{{ end }}{{ end }}
{{- end }}

{{/* With other characters the page stays blank in a browser, even if the WebSocket answers. */}}
{{- define "chainlit.pathProblem" -}}
{{- $problem := "" }}
{{- range compact (splitList "/" .) }}
{{- if has . (list "." "..") }}
{{- $problem = printf "browsers remove the segment %q" . }}
{{- else if not (regexMatch "^[A-Za-z0-9._~-]+$" .) }}
{{- $problem = printf "the segment %q has characters other than letters, digits and . _ ~ -" . }}
{{- end }}
{{- end }}
{{- $problem }}
{{- end }}

{{- define "chainlit.rootPath" -}}
{{- include "chainlit.normalisePath" .Values.route.path }}
{{- end }}
