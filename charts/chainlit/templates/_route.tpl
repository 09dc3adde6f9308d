{{/* All host names of the route, as a JSON list in a map, so that fromJson can read it. */}}
{{- define "chainlit.hosts" -}}
{{- dict "hosts" (prepend (.Values.route.hosts | default list) .Values.route.host | compact | uniq) | toJson }}
{{- end }}

{{/* What browsers use: https where the chart or its user knows of a certificate. */}}
{{- define "chainlit.scheme" -}}
{{- $hasTLS := or .Values.route.tls .Values.route.certManager.clusterIssuer .Values.route.certManager.issuer }}
{{- default (ternary "https" "http" (not (empty $hasTLS))) .Values.route.scheme }}
{{- end }}

{{/* Scheme and first host, as browsers have them. */}}
{{- define "chainlit.origin" -}}
{{- $kind := ternary "Gateway" .Values.route.kind (eq .Values.route.kind "HTTPRoute") }}
{{- $hosts := (include "chainlit.hosts" . | fromJson).hosts }}
{{- printf "%s://%s" (include "chainlit.scheme" .) (default (printf "<address of the %s>" $kind) (first $hosts)) }}
{{- end }}

{{- define "chainlit.url" -}}
{{- printf "%s%s/" (include "chainlit.origin" .) (include "chainlit.rootPath" .) }}
{{- end }}

{{/*
The route's TLS as a list in a map: entries without hosts are for all of them, and cert-manager's Secret has a name made
of the release's.
*/}}
{{- define "chainlit.tls" -}}
{{- $hosts := (include "chainlit.hosts" . | fromJson).hosts }}
{{- $given := .Values.route.tls }}
{{- if and (not $given) (or .Values.route.certManager.clusterIssuer .Values.route.certManager.issuer) }}
{{- $given = list (dict "secretName" (include "chainlit.nameWith" (list . "tls"))) }}
{{- end }}
{{- $tls := list }}
{{- range $given }}
{{- $tls = append $tls (merge (dict) . (ternary (dict "hosts" $hosts) dict (not (empty $hosts)))) }}
{{- end }}
{{- dict "tls" $tls | toJson }}
{{- end }}

{{/* No such name is the beginning of another, nor of a login cookie's: an underscore is in neither of its parts. */}}
{{- define "chainlit.affinityCookieName" -}}
{{- default (printf "%s_%s_affinity" .Release.Namespace (include "chainlit.fullname" .)) .Values.route.affinity.cookieName }}
{{- end }}

{{/* What files/controllers.yaml says of the chosen controller, as JSON by kind of route, its strings filled in. */}}
{{- define "chainlit.kinds" -}}
{{- $known := dict "Template" .Template
  "name" (include "chainlit.fullname" .)
  "namespace" .Release.Namespace
  "path" (include "chainlit.rootPath" . | default "/")
  "health" (printf "%s%s" (include "chainlit.rootPath" .) (include "chainlit.normalisePath" .Values.probes.path | default "/"))
  "cookie" (include "chainlit.affinityCookieName" .)
  "sameSite" .Values.route.affinity.sameSite
  "secure" (eq (include "chainlit.scheme" .) "https" | toString) }}
{{- $controllers := tpl (.Files.Get "files/controllers.yaml") $known | fromYaml }}
{{- omit (get $controllers .Values.route.controller) "title" | toJson }}
{{- end }}

{{/* That for the chosen kind; {} if there is none. */}}
{{- define "chainlit.controller" -}}
{{- get (include "chainlit.kinds" . | fromJson) .Values.route.kind | default dict | toJson }}
{{- end }}

{{/* Whether the chart itself keeps a browser at one pod: a string, empty for no. */}}
{{- define "chainlit.hasAffinity" -}}
{{- $controller := include "chainlit.controller" . | fromJson }}
{{- $reaches := or .Values.route.enabled (eq (get $controller "attached") "Service") }}
{{- $affinity := get $controller "affinity" | default dict }}
{{- $seen := not (and .Values.operator.enabled (get $affinity "hidden")) }}
{{- if and $affinity $reaches $seen (eq .Values.route.affinity.mode "Controller") }}true{{ end }}
{{- end }}

{{/* What the controller needs, as JSON: annotations of route and service, fields of rule and backend, objects. */}}
{{- define "chainlit.preset" -}}
{{- $controller := include "chainlit.controller" . | fromJson }}
{{- $preset := dict }}
{{- if or .Values.route.enabled (eq (get $controller "attached") "Service") }}
{{- $preset = get $controller "settings" | default dict }}
{{- if include "chainlit.hasAffinity" . }}
{{- $preset = mergeOverwrite $preset (get $controller "affinity") }}
{{- end }}
{{- end }}
{{- toJson $preset }}
{{- end }}

{{/* The annotations of an object: the user's win over cert-manager's and the preset's. Takes (list . "route"). */}}
{{- define "chainlit.annotations" -}}
{{- $root := index . 0 }}
{{- $of := index . 1 }}
{{- $preset := get (include "chainlit.preset" $root | fromJson) $of | default dict }}
{{- $own := dict }}
{{- if eq $of "route" }}
{{- with $root.Values.route.certManager.clusterIssuer }}
{{- $_ := set $own "cert-manager.io/cluster-issuer" . }}
{{- end }}
{{- with $root.Values.route.certManager.issuer }}
{{- $_ := set $own "cert-manager.io/issuer" . }}
{{- end }}
{{- end }}
{{- with merge (dict) ((get $root.Values $of).annotations | default dict) $own $preset -}}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Why pods beyond the first could not be used: a sentence; empty if they can. */}}
{{- define "chainlit.affinityProblem" -}}
{{- $autoscaling := .Values.autoscaling | default dict }}
{{- $scales := $autoscaling.enabled | default false }}
{{- $pods := ternary "autoscaling.maxReplicas" "replicaCount" $scales }}
{{- $isSafe := or (include "chainlit.hasAffinity" .) (eq .Values.route.affinity.mode "External") }}
{{- if and (gt (ternary $autoscaling.maxReplicas .Values.replicaCount $scales | int) 1) (not $isSafe) }}
{{- $why := "no controller is named that would see to it" }}
{{- $remedy := "set route.controller to yours" }}
{{- $affinity := get (include "chainlit.controller" . | fromJson) "affinity" | default dict }}
{{- if not .Values.route.enabled }}
{{- $why = "route.enabled is false, so the chart does not see the route" }}
{{- $remedy = "see to it in your own route" }}
{{- else if and $affinity.hidden .Values.operator.enabled }}
{{- $why = printf "route.controller %s does it for route.kind %s by an object that the operator does not read" .Values.route.controller .Values.route.kind }}
{{- $remedy = "use route.kind Ingress, or set operator.enabled to false" }}
{{- else if ne .Values.route.controller "none" }}
{{- $why = printf "route.controller %s cannot do it for route.kind %s" .Values.route.controller .Values.route.kind }}
{{- $remedy = ternary "use route.kind HTTPProxy" "use another route.kind" (eq .Values.route.controller "contour") }}
{{- end }}
{{- printf "%s is above 1, but a browser has to stay at one pod, where Chainlit keeps its session, and %s: %s, or keep to one pod, or say with route.affinity.mode External that something else sees to it" $pods $why $remedy }}
{{- end }}
{{- end }}

{{/* What the schema cannot say of the route. Each message names the values and the remedy. */}}
{{- define "chainlit.validateRoute" -}}
{{- $route := .Values.route }}
{{- $kind := $route.kind }}
{{- $parents := $route.gateway.parentRefs }}
{{- $kinds := include "chainlit.kinds" . | fromJson | keys | sortAlpha }}
{{- if not (has $kind $kinds) }}
{{- fail (printf "route.kind %s is not possible with route.controller %s: use route.kind %s, or the controller that serves your route" $kind $route.controller (join " or " $kinds)) }}
{{- end }}
{{- if and $route.enabled (eq $kind "HTTPRoute") (not $parents) }}
{{- fail "route.kind HTTPRoute needs a Gateway: name it in route.gateway.parentRefs, as in [{name: gateway, namespace: infra}]" }}
{{- end }}
{{- if and (ne $kind "HTTPRoute") $parents }}
{{- fail (printf "route.gateway.parentRefs is for route.kind HTTPRoute, and route.kind is %s: remove one of the two" $kind) }}
{{- end }}
{{- if and (eq $kind "HTTPRoute") $route.className }}
{{- fail "route.className is for Ingresses, and route.kind is HTTPRoute, whose class is that of its Gateway: remove route.className" }}
{{- end }}
{{- if and (ne $kind "Ingress") (ne $route.pathType "Prefix") }}
{{- fail (printf "route.pathType %s is for Ingresses, and route.kind is %s, which always has a prefix: remove route.pathType" $route.pathType $kind) }}
{{- end }}
{{- if and (eq $kind "HTTPRoute") $route.tls }}
{{- fail "route.tls is not possible with route.kind HTTPRoute, whose certificates belong to its Gateway: remove route.tls, and set route.scheme to https" }}
{{- end }}
{{- if and (ne $kind "Ingress") (or $route.certManager.clusterIssuer $route.certManager.issuer) }}
{{- fail (printf "route.certManager is for Ingresses, and route.kind is %s: remove it, and let cert-manager issue the certificate for %s" $kind (ternary "the Gateway" "a Secret that route.tls names" (eq $kind "HTTPRoute"))) }}
{{- end }}
{{- if and $route.certManager.clusterIssuer $route.certManager.issuer }}
{{- fail "route.certManager has both clusterIssuer and issuer: remove one of the two" }}
{{- end }}
{{- $hosts := (include "chainlit.hosts" . | fromJson).hosts }}
{{- if and $route.enabled (or $route.certManager.clusterIssuer $route.certManager.issuer) }}
{{- range (include "chainlit.tls" . | fromJson).tls }}
{{- if not .hosts }}
{{- fail "route.certManager needs route.host: cert-manager issues a certificate for the hosts that it is told" }}
{{- end }}
{{- end }}
{{- end }}
{{- if eq $kind "HTTPProxy" }}
{{- range $route.tls }}
{{- if not $hosts }}
{{- fail "route.tls needs route.host with route.kind HTTPProxy, as without one TLS belongs to the HTTPProxy that includes this one: set route.host, or remove route.tls and set route.scheme to https" }}
{{- end }}
{{- if not .secretName }}
{{- fail "route.tls needs a secretName in each entry with route.kind HTTPProxy, for which Contour has no certificate of its own: name the Secret" }}
{{- end }}
{{- range .hosts }}
{{- if not (has . $hosts) }}
{{- fail (printf "route.tls has the host %s, which is none of route.host and route.hosts: with route.kind HTTPProxy each has a certificate of its own, so add it there, or remove it" .) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.tests }}
{{- if and $route.enabled .enabled .connectTo (not .url) $hosts (not (include "chainlit.testHost" $)) }}
{{- fail (printf "tests.connectTo needs a host to ask for, and the route has only %s: set tests.url" (join ", " $hosts)) }}
{{- end }}
{{- end }}
{{- $hasTLS := or $route.tls $route.certManager.clusterIssuer $route.certManager.issuer }}
{{- if and (eq $route.scheme "http") $hasTLS }}
{{- fail "route.scheme is http, but route.tls or route.certManager gives the route a certificate: remove one of the two" }}
{{- end }}
{{- if and .Values.operator.enabled $route.enabled (eq $kind "HTTPProxy") }}
{{- fail "operator.enabled is not possible with route.kind HTTPProxy: the operator reads Ingresses and HTTPRoutes; use route.kind Ingress, or set operator.enabled to false" }}
{{- end }}
{{- if and (eq $route.affinity.sameSite "None") (ne (include "chainlit.scheme" .) "https") }}
{{- fail "route.affinity.sameSite None needs https, as browsers drop such a cookie otherwise: set route.tls or route.scheme, or use Lax" }}
{{- end }}
{{- with include "chainlit.affinityProblem" . }}
{{- fail . }}
{{- end }}
{{- end }}
