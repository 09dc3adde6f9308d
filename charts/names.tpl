{{/*
Names, labels and images. Both charts have the same helpers; each name begins with the chart's own.

  CHART.name                .   the chart's name or nameOverride
  CHART.fullname            .   the name of the release's objects
  CHART.nameWith            (list . "suffix")        fullname-suffix, at most 63 characters
  CHART.validateName        .   nothing; fails if no Service can have the name
  CHART.selectorLabels      .   labels (YAML) that find the pods; they never change
  CHART.labels              .   labels (YAML) of every object: selectorLabels, Helm's, CHART.ownLabels, commonLabels
  CHART.annotations         (list . map)   the lines of an object's annotations with commonAnnotations, or nothing
  CHART.podLabels           .   labels (YAML) of the pods
  CHART.serviceAccountName  .   the name of the ServiceAccount
  CHART.imageReference      (list .Values.image "default tag" .)   repository:tag or repository@digest
  CHART.imagePullSecrets    .   JSON list: those of the values, and those of global
  CHART.podSecurityContext  (list . 65532)   JSON of the value, without the default id 65532 on OpenShift
  CHART.topologySpreadConstraints   .   YAML; one without labelSelector gets that of the pods

The chart itself defines CHART.ownLabels (. → labels as YAML, or nothing).
*/}}

{{- define "CHART.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "CHART.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "CHART.nameWith" -}}
{{- $suffix := index . 1 }}
{{- printf "%s-%s" (include "CHART.fullname" (index . 0) | trunc (int (sub 62 (len $suffix))) | trimSuffix "-") $suffix }}
{{- end }}

{{/* Helm checks for lower case at the installation, but not in helm template. */}}
{{- define "CHART.validateName" -}}
{{- with include "CHART.fullname" . }}
{{- if not (regexMatch "^[A-Za-z][-A-Za-z0-9]*$" .) }}
{{- fail (printf "fullnameOverride is needed: the name %q comes from the name of the release, and no Service can have it; set fullnameOverride to lower-case letters, digits and -, a letter first" .) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "CHART.selectorLabels" -}}
app.kubernetes.io/name: {{ include "CHART.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{/* The labels are merged as maps: a label that is given twice is written once, and the chart's own win. */}}
{{- define "CHART.labels" -}}
{{- $labels := include "CHART.selectorLabels" . | fromYaml }}
{{- $_ := set $labels "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") }}
{{- $_ := set $labels "app.kubernetes.io/managed-by" .Release.Service }}
{{- toYaml (merge $labels (include "CHART.ownLabels" . | fromYaml) (.Values.commonLabels | default dict)) }}
{{- end }}

{{- define "CHART.annotations" -}}
{{- with merge (dict) (index . 1 | default dict) ((index . 0).Values.commonAnnotations | default dict) }}
  annotations:
    {{- toYaml . | nindent 4 }}
{{- end }}
{{- end }}

{{/* Without the chart's version: a new chart version alone must not restart pods. */}}
{{- define "CHART.podLabels" -}}
{{- $labels := include "CHART.selectorLabels" . | fromYaml }}
{{- toYaml (merge $labels (.Values.podLabels | default dict) (.Values.commonLabels | default dict)) }}
{{- end }}

{{- define "CHART.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "CHART.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* global.imageRegistry replaces the registry of the repository. */}}
{{- define "CHART.imageReference" -}}
{{- $image := index . 0 }}
{{- $repository := $image.repository }}
{{- with ((index . 2).Values.global | default dict).imageRegistry }}
{{- $parts := splitList "/" $repository }}
{{- if and (gt (len $parts) 1) (regexMatch "[.:]|^localhost$" (first $parts)) }}
{{- $parts = rest $parts }}
{{- end }}
{{- $repository = printf "%s/%s" (trimSuffix "/" .) (join "/" $parts) }}
{{- end }}
{{- if $image.digest }}
{{- printf "%s@%s" $repository $image.digest }}
{{- else }}
{{- printf "%s:%s" $repository (default (index . 1) $image.tag) }}
{{- end }}
{{- end }}

{{- define "CHART.imagePullSecrets" -}}
{{- $secrets := list }}
{{- range concat (.Values.imagePullSecrets | default list) ((.Values.global | default dict).imagePullSecrets | default list) }}
{{- $secrets = append $secrets (kindIs "string" . | ternary (dict "name" .) .) }}
{{- end }}
{{- uniq $secrets | toJson }}
{{- end }}

{{/* OpenShift gives each namespace a range of ids, and refuses pods with others. Ids of the user's own stay. */}}
{{- define "CHART.podSecurityContext" -}}
{{- $root := index . 0 }}
{{- $own := index . 1 | toString }}
{{- $context := $root.Values.podSecurityContext | default dict }}
{{- $isAuto := eq (toString $root.Values.openshift) "auto" }}
{{- if or (eq (toString $root.Values.openshift) "true") (and $isAuto ($root.Capabilities.APIVersions.Has "security.openshift.io/v1")) }}
{{- range $field := list "runAsUser" "runAsGroup" "fsGroup" }}
{{- if eq (get $context $field | toString) $own }}
{{- $context = omit $context $field }}
{{- end }}
{{- end }}
{{- end }}
{{- toJson $context }}
{{- end }}

{{- define "CHART.topologySpreadConstraints" -}}
{{- $selector := dict "matchLabels" (include "CHART.selectorLabels" . | fromYaml) }}
{{- $nodes := dict "maxSkew" 1 "topologyKey" "kubernetes.io/hostname" "whenUnsatisfiable" "ScheduleAnyway" "matchLabelKeys" (list "pod-template-hash") }}
{{- $constraints := list }}
{{- range .Values.topologySpreadConstraints | default (list $nodes) }}
{{- $constraints = append $constraints (ternary . (set (deepCopy .) "labelSelector" $selector) (hasKey . "labelSelector")) }}
{{- end }}
{{- toYaml $constraints }}
{{- end }}
