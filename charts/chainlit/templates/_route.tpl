{{/*
The route, and what its controller needs.

  hosts               .   JSON list of the host names
  scheme              .   http or https, as browsers use it
  origin              .   scheme://host, or with a placeholder for the host
  url                 .   the app's URL
  tls                 .   JSON list for spec.tls of an Ingress
  affinityCookieName  .   name of the cookie that keeps a browser at one pod
  controller          .   JSON: what files/controllers.yaml has for route.controller and route.kind; see below
  annotations         (list . "route") or (list . "service")   YAML with the key annotations, or nothing
  affinityProblem     .   why several pods cannot work; nothing if they can
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

{{/*
A map of:

  kinds        the kinds of route that the controller serves
  hasAffinity  whether the chart itself keeps a browser at one pod
  isHidden     whether the controller has affinity only in an object that the operator does not read
  isExternal   whether the operator cannot see the affinity, so that the ChainlitApp has to state it
  replaced     the annotation of the user without which the controller's affinity has no effect; else empty
  preset       what to render: annotations of the route and the service, fields of the rule and the backend, objects

files/controllers.yaml is a template. Settings of a Service also work for a route that is not the chart's.
*/}}
{{- define "chainlit.controller" -}}
{{- $known := dict "Template" .Template
  "name" (include "chainlit.fullname" .)
  "namespace" .Release.Namespace
  "path" (include "chainlit.rootPath" . | default "/")
  "health" (.Values.authProxy.enabled | default false | ternary "/ping" (printf "%s%s" (include "chainlit.rootPath" .) (include "chainlit.normalisePath" .Values.probes.path | default "/")))
  "cookie" (include "chainlit.affinityCookieName" .)
  "sameSite" .Values.route.affinity.sameSite
  "secure" (eq (include "chainlit.scheme" .) "https" | toString) }}
{{- $controllers := tpl (.Files.Get "files/controllers.yaml") $known | fromYaml }}
{{- $kinds := omit (get $controllers .Values.route.controller) "title" }}
{{- $facts := get $kinds .Values.route.kind | default dict }}
{{- $affinity := get $facts "affinity" | default dict }}
{{- $isHidden := get $affinity "hidden" | default false }}
{{- $isRead := or .Values.route.enabled (eq (get $facts "attached") "Service") }}
{{- $isSeen := not (and .Values.operator.enabled $isHidden) }}
{{- $hasAffinity := and (not (empty $affinity)) $isRead $isSeen (eq .Values.route.affinity.mode "Controller") }}
{{- $preset := ternary (get $facts "settings" | default dict) dict $isRead }}
{{- $replaced := "" }}
{{- if $hasAffinity }}
{{- $preset = mergeOverwrite $preset $affinity }}
{{- range $of, $holds := get $facts "holds" | default dict }}
{{- $result := include "chainlit.mergedAnnotations" (list $ $of (get $preset $of)) | fromJson }}
{{- range $name, $expression := $holds }}
{{- if not (regexMatch $expression (get $result $name)) }}
{{- $replaced = printf "%s.annotations" $of | printf "%s of %s" $name }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- $isUnseen := and $hasAffinity (hasKey $affinity "objects") }}
{{- $isExternal := and (not $replaced) (or $isUnseen (eq .Values.route.affinity.mode "External")) }}
{{- $found := dict "kinds" (keys $kinds | sortAlpha) "isHidden" $isHidden "isExternal" $isExternal "preset" $preset }}
{{- merge $found (dict "replaced" $replaced "hasAffinity" (and $hasAffinity (not $replaced))) | toJson }}
{{- end }}

{{/*
Annotations of the values win over cert-manager's and the preset's; an empty one takes that of the preset away. The
attributes of a target group share one annotation, so the values' and the preset's are joined.
*/}}
{{- define "chainlit.mergedAnnotations" -}}
{{- $root := index . 0 }}
{{- $of := index . 1 }}
{{- $preset := index . 2 | default dict }}
{{- $own := dict }}
{{- if eq $of "route" }}
{{- with $root.Values.route.certManager.clusterIssuer }}
{{- $_ := set $own "cert-manager.io/cluster-issuer" . }}
{{- end }}
{{- with $root.Values.route.certManager.issuer }}
{{- $_ := set $own "cert-manager.io/issuer" . }}
{{- end }}
{{- if and (eq $root.Values.route.controller "gke") $root.Values.route.className }}
{{- $_ := set $own "kubernetes.io/ingress.class" $root.Values.route.className }}
{{- end }}
{{- end }}
{{- $given := (get $root.Values $of).annotations | default dict }}
{{- $merged := merge (dict) $given $own $preset }}
{{- range $name, $value := $given }}
{{- if and (hasKey $preset $name) (eq $value "") }}
{{- $merged = omit $merged $name }}
{{- else if and (hasKey $preset $name) (hasSuffix "/target-group-attributes" $name) (not (contains "stickiness.enabled=" $value)) }}
{{- $_ := set $merged $name (printf "%s,%s" $value (get $preset $name)) }}
{{- end }}
{{- end }}
{{- toJson $merged }}
{{- end }}

{{- define "chainlit.annotations" -}}
{{- $root := index . 0 }}
{{- $of := index . 1 }}
{{- $preset := get (include "chainlit.controller" $root | fromJson).preset $of | default dict }}
{{- with include "chainlit.mergedAnnotations" (list $root $of $preset) | fromJson -}}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "chainlit.affinityProblem" -}}
{{- $controller := include "chainlit.controller" . | fromJson }}
{{- $isSafe := or $controller.hasAffinity (eq .Values.route.affinity.mode "External") }}
{{- if and (gt (include "chainlit.mostPods" . | int) 1) (not $isSafe) }}
{{- $pods := ternary "autoscaling.maxReplicas" "replicaCount" (.Values.autoscaling.enabled | default false) }}
{{- $why := "route.controller names no controller that does it" }}
{{- $remedy := "set route.controller to yours" }}
{{- if and (not .Values.route.enabled) (not $controller.replaced) }}
{{- $why = "route.enabled is false, so the chart does not see the route" }}
{{- $remedy = "set session affinity in your own route" }}
{{- else if and $controller.isHidden .Values.operator.enabled }}
{{- $why = printf "route.controller %s does it for route.kind %s with an object that the operator does not read" .Values.route.controller .Values.route.kind }}
{{- $remedy = "use route.kind Ingress, or set operator.enabled to false" }}
{{- else if $controller.replaced }}
{{- $why = printf "your value for %s replaces the setting of route.controller %s" $controller.replaced .Values.route.controller }}
{{- $remedy = "remove it" }}
{{- else if ne .Values.route.controller "none" }}
{{- $why = printf "route.controller %s cannot do it for route.kind %s" .Values.route.controller .Values.route.kind }}
{{- $remedy = ternary "use route.kind HTTPProxy" "use another route.kind" (eq .Values.route.controller "contour") }}
{{- end }}
{{- printf "%s is above 1, but all requests of a browser must reach one pod, where Chainlit has its session, and %s: %s, or run one pod, or set route.affinity.mode to External if something else does it" $pods $why $remedy }}
{{- end }}
{{- end }}

{{- define "chainlit.validateRoute" -}}
{{- $route := .Values.route }}
{{- $kind := $route.kind }}
{{- $parents := $route.gateway.parentRefs }}
{{- $kinds := (include "chainlit.controller" . | fromJson).kinds }}
{{- if not (has $kind $kinds) }}
{{- fail (printf "route.kind %s is not possible with route.controller %s: use route.kind %s, or set route.controller to your controller" $kind $route.controller (join " or " $kinds)) }}
{{- end }}
{{- if and $route.enabled (eq $kind "HTTPRoute") (not $parents) }}
{{- fail "route.kind HTTPRoute needs a Gateway: name it in route.gateway.parentRefs, as in [{name: gateway, namespace: infra}]" }}
{{- end }}
{{- if and (ne $kind "HTTPRoute") $parents }}
{{- fail (printf "route.gateway.parentRefs is for route.kind HTTPRoute, and route.kind is %s: remove one of the two" $kind) }}
{{- end }}
{{- if and (eq $kind "HTTPRoute") $route.className }}
{{- fail "route.className is for Ingresses and HTTPProxies, and route.kind is HTTPRoute: its Gateway has the class, so remove route.className" }}
{{- end }}
{{- if and (eq $route.controller "gke") $route.className (not (has $route.className (list "gce" "gce-internal"))) }}
{{- fail (printf "route.className %s is none of GKE, which serves gce and gce-internal only: use one of the two, or set route.controller to the controller of that class" $route.className) }}
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
{{- if and .Values.operator.enabled $route.enabled (eq $kind "HTTPProxy") }}
{{- fail "operator.enabled is not possible with route.kind HTTPProxy: the operator reads Ingresses and HTTPRoutes; use route.kind Ingress, or set operator.enabled to false" }}
{{- end }}
{{- if and (eq $route.affinity.sameSite "None") (ne (include "chainlit.scheme" .) "https") }}
{{- fail "route.affinity.sameSite None needs https, because browsers drop such a cookie over http: set route.tls or route.scheme, or use Lax" }}
{{- end }}
{{- with include "chainlit.affinityProblem" . }}
{{- fail . }}
{{- end }}
{{- end }}
