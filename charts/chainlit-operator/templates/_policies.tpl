{{/* Not empty where the API server has ValidatingAdmissionPolicies, as all that the chart is for do unless told otherwise. */}}
{{- define "chainlit-operator.hasPolicies" -}}
{{- if .Capabilities.APIVersions.Has "v1/Pod" }}
{{- if .Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy" }}true{{ end }}
{{- else }}true{{ end }}
{{- end }}

{{/* Policies have no namespace, so the release's is in their names. */}}
{{- define "chainlit-operator.policyName" -}}
{{- printf "%s.%s.%s" (include "chainlit-operator.fullname" (index . 0)) (index . 0).Release.Namespace (index . 1) }}
{{- end }}

{{/* The binding of a policy: everywhere, for whom it is about is in the policy itself. */}}
{{- define "chainlit-operator.policyBinding" -}}
{{- $name := include "chainlit-operator.policyName" . }}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ $name | quote }}
  labels:
    {{- include "chainlit-operator.labels" (index . 0) | nindent 4 }}
spec:
  policyName: {{ $name | quote }}
  validationActions: {{ toJson (index . 0).Values.admissionPolicy.validationActions }}
{{- end }}

{{/*
CEL: the keys whose values differ between two maps, each behind a prefix. Keys are looked at whatever they are called, so
a field that some future release of Kubernetes has is compared too.
Arguments: the new map, the old map, a list of keys to leave out, the prefix; each an expression.
*/}}
{{- define "chainlit-operator.differences" -}}
{{- $new := index . 0 }}{{ $old := index . 1 }}{{ $but := index . 2 }}{{ $prefix := index . 3 -}}
{{ $new }}.map(k, !(k in {{ $but }}) && !(k in {{ $old }} && {{ $new }}[k] == {{ $old }}[k]), {{ $prefix }} + k)
+ {{ $old }}.map(k, !(k in {{ $but }}) && !(k in {{ $new }}), {{ $prefix }} + k)
{{- end }}

{{/* CEL: the ownerReferences of an object that say that a ChainlitApp created it. */}}
{{- define "chainlit-operator.appsThatOwn" -}}
{{ . }}.metadata.?ownerReferences.orValue([]).filter(o, o.apiVersion.startsWith('chainlit-operator.dev/')
  && o.kind == 'ChainlitApp' && o.?controller.orValue(false))
{{- end }}
