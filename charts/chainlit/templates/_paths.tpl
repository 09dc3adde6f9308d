{{/*
Paths.

  normalisePath  "text"             the path as Chainlit and the Ingress need it: empty or /a/b
  pathProblem    "normalised path"  why Chainlit cannot serve the path; nothing if it can
  rootPath       .                  the root path of route.path: empty or /a/b
*/}}

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
