{{/*
The app in pages of other sites (embed.origins).

  embedsInImage  .   "true" if the image's config.toml gets the origins; otherwise nothing: chainlit.config has them, or there are none
  validateEmbed  .   nothing, or fails
*/}}

{{- define "chainlit.embedsInImage" -}}
{{- if and .Values.embed.origins (not .Values.chainlit.config) }}true{{ end }}
{{- end }}

{{- define "chainlit.validateEmbed" -}}
{{- if .Values.embed.origins }}
{{- $route := .Values.route }}
{{- $urls := list .Values.operator.url .Values.chainlit.url | join " " }}
{{- if not (or (eq (include "chainlit.scheme" .) "https") (contains "https://" $urls)) }}
{{- fail "embed.origins needs https: in pages of other sites browsers keep no cookie of an app with http; set route.tls or route.certManager, or route.scheme to https if TLS ends before the route" }}
{{- end }}
{{- if has $route.affinity.sameSite (list "Lax" "Strict") }}
{{- fail (printf "route.affinity.sameSite %s does not work with embed.origins: in pages of other sites browsers send no such cookie; remove it" $route.affinity.sameSite) }}
{{- end }}
{{- if hasKey (get (.Values.chainlit.config | default dict) "project" | default dict) "allow_origins" }}
{{- fail "chainlit.config.project.allow_origins and embed.origins are set, but there is one list; keep it in embed.origins" }}
{{- end }}
{{- if and (include "chainlit.embedsInImage" .) (hasKey (.Values.app.files | default dict) ".chainlit/config.toml") }}
{{- fail "app.files has \".chainlit/config.toml\", which embed.origins cannot change; write its settings in chainlit.config" }}
{{- end }}
{{- if and (include "chainlit.embedsInImage" .) (not (include "chainlit.appRootPath" .)) }}
{{- fail "embed.origins needs an app root that the chart can write to; set chainlit.appRoot.path, or chainlit.config" }}
{{- end }}
{{- if .Values.authProxy.enabled }}
{{- fail "embed.origins is not possible with authProxy, which answers pages of other sites with its login page; use a login of Chainlit, such as oauth, or remove embed.origins" }}
{{- end }}
{{- $names := keys (.Values.env | default dict) }}
{{- range .Values.extraEnv }}{{ $names = append $names .name }}{{ end }}
{{- if has "CHAINLIT_COOKIE_SAMESITE" $names }}
{{- fail "CHAINLIT_COOKIE_SAMESITE is not allowed in env or extraEnv beside embed.origins, which sets it to none; remove it" }}
{{- end }}
{{- $controller := include "chainlit.controller" . | fromJson }}
{{- if and $controller.isLax (gt (include "chainlit.mostPods" . | int) 1) }}
{{- fail (printf "embed.origins does not work with several pods and route.controller %s, whose cookie browsers do not send from pages of other sites; run one pod, or set route.affinity.mode to External if something else keeps a browser at one pod" $controller.name) }}
{{- end }}
{{- end }}
{{- end }}
