{{/*
The route. _controller.tpl has what its controller needs.

  hosts               .   JSON list of the host names
  scheme              .   http or https, as browsers use it
  origin              .   scheme://host, or with a placeholder for the host
  url                 .   the app's URL
  tls                 .   JSON list for spec.tls of an Ingress
  affinityCookieName  .   name of the cookie that keeps a browser at one pod
  affinitySameSite    .   its attribute SameSite
  validateRoute       .   nothing, or fails
*/}}

{{- define "chainlit.hosts" -}}
{{- prepend (.Values.route.hosts | default list) .Values.route.host | compact | uniq | toJson }}
{{- end }}

{{- define "chainlit.scheme" -}}
{{- $hasTLS := or .Values.route.tls .Values.route.certManager.clusterIssuer .Values.route.certManager.issuer }}
{{- default (ternary "https" "http" (not (empty $hasTLS))) .Values.route.scheme }}
{{- end }}

{{- define "chainlit.origin" -}}
{{- $kind := ternary "Gateway" .Values.route.kind (eq .Values.route.kind "HTTPRoute") }}
{{- $hosts := include "chainlit.hosts" . | fromJsonArray }}
{{- printf "%s://%s" (include "chainlit.scheme" .) (default (printf "<address of the %s>" $kind) (first $hosts)) }}
{{- end }}

{{- define "chainlit.url" -}}
{{- printf "%s%s/" (include "chainlit.origin" .) (include "chainlit.rootPath" .) }}
{{- end }}

{{/* An entry without hosts is for all hosts. The Secret for cert-manager has a name made of the release's. */}}
{{- define "chainlit.tls" -}}
{{- $hosts := include "chainlit.hosts" . | fromJsonArray }}
{{- $given := .Values.route.tls }}
{{- if and (not $given) (or .Values.route.certManager.clusterIssuer .Values.route.certManager.issuer) }}
{{- $given = list (dict "secretName" (include "chainlit.nameWith" (list . "tls"))) }}
{{- end }}
{{- $tls := list }}
{{- range $given }}
{{- $tls = append $tls (merge (dict) . (ternary (dict "hosts" $hosts) dict (not (empty $hosts)))) }}
{{- end }}
{{- toJson $tls }}
{{- end }}

{{/* Namespaces and names have no underscores, so no such name is the beginning of another, or of a login cookie's. */}}
{{- define "chainlit.affinityCookieName" -}}
{{- default (printf "%s_%s_affinity" .Release.Namespace (include "chainlit.fullname" .)) .Values.route.affinity.cookieName }}
{{- end }}

{{- define "chainlit.affinitySameSite" -}}
{{- default (ternary "Lax" "None" (empty .Values.embed.origins)) .Values.route.affinity.sameSite }}
{{- end }}

{{- define "chainlit.validateRoute" -}}
{{- $route := .Values.route }}
{{- $kind := $route.kind }}
{{- $parents := $route.gateway.parentRefs }}
{{- include "chainlit.validateController" . }}
{{- if and $route.enabled (eq $kind "HTTPRoute") (not $parents) }}
{{- fail "route.kind HTTPRoute needs a Gateway: name it in route.gateway.parentRefs, as in [{name: gateway, namespace: infra}]" }}
{{- end }}
{{- if and (ne $kind "HTTPRoute") $parents }}
{{- fail (printf "route.gateway.parentRefs is for route.kind HTTPRoute, and route.kind is %s: remove one of the two" $kind) }}
{{- end }}
{{- if and (eq $kind "HTTPRoute") $route.className }}
{{- fail "route.className is for Ingresses and HTTPProxies, and route.kind is HTTPRoute: its Gateway has the class, so remove route.className, or use route.gateway.className" }}
{{- end }}
{{- if and (ne $kind "Ingress") (ne $route.pathType "Prefix") }}
{{- fail (printf "route.pathType %s is for Ingresses, and route.kind is %s, which always matches a prefix: remove route.pathType" $route.pathType $kind) }}
{{- end }}
{{- if and (eq $kind "HTTPRoute") $route.tls }}
{{- fail "route.tls is not possible with route.kind HTTPRoute, because certificates belong to the Gateway: remove route.tls, and set route.scheme to https" }}
{{- end }}
{{- if and (ne $kind "Ingress") (or $route.certManager.clusterIssuer $route.certManager.issuer) }}
{{- fail (printf "route.certManager is for Ingresses, and route.kind is %s: remove it, and let cert-manager issue the certificate for %s" $kind (ternary "the Gateway" "a Secret that route.tls names" (eq $kind "HTTPRoute"))) }}
{{- end }}
{{- if and $route.certManager.clusterIssuer $route.certManager.issuer }}
{{- fail "route.certManager has both clusterIssuer and issuer: remove one of the two" }}
{{- end }}
{{- $hosts := include "chainlit.hosts" . | fromJsonArray }}
{{- if and $route.enabled (or $route.certManager.clusterIssuer $route.certManager.issuer) }}
{{- range include "chainlit.tls" . | fromJsonArray }}
{{- if not .hosts }}
{{- fail "route.certManager needs route.host: cert-manager issues certificates for named hosts" }}
{{- end }}
{{- end }}
{{- end }}
{{- range $route.tls }}
{{- if and (eq $kind "Ingress") (contains "/" (.secretName | default "")) }}
{{- fail (printf "route.tls has the secretName %s, but an Ingress reads only Secrets of its own namespace: create the Secret there, or use route.kind HTTPProxy with a TLSCertificateDelegation of Contour" .secretName) }}
{{- end }}
{{- end }}
{{- if eq $kind "HTTPProxy" }}
{{- range $route.tls }}
{{- if not $hosts }}
{{- fail "route.tls needs route.host with route.kind HTTPProxy, because without a host TLS belongs to the HTTPProxy that includes this one: set route.host, or remove route.tls and set route.scheme to https" }}
{{- end }}
{{- if not .secretName }}
{{- fail "route.tls needs a secretName in each entry with route.kind HTTPProxy, because Contour has no default certificate for it: name the Secret" }}
{{- end }}
{{- range .hosts }}
{{- if not (has . $hosts) }}
{{- fail (printf "route.tls has the host %s, which is not in route.host or route.hosts: add it there, or remove it" .) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.tests }}
{{- if and $route.enabled .enabled .connectTo (not .url) $hosts (not (include "chainlit.testHost" $)) }}
{{- fail (printf "tests.connectTo needs a host, and the route has only %s: set tests.url" (join ", " $hosts)) }}
{{- end }}
{{- end }}
{{- $hasTLS := or $route.tls $route.certManager.clusterIssuer $route.certManager.issuer }}
{{- if and (eq $route.scheme "http") $hasTLS }}
{{- fail "route.scheme is http, but route.tls or route.certManager gives the route a certificate: remove one of the two" }}
{{- end }}
{{- if and (eq $route.affinity.sameSite "None") (not .Values.embed.origins) (ne (include "chainlit.scheme" .) "https") }}
{{- fail "route.affinity.sameSite None needs https, because browsers drop such a cookie over http: set route.tls or route.scheme, or use Lax" }}
{{- end }}
{{- with include "chainlit.affinityProblem" . }}
{{- fail . }}
{{- end }}
{{- end }}
