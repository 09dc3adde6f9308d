{{/*
Values that cannot work, beyond the schema. Each message names the value and the remedy.

  validate         .   nothing, or fails; deployment.yaml calls it, because every release has a Deployment
  validateRunning  .   the part about pods
  validateService  .   the part about the Service
  validateFiles (_files.tpl), validateSettings (_settings.tpl), validateAuthProxy (_authproxy.tpl), validateScripts (_scripts.tpl),
  validateDrain (_drain.tpl) and validateRoute (_route.tpl) are further parts.
*/}}

{{- define "chainlit.validate" -}}
{{- if not .Values.image.repository }}
{{- fail "image.repository is required: set it to the image of your Chainlit app" }}
{{- end }}
{{- include "chainlit.validateName" . }}
{{- with include "chainlit.rootPath" . | include "chainlit.pathProblem" }}
{{- fail (printf "route.path %q cannot be served by Chainlit: %s; use a path such as /chat or /team/chat" $.Values.route.path .) }}
{{- end }}
{{- if eq .Values.route.pathType "Exact" }}
{{- fail "route.pathType Exact lets only the page through, and not the assets and the WebSocket below route.path; use Prefix" }}
{{- end }}
{{- $onlyPlace := "route.path is the only place for the path; remove it and set route.path" }}
{{- range $name, $value := .Values.env }}
{{- if and (kindIs "float64" $value) (not (regexMatch "^-?[0-9]{1,15}$" (toJson $value))) }}
{{- fail (printf "env.%s is a number that Helm does not keep as it is written; quote it, as in %s: \"2024.10\"" $name $name) }}
{{- end }}
{{- end }}
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
{{- fail "CHAINLIT_PORT is not allowed in env or extraEnv: Service and probes need the port too; remove it and set chainlit.port" }}
{{- end }}
{{- include "chainlit.validateRunning" . }}
{{- include "chainlit.validateService" . }}
{{- include "chainlit.validateFiles" . }}
{{- include "chainlit.validateSettings" . }}
{{- include "chainlit.validateAuthProxy" . }}
{{- include "chainlit.validateScripts" . }}
{{- include "chainlit.validateDrain" . }}
{{- if contains "--root-path" (concat (.Values.chainlit.command | default list) (.Values.chainlit.args | default list) | join " ") }}
{{- fail (printf "--root-path is not allowed in chainlit.command or chainlit.args: %s" $onlyPlace) }}
{{- end }}
{{- include "chainlit.validateRoute" . }}
{{- include "chainlit.validateEmbed" . }}
{{- end }}

{{- define "chainlit.validateRunning" -}}
{{- with .Values.chainlit.appRoot.path }}
{{- if regexMatch "^/+(tmp/*)?$" . }}
{{- fail (printf "chainlit.appRoot.path %s is not possible: %s; use a directory of its own, such as /data or /tmp/chainlit" . (ternary "tmpVolume is mounted there" "the image's files are there" (contains "tmp" .))) }}
{{- end }}
{{- end }}
{{- if hasKey (.Values.chainlit.appRoot.volume | default dict) "persistentVolumeClaim" }}
{{- fail "chainlit.appRoot.volume has a persistentVolumeClaim, but a pod that ends deletes Chainlit's files there, also those of the pod that replaces it, and uploads fail: remove it, and use persistence for files of the app's own" }}
{{- end }}
{{- with .Values.persistence }}
{{- $root := include "chainlit.appRootPath" $ | default "/tmp" }}
{{- if and .enabled (has (trimSuffix "/" .mountPath) (list "" "/tmp" $root (printf "%s/.files" $root) (printf "%s/.chainlit" $root))) }}
{{- fail (printf "persistence.mountPath %s is not possible: Chainlit or the chart has files of its own there; use another directory, such as /data" .mountPath) }}
{{- end }}
{{- if and (include "chainlit.isOnOneNode" $) (gt (include "chainlit.mostPods" $ | int) 1) }}
{{- fail (printf "persistence.accessModes has no ReadWriteMany, so there can be one pod only, and %s allows several; set it to 1, or use a storage class with ReadWriteMany" (ternary "autoscaling.maxReplicas" "replicaCount" ($.Values.autoscaling.enabled | default false))) }}
{{- end }}
{{- end }}
{{- with .Values.autoscaling }}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) }}
{{- fail (printf "autoscaling.minReplicas %d is above autoscaling.maxReplicas %d; lower minReplicas or raise maxReplicas" (int .minReplicas) (int .maxReplicas)) }}
{{- end }}
{{- if and .enabled (not .targetCPUUtilizationPercentage) (not .targetMemoryUtilizationPercentage) (not .metrics) }}
{{- fail "autoscaling.enabled needs a metric; set autoscaling.targetCPUUtilizationPercentage or autoscaling.metrics" }}
{{- end }}
{{- end }}
{{- with .Values.podDisruptionBudget }}
{{- if and .enabled (has .minAvailable (list nil "")) (has .maxUnavailable (list nil "")) }}
{{- fail "podDisruptionBudget.enabled needs a number; set podDisruptionBudget.maxUnavailable or podDisruptionBudget.minAvailable" }}
{{- end }}
{{- end }}
{{- $hook := get (.Values.lifecycle | default dict) "preStop" | default dict }}
{{- $pause := get (get $hook "sleep" | default dict) "seconds" | default 0 | int }}
{{- if gt $pause (int .Values.terminationGracePeriodSeconds) }}
{{- fail (printf "terminationGracePeriodSeconds %d is less than lifecycle.preStop.sleep.seconds %d, which it includes; raise terminationGracePeriodSeconds or lower the sleep" (int .Values.terminationGracePeriodSeconds) $pause) }}
{{- end }}
{{- $own := dict "containers" "extraContainers" "initContainers" "initContainers" "volumes" "extraVolumes" "serviceAccountName" "serviceAccount.name" "securityContext" "podSecurityContext" "automountServiceAccountToken" "serviceAccount.automount" "enableServiceLinks" "nothing: Chainlit reads CHAINLIT_PORT" }}
{{- range list "terminationGracePeriodSeconds" "imagePullSecrets" "priorityClassName" "nodeSelector" "tolerations" "affinity" "topologySpreadConstraints" }}
{{- $_ := set $own . . }}
{{- end }}
{{- range $field, $_ := .Values.extraPodSpec }}
{{- with get $own $field }}
{{- fail (printf "extraPodSpec has %s, which the chart sets itself; remove it and use %s" $field .) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "chainlit.validateService" -}}
{{- $service := .Values.service }}
{{- if eq $service.type "ClusterIP" }}
{{- range list "nodePort" "loadBalancerClass" "loadBalancerSourceRanges" "externalTrafficPolicy" }}
{{- if get $service . }}
{{- fail (printf "service.%s has no effect with service.type ClusterIP; set service.type to LoadBalancer or NodePort, or remove it" .) }}
{{- end }}
{{- end }}
{{- end }}
{{- range $service.extraPorts }}
{{- if eq (.name | default "") "http" }}
{{- fail "service.extraPorts has a port named http, which the chart has; give it another name, or set service.targetPort to lead to another port of the pod" }}
{{- end }}
{{- end }}
{{- end }}
