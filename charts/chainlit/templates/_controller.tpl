{{/*
What the controller of the route needs: files/controllers.yaml, and values of the user's own merged over it.

  controllers         .   JSON: files/controllers.yaml, by controller
  class               .   the class of the Ingress or HTTPProxy, or of the Gateway
  controllerOfClass   .   the controller with this class, or nothing
  controllerName      .   route.controller, or what auto finds
  controller          .   JSON: what is rendered of it; see below
  joinedAnnotations   (list . "route" preset joined)   JSON: the annotations of the user, the preset and the chart
  unmet               (list alternative found)   the first value without which an alternative of `holds` is not met, or nothing
  affinityProblem     .   why several pods cannot work; nothing if they can
  validateController  .   nothing, or fails
*/}}

{{/* files/controllers.yaml is a template. */}}
{{- define "chainlit.controllers" -}}
{{- $known := dict "Template" .Template
  "name" (include "chainlit.fullname" .)
  "namespace" .Release.Namespace
  "path" (include "chainlit.rootPath" . | default "/")
  "health" (.Values.authProxy.enabled | default false | ternary "/ping" (printf "%s%s" (include "chainlit.rootPath" .) (include "chainlit.normalisePath" .Values.probes.path | default "/")))
  "cookie" (include "chainlit.affinityCookieName" .)
  "sameSite" (include "chainlit.affinitySameSite" .)
  "secure" (eq (include "chainlit.scheme" .) "https" | toString) }}
{{- tpl (.Files.Get "files/controllers.yaml") $known | fromYaml | toJson }}
{{- end }}

{{- define "chainlit.class" -}}
{{- if eq .Values.route.kind "HTTPRoute" }}
{{- .Values.route.gateway.className }}
{{- else }}
{{- .Values.route.className | default (get (.Values.route.annotations | default dict) "kubernetes.io/ingress.class") }}
{{- end }}
{{- end }}

{{- define "chainlit.controllerOfClass" -}}
{{- $class := include "chainlit.class" . }}
{{- $of := ternary "gatewayClasses" "classes" (eq .Values.route.kind "HTTPRoute") }}
{{- range $controller, $facts := include "chainlit.controllers" . | fromJson }}
{{- if has $class (get $facts $of | default list) }}{{ $controller }}{{ end }}
{{- end }}
{{- end }}

{{/* The router of OpenShift serves Ingresses without a class, if they have a host. */}}
{{- define "chainlit.controllerName" -}}
{{- $isOpenShift := and (eq .Values.route.kind "Ingress") (.Capabilities.APIVersions.Has "route.openshift.io/v1") }}
{{- $name := "none" }}
{{- if ne .Values.route.controller "auto" }}
{{- $name = .Values.route.controller }}
{{- else if eq .Values.route.kind "HTTPProxy" }}
{{- $name = "contour" }}
{{- else if include "chainlit.class" . }}
{{- $name = include "chainlit.controllerOfClass" . | default "none" }}
{{- else if and $isOpenShift (include "chainlit.hosts" . | fromJsonArray) }}
{{- $name = "openshift" }}
{{- end }}
{{- $name }}
{{- end }}

{{/*
A map of:

  name         the controller
  kinds        the kinds of route that it serves
  hasAffinity  whether something in the values or the preset keeps a browser at one pod
  isHidden     whether the controller has affinity only in an object that the operator does not read
  isLax        whether the controller's cookie has no SameSite, so browsers send it from the app's own pages only
  isExternal   whether the operator cannot see the affinity, so that the ChainlitApp has to state it
  unsafe       why auto leaves a part of the preset out; else empty
  replaced     the value of the user without which the controller's affinity has no effect; else empty
  annotations  of the route and the service, with those of the user
  preset       what else to render: fields of the rule and the backend, and objects, with those of the user

Settings of a Service also work for a route that is not the chart's.
*/}}
{{- define "chainlit.controller" -}}
{{- $controllers := include "chainlit.controllers" . | fromJson }}
{{- $name := include "chainlit.controllerName" . }}
{{- $kinds := omit (get $controllers $name) "title" "classes" "gatewayClasses" }}
{{- $facts := get $kinds .Values.route.kind | default dict }}
{{- $settings := get $facts "settings" | default dict }}
{{- $affinity := get $facts "affinity" | default dict }}
{{- $isHidden := get $affinity "hidden" | default false }}
{{- $isRead := or .Values.route.enabled (eq (get $facts "attached") "Service") }}
{{- $unsafe := include "chainlit.unsafe" (list . $name $settings $affinity) | fromJson }}
{{- $isSeen := not (or (and .Values.operator.enabled $isHidden) $unsafe.affinity) }}
{{- $hasAffinity := and (not (empty $affinity)) $isRead $isSeen (eq .Values.route.affinity.mode "Controller") }}
{{- $preset := ternary $settings dict (and $isRead (not $unsafe.settings)) | deepCopy }}
{{- if $hasAffinity }}{{ $preset = mergeOverwrite $preset (omit $affinity "hidden" "byClass" "isLax" | deepCopy) }}{{ end }}
{{- $preset = include "chainlit.withFields" (list . $preset) | fromJson }}
{{- $annotations := dict }}
{{- range $of := list "route" "service" }}
{{- $_ := set $annotations $of (include "chainlit.joinedAnnotations" (list $ $of (get $preset $of) (get $facts "joined")) | fromJson) }}
{{- end }}
{{- $found := dict "annotations" $annotations "preset" $preset }}
{{- $replaced := include "chainlit.replaced" (list $facts $found) }}
{{- if and $replaced (not (hasPrefix "route." $replaced)) }}{{ $preset = omit $preset "objects" }}{{ end }}
{{- $isOwn := include "chainlit.isOwnAffinity" (list . $controllers $name) }}
{{- $isUnseen := and $hasAffinity (or (hasKey $affinity "objects") (and $affinity.byClass (not (include "chainlit.class" .)))) }}
{{- dict "name" $name "kinds" (keys $kinds | sortAlpha) "isHidden" $isHidden "unsafe" $unsafe.why
  "hasAffinity" (or (and $hasAffinity (not $replaced)) (not (empty $isOwn)))
  "isLax" (and $hasAffinity (get $affinity "isLax") | default false)
  "replaced" (ternary $replaced "" $hasAffinity)
  "isExternal" (or (eq .Values.route.affinity.mode "External") (and $isUnseen (not $replaced)))
  "annotations" $annotations "preset" $preset | toJson }}
{{- end }}

{{/*
JSON of the parts that auto leaves out, because a wrong guess would break the route: a kind that the cluster does not have,
and a backend that is not the Service.
*/}}
{{- define "chainlit.unsafe" -}}
{{- $root := index . 0 }}
{{- $found := dict "settings" false "affinity" false "why" "" }}
{{- if eq $root.Values.route.controller "auto" }}
{{- $objects := mergeOverwrite dict (get (index . 2) "objects" | default dict | deepCopy) (get (index . 3) "objects" | default dict | deepCopy) }}
{{- range $kind, $object := $objects }}
{{- if not ($root.Capabilities.APIVersions.Has (printf "%s/%s" $object.apiVersion $kind)) }}
{{- $_ := set $found "affinity" true }}
{{- $_ := set $found "why" (printf "route.controller auto finds %s, but no %s in the cluster, which helm template sees only with --api-versions %s/%s" (index $ 1) $kind $object.apiVersion $kind) }}
{{- if hasKey (get (index $ 2) "objects" | default dict) $kind }}{{ $_ := set $found "settings" true }}{{ end }}
{{- end }}
{{- end }}
{{- if hasKey (index . 3) "backend" }}
{{- $_ := set $found "affinity" true }}
{{- $_ := set $found "why" (printf "route.controller auto finds %s, and does not replace the Service behind the HTTPRoute by an object of %s" (index . 1) (index . 1)) }}
{{- end }}
{{- end }}
{{- toJson $found }}
{{- end }}

{{/* JSON of the preset with the fields of route.rule and route.policy. */}}
{{- define "chainlit.withFields" -}}
{{- $route := (index . 0).Values.route }}
{{- $preset := deepCopy (index . 1) }}
{{- with $route.rule }}
{{- $_ := set $preset "rule" (mergeOverwrite (get $preset "rule" | default dict) (deepCopy .)) }}
{{- end }}
{{- range $kind, $fields := $route.policy }}
{{- with get (get $preset "objects" | default dict) $kind }}
{{- $_ := set . "spec" (mergeOverwrite .spec (deepCopy ($fields | default dict))) }}
{{- end }}
{{- end }}
{{- toJson $preset }}
{{- end }}

{{/*
Annotations of the values win over the chart's and the preset's; an empty one takes that of the preset away. Lists and maps
are joined.
*/}}
{{- define "chainlit.joinedAnnotations" -}}
{{- $root := index . 0 }}
{{- $of := index . 1 }}
{{- $preset := index . 2 | default dict }}
{{- $joined := index . 3 | default dict }}
{{- $own := dict }}
{{- if eq $of "route" }}
{{- with $root.Values.route.certManager.clusterIssuer }}
{{- $_ := set $own "cert-manager.io/cluster-issuer" . }}
{{- end }}
{{- with $root.Values.route.certManager.issuer }}
{{- $_ := set $own "cert-manager.io/issuer" . }}
{{- end }}
{{- if and (eq (include "chainlit.controllerName" $root) "gke") $root.Values.route.className }}
{{- $_ := set $own "kubernetes.io/ingress.class" $root.Values.route.className }}
{{- end }}
{{- end }}
{{- $given := (get $root.Values $of).annotations | default dict }}
{{- $merged := merge dict $given $own $preset }}
{{- range $name, $value := $given }}
{{- $ours := get $preset $name }}
{{- $join := get $joined $name | default dict }}
{{- if and (hasKey $preset $name) (eq $value "") }}
{{- $merged = omit $merged $name }}
{{- else if and $ours (eq ($join.by | default "") "json") }}
{{- $maps := $value | fromJson }}
{{- if not (hasKey $maps "Error") }}{{ $_ := set $merged $name (mergeOverwrite ($ours | fromJson) $maps | toJson) }}{{ end }}
{{- else if and $ours $join.by (not (regexMatch $join.unless $value)) }}
{{- $_ := set $merged $name (print $value $join.by $ours) }}
{{- end }}
{{- end }}
{{- toJson $merged }}
{{- end }}

{{- define "chainlit.unmet" -}}
{{- $alternative := index . 0 }}
{{- $found := index . 1 }}
{{- $unmet := "" }}
{{- range $path, $expression := $alternative.fields | default dict }}
{{- $steps := splitList "." $path }}
{{- $isRule := eq (first $steps) "rule" }}
{{- $value := $found.preset.rule | default dict }}
{{- if not $isRule }}{{ $value = get (get ($found.preset.objects | default dict) (first $steps) | default dict) "spec" }}{{ end }}
{{- range rest $steps }}{{ $value = kindIs "map" $value | ternary (get ($value | default dict) .) "" }}{{ end }}
{{- if not (regexMatch $expression (toString $value)) }}{{ $unmet = printf "route.%s%s" ($isRule | ternary "" "policy.") $path }}{{ end }}
{{- end }}
{{- range $of := list "service" "route" }}
{{- range $name, $expression := get $alternative $of | default dict }}
{{- if not (regexMatch $expression (get (get $found.annotations $of) $name)) }}{{ $unmet = printf "%s of %s.annotations" $name $of }}{{ end }}
{{- end }}
{{- end }}
{{- $unmet }}
{{- end }}

{{/* The first value for which the first alternative of holds is not met, if no alternative is met; else nothing. */}}
{{- define "chainlit.replaced" -}}
{{- $found := index . 1 }}
{{- $unmet := list }}
{{- range (index . 0).holds }}
{{- $unmet = append $unmet (include "chainlit.unmet" (list . $found)) }}
{{- end }}
{{- if and $unmet (not (has "" $unmet)) }}{{ first $unmet }}{{ end }}
{{- end }}

{{/*
"true" if annotations or the rule of the user's own keep a browser at one pod, by themselves. Without route.controller
the class says whose count; those of every controller if it is none of the usual ones.
*/}}
{{- define "chainlit.isOwnAffinity" -}}
{{- $root := index . 0 }}
{{- $controllers := index . 1 }}
{{- $name := index . 2 }}
{{- $route := $root.Values.route }}
{{- $given := dict "service" ($root.Values.service.annotations | default dict) "route" (ternary $route.annotations dict $route.enabled | default dict) }}
{{- $found := dict "annotations" $given "preset" (dict "rule" ($route.rule | default dict)) }}
{{- $names := list (eq $name "none" | ternary (include "chainlit.controllerOfClass" $root) $name) | compact | default (keys $controllers) }}
{{- $met := "" }}
{{- range $names }}
{{- range (get (get $controllers .) $route.kind | default dict).holds }}
{{- if and (not (include "chainlit.unmet" (list . $found))) (include "chainlit.unmet" (list . (dict "annotations" (dict "route" dict "service" dict) "preset" dict))) }}
{{- $met = "true" }}
{{- end }}
{{- end }}
{{- end }}
{{- $met }}
{{- end }}

{{- define "chainlit.affinityProblem" -}}
{{- $controller := include "chainlit.controller" . | fromJson }}
{{- $name := $controller.name }}
{{- $isSafe := or $controller.hasAffinity (eq .Values.route.affinity.mode "External") }}
{{- if and (gt (include "chainlit.mostPods" . | int) 1) (not $isSafe) }}
{{- $pods := ternary "autoscaling.maxReplicas" "replicaCount" (.Values.autoscaling.enabled | default false) }}
{{- $class := include "chainlit.class" . }}
{{- $value := ternary "route.gateway.className" "route.className" (eq .Values.route.kind "HTTPRoute") }}
{{- $why := "route.controller names no controller that does it" }}
{{- $remedy := "set route.controller to yours" }}
{{- if and (not .Values.route.enabled) (not $controller.replaced) }}
{{- $why = "route.enabled is false, so the chart does not see the route" }}
{{- $remedy = "set session affinity in your own route" }}
{{- else if and $controller.isHidden .Values.operator.enabled }}
{{- $why = printf "route.controller %s does it for route.kind %s with an object that the operator does not read" $name .Values.route.kind }}
{{- $remedy = "use route.kind Ingress, or set operator.enabled to false" }}
{{- else if $controller.unsafe }}
{{- $why = $controller.unsafe }}
{{- $remedy = printf "set route.controller to %s" $name }}
{{- else if $controller.replaced }}
{{- $why = printf "your value for %s replaces the setting of route.controller %s" $controller.replaced $name }}
{{- $remedy = "remove it" }}
{{- else if ne $name "none" }}
{{- $why = printf "route.controller %s cannot do it for route.kind %s" $name .Values.route.kind }}
{{- $remedy = ternary "use route.kind HTTPProxy" "use another route.kind" (eq $name "contour") }}
{{- else if and (eq .Values.route.controller "auto") $class }}
{{- $why = printf "route.controller auto knows no controller with the %s %s" $value $class }}
{{- else if eq .Values.route.controller "auto" }}
{{- $why = printf "route.controller auto finds the controller by %s, which is empty" $value }}
{{- $remedy = printf "set %s, or route.controller to yours" $value }}
{{- end }}
{{- printf "%s is above 1, but all requests of a browser must reach one pod, where Chainlit has its session, and %s: %s, or run one pod, or set route.affinity.mode to External if something else does it" $pods $why $remedy }}
{{- end }}
{{- end }}

{{- define "chainlit.validateController" -}}
{{- $route := .Values.route }}
{{- $controller := include "chainlit.controller" . | fromJson }}
{{- if not (has $route.kind $controller.kinds) }}
{{- fail (printf "route.kind %s is not possible with route.controller %s: use route.kind %s, or set route.controller to your controller" $route.kind $controller.name (join " or " $controller.kinds)) }}
{{- end }}
{{- if and (eq $controller.name "gke") $route.className (not (has $route.className (list "gce" "gce-internal"))) }}
{{- fail (printf "route.className %s is none of GKE, which serves gce and gce-internal only: use one of the two, or set route.controller to the controller of that class" $route.className) }}
{{- end }}
{{- if and $route.enabled (eq $route.controller "openshift") (not (include "chainlit.hosts" . | fromJsonArray)) }}
{{- fail "route.controller openshift needs route.host: the router of OpenShift serves no Ingress without a host" }}
{{- end }}
{{- if and $route.gateway.className (ne $route.kind "HTTPRoute") }}
{{- fail (printf "route.gateway.className is for route.kind HTTPRoute, and route.kind is %s: use route.className" $route.kind) }}
{{- end }}
{{- if and $route.rule (eq $route.kind "Ingress") }}
{{- fail "route.rule is for HTTPRoutes and HTTPProxies, and route.kind is Ingress, whose rules have no more fields: use route.annotations" }}
{{- end }}
{{- range $field := list "matches" "backendRefs" "conditions" "services" }}
{{- if hasKey ($route.rule | default dict) $field }}
{{- fail (printf "route.rule has %s, which the chart sets: remove it, and use route.path; a route of your own goes to extraObjects, with route.enabled=false" $field) }}
{{- end }}
{{- end }}
{{- $objects := keys (get $controller.preset "objects" | default dict) | sortAlpha }}
{{- range $kind, $_ := $route.policy }}
{{- if not (has $kind $objects) }}
{{- $why := $controller.unsafe | default (printf "the chart makes no such object for route.controller %s" $controller.name) }}
{{- if eq $route.affinity.mode "External" }}{{ $why = printf "with route.affinity.mode External %s" $why }}{{ end }}
{{- if $controller.replaced }}{{ $why = printf "your value for %s names another object" $controller.replaced }}{{ end }}
{{- fail (printf "route.policy has %s, but %s: %s" $kind $why (empty $objects | ternary "remove it, or set route.controller to the controller that reads it" (printf "use %s" (join " or " $objects)))) }}
{{- end }}
{{- end }}
{{- end }}
