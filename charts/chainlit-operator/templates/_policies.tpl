{{/*
What the admission policies share.

  hasPolicies    .   "true" if the API server has ValidatingAdmissionPolicies; otherwise nothing
  isOperator     .   CEL: the request is the operator's
  policyName     (list . "adopted")   name of a policy and of its binding
  policyBinding  (dict "root" . "name" "adopted" "policy" .Values.admissionPolicy "paramRef" …)   a binding; paramRef
                 (a map) may be left out
  differences    (list "new" "old" "['a']" "'prefix.'")   CEL: the keys that differ between two maps; see below
  appsThatOwn    "object"   CEL: the ownerReferences of the object that name a ChainlitApp as its controller
*/}}

{{/* helm template has no list of API versions. The chart then assumes an API server of a version that it supports. */}}
{{- define "chainlit-operator.hasPolicies" -}}
{{- if .Capabilities.APIVersions.Has "v1/Pod" }}
{{- if .Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy" }}true{{ end }}
{{- else }}true{{ end }}
{{- end }}

{{- define "chainlit-operator.isOperator" -}}
request.userInfo.username == {{ printf "system:serviceaccount:%s:%s" .Release.Namespace (include "chainlit-operator.serviceAccountName" .) | squote }}
{{- end }}

{{/* Policies have no namespace, so their names contain the release's. */}}
{{- define "chainlit-operator.policyName" -}}
{{- printf "%s.%s.%s" (include "chainlit-operator.fullname" (index . 0)) (index . 0).Release.Namespace (index . 1) }}
{{- end }}

{{- define "chainlit-operator.policyBinding" -}}
{{- $name := include "chainlit-operator.policyName" (list .root .name) }}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ $name | quote }}
  labels:
    {{- include "chainlit-operator.labels" .root | nindent 4 }}
  {{- include "chainlit-operator.annotations" (list .root dict) }}
spec:
  policyName: {{ $name | quote }}
  {{- with .paramRef }}
  paramRef: {{ toJson . }}
  {{- end }}
  validationActions: {{ toJson .policy.validationActions }}
{{- end }}

{{/*
The keys come from the objects, so the policy also sees fields that a later version of Kubernetes adds. Example:

  differences (list "new" "old" "['path']" "'httpGet.'")

gives, for new = {path: /b, port: 2, host: x} and old = {path: /a, port: 1}, the list ['httpGet.port', 'httpGet.host']:
the port differs, the host was added, and the path may differ.
*/}}
{{- define "chainlit-operator.differences" -}}
{{- $new := index . 0 }}{{ $old := index . 1 }}{{ $but := index . 2 }}{{ $prefix := index . 3 -}}
{{ $new }}.map(k, !(k in {{ $but }}) && !(k in {{ $old }} && {{ $new }}[k] == {{ $old }}[k]), {{ $prefix }} + k)
+ {{ $old }}.map(k, !(k in {{ $but }}) && !(k in {{ $new }}), {{ $prefix }} + k)
{{- end }}

{{- define "chainlit-operator.appsThatOwn" -}}
{{ . }}.metadata.?ownerReferences.orValue([]).filter(o, o.apiVersion.startsWith('chainlit-operator.dev/')
  && o.kind == 'ChainlitApp' && o.?controller.orValue(false))
{{- end }}
