{{/*
The pods of helm test. Each runs the operator's command probe once.

  testPod   (dict "root" . "name" "service" "weight" 0 "arguments" (list …))   the pod; weight is its place among the tests;
            "cookie", if there is one, is the Secret with the cookies of a user
  testHost  .   the first host of the route without a wildcard; nothing if there is none
  testName  .   value of app.kubernetes.io/name; not that of the app's pods, so no Service selects the pod
*/}}

{{- define "chainlit.testPod" -}}
{{- $root := .root }}
{{- with $root.Values.tests }}
apiVersion: v1
kind: Pod
metadata:
  name: {{ include "chainlit.fullname" $root | trunc 50 | trimSuffix "-" }}-test-{{ $.name }}
  namespace: {{ $root.Release.Namespace | quote }}
  labels:
    {{- include "chainlit.labels" $root | fromYaml | merge (dict "app.kubernetes.io/name" (include "chainlit.testName" $root) "app.kubernetes.io/component" "test") | toYaml | nindent 4 }}
  {{- $hook := dict "helm.sh/hook" "test" "helm.sh/hook-weight" (toString $.weight) "helm.sh/hook-delete-policy" "before-hook-creation" }}
  {{- include "chainlit.annotations" (list $root $hook) }}
spec:
  restartPolicy: Never
  serviceAccountName: {{ include "chainlit.serviceAccountName" $root | quote }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- with include "chainlit.imagePullSecrets" $root | fromJsonArray }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with include "chainlit.podSecurityContext" (list $root 10001) | fromJson }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $root.Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $root.Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: probe
      {{- with .image }}
      image: {{ include "chainlit.imageReference" (list . $root.Chart.Version $root) | quote }}
      {{- with .pullPolicy }}
      imagePullPolicy: {{ . }}
      {{- end }}
      {{- end }}
      args:
        - probe
        {{- toYaml $.arguments | nindent 8 }}
        - --wait={{ .waitSeconds }}
        {{- if .caConfigMap }}
        - --ca-file=/etc/chainlit-operator/authorities/{{ .caKey }}
        {{- end }}
      {{- with $.cookie }}
      env:
        - name: CHAINLIT_OPERATOR_PROBE_COOKIE
          valueFrom:
            secretKeyRef:
              name: {{ quote . }}
              key: cookie
      {{- end }}
      {{- with .resources }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities:
          drop:
            - ALL
      {{- if .caConfigMap }}
      volumeMounts:
        - name: authorities
          mountPath: /etc/chainlit-operator/authorities
          readOnly: true
      {{- end }}
  {{- with .caConfigMap }}
  volumes:
    - name: authorities
      configMap:
        name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "chainlit.testHost" -}}
{{- $named := list }}
{{- range include "chainlit.hosts" . | fromJsonArray }}
{{- if not (hasPrefix "*" .) }}{{ $named = append $named . }}{{ end }}
{{- end }}
{{- with $named }}{{ first . }}{{ end }}
{{- end }}

{{- define "chainlit.testName" -}}
{{- printf "%s-test" (include "chainlit.name" . | trunc 58 | trimSuffix "-") }}
{{- end }}
