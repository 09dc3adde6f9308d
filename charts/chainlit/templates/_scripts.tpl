{{/*
What the pod does before the app starts, by the Python of its image: packages of app.requirements, tables of the database,
sites of embed.origins in the image's config.toml, and the drain.

  scripts             .   JSON: the files of the ConfigMap at /run/scripts, text by name; {} if there is nothing to do
  scriptContainers    .   YAML list of init containers, or nothing
  scriptContainer     (dict "root" . "name" "migration" "arguments" list "env" list "mounts" list)   YAML of one;
                      with "isAlone" it has nothing that other objects or app.requirements have
  requirements        .   text of app.requirements, or nothing
  requirementsPath    .   directory of the packages; nothing without app.requirements
  requirementsMount   .   YAML of the volumeMount that has this directory
  pythonPath          .   PYTHONPATH with the packages; nothing without app.requirements
  migration           .   initContainer, hook, or nothing
  migrationArguments  .   JSON list: modules that the app needs for its storage
  validateScripts     .   nothing, or fails
*/}}

{{- define "chainlit.scripts" -}}
{{- $files := dict }}
{{- with include "chainlit.requirements" . }}
{{- $_ := set $files "requirements.txt" . }}
{{- $_ := set $files "requirements.py" ($.Files.Get "files/requirements.py") }}
{{- end }}
{{- if eq (include "chainlit.migration" .) "initContainer" }}
{{- $_ := set $files "migrate.py" (.Files.Get "files/migrate.py") }}
{{- end }}
{{- if include "chainlit.embedsInImage" . }}
{{- $_ := set $files "embed.py" (.Files.Get "files/embed.py") }}
{{- end }}
{{- if .Values.drain.enabled }}
{{- $_ := set $files "drain-prepare.py" (.Files.Get "files/drain/prepare.py") }}
{{- $_ := set $files "drain-sitecustomize.py" (.Files.Get "files/drain/sitecustomize.py") }}
{{- end }}
{{- if .Values.storage.s3.bucket }}
{{- $_ := set $files "aws.ini" "[default]\ns3 =\n    signature_version = s3v4\n" }}
{{- end }}
{{- toJson $files }}
{{- end }}

{{/* The packages are first, because the driver of the database may be among them. */}}
{{- define "chainlit.scriptContainers" -}}
{{- $env := include "chainlit.env" . | fromYamlArray }}
{{- if include "chainlit.requirements" . }}
{{- $theirs := list }}
{{- range $env }}
{{- if ne .name "PYTHONPATH" }}{{ $theirs = append $theirs . }}{{ end }}
{{- end }}
{{- $arguments := list "/run/scripts/requirements.py" "/run/scripts/requirements.txt" (include "chainlit.requirementsPath" .) (get (.Values.env | default dict) "PYTHONPATH" | default "") }}
{{ include "chainlit.scriptContainer" (dict "root" . "name" "requirements" "arguments" $arguments "env" $theirs "mounts" list) }}
{{- end }}
{{- if eq (include "chainlit.migration" .) "initContainer" }}
{{- $arguments := concat (list "/run/scripts/migrate.py") (include "chainlit.migrationArguments" . | fromJsonArray) }}
{{ include "chainlit.scriptContainer" (dict "root" . "name" "migration" "arguments" $arguments "env" $env "mounts" .Values.extraVolumeMounts) }}
{{- end }}
{{- if .Values.drain.enabled }}
{{ include "chainlit.drainContainer" . }}
{{- end }}
{{- if include "chainlit.embedsInImage" . }}
{{- $root := include "chainlit.appRootPath" . }}
{{- $arguments := concat (list "/run/scripts/embed.py" (printf "%s/.chainlit/config.toml" $root) (include "chainlit.configFile" .)) .Values.embed.origins }}
{{ include "chainlit.scriptContainer" (dict "root" . "name" "embed" "arguments" $arguments "isAlone" true "mounts" (list (dict "name" "app-root" "mountPath" $root))) }}
{{- end }}
{{- end }}

{{- define "chainlit.scriptContainer" -}}
{{- $root := .root -}}
- name: {{ .name }}
  image: {{ include "chainlit.imageReference" (list $root.Values.image "latest" $root) | quote }}
  {{- with $root.Values.image.pullPolicy }}
  imagePullPolicy: {{ . }}
  {{- end }}
  command:
    - {{ quote $root.Values.chainlit.appRoot.python }}
    {{- range .arguments }}
    - {{ quote . }}
    {{- end }}
  workingDir: /tmp
  {{- with .env }}
  env:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if not .isAlone }}
  {{- with $root.Values.envFrom }}
  envFrom:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
  {{- with include "chainlit.resources" $root | fromYaml }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $root.Values.securityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts:
    - name: tmp
      mountPath: /tmp
    - name: scripts
      mountPath: /run/scripts
      readOnly: true
    {{- if not .isAlone }}
    {{- with include "chainlit.requirementsMount" $root }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- end }}
    {{- with .mounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}

{{- define "chainlit.requirements" -}}
{{- with .Values.app.requirements }}
{{- kindIs "string" . | ternary . (kindIs "slice" . | ternary (join "\n" .) "") | trim }}
{{- end }}
{{- end }}

{{/* Other packages, or another image, get another directory: a volume that stays may have the packages of several pods. */}}
{{- define "chainlit.requirementsPath" -}}
{{- with include "chainlit.requirements" . }}
{{- $image := include "chainlit.imageReference" (list $.Values.image "latest" $) }}
{{- printf "/requirements/%s" (list . $image $.Values.chainlit.appRoot.python | join "\n" | sha256sum | trunc 12) }}
{{- end }}
{{- end }}

{{- define "chainlit.requirementsMount" -}}
{{- if include "chainlit.requirements" . }}
{{- if .Values.app.keepRequirements -}}
- name: data
  mountPath: /requirements
  subPath: {{ printf "%s/.requirements" .Values.persistence.subPath | trimPrefix "/" | quote }}
{{- else -}}
- name: requirements
  mountPath: /requirements
{{- end }}
{{- end }}
{{- end }}

{{- define "chainlit.pythonPath" -}}
{{- with include "chainlit.requirementsPath" . }}
{{- print . (get ($.Values.env | default dict) "PYTHONPATH" | default "" | printf ":%s" | trimSuffix ":") }}
{{- end }}
{{- end }}

{{- define "chainlit.migration" -}}
{{- with .Values.database }}
{{- if and .existingSecret (ne .migration "none") }}{{ .migration }}{{ end }}
{{- end }}
{{- end }}

{{- define "chainlit.migrationArguments" -}}
{{- $provider := empty .Values.storage.s3.bucket | ternary .Values.storage.provider "s3" }}
{{- $modules := dict "s3" (list "boto3") "gcs" (list "google.cloud.storage") "azure" (list "azure.storage.filedatalake") }}
{{- get $modules $provider | default list | toJson }}
{{- end }}

{{- define "chainlit.validateScripts" -}}
{{- if include "chainlit.requirements" . }}
{{- range .Values.extraEnv }}
{{- if eq .name "PYTHONPATH" }}
{{- fail "PYTHONPATH is not allowed in extraEnv beside app.requirements, whose packages it would hide; move it to env, and the chart adds the packages to it" }}
{{- end }}
{{- end }}
{{- if kindIs "map" (get (.Values.env | default dict) "PYTHONPATH") }}
{{- fail "env.PYTHONPATH has a valueFrom, and the chart must add the packages of app.requirements to it; write the value itself" }}
{{- end }}
{{- end }}
{{- if .Values.app.keepRequirements }}
{{- if not (include "chainlit.requirements" .) }}
{{- fail "app.keepRequirements has nothing to keep; set app.requirements, or remove it" }}
{{- end }}
{{- if not .Values.persistence.enabled }}
{{- fail "app.keepRequirements needs a volume; set persistence.enabled, or remove it: then each pod installs the packages" }}
{{- end }}
{{- end }}
{{- $names := keys (.Values.env | default dict) }}
{{- range .Values.extraEnv }}{{ $names = append $names .name }}{{ end }}
{{- with .Values.storage.s3 }}
{{- if and .bucket $.Values.storage.provider }}
{{- fail "storage.s3.bucket and storage.provider are set, but there is only one storage; remove storage.provider and storage.existingSecret" }}
{{- else if and .bucket (not .existingSecret) }}
{{- fail "storage.s3.bucket has no storage.s3.existingSecret; set it to a Secret with the keys APP_AWS_ACCESS_KEY and APP_AWS_SECRET_KEY" }}
{{- else if and (or .existingSecret .endpoint) (not .bucket) }}
{{- fail "storage.s3 has no bucket; set storage.s3.bucket" }}
{{- else if and .bucket (not .region) }}
{{- fail "storage.s3.region is empty, and Chainlit uses no bucket without it; set the region, or us-east-1 for a server of your own" }}
{{- end }}
{{- if and .bucket (not $.Values.database.existingSecret) (not $.Values.envFrom) (not (has "DATABASE_URL" $names)) }}
{{- fail "storage.s3 has no effect without a database: Chainlit reads it only beside DATABASE_URL; set database.existingSecret, or remove storage.s3" }}
{{- end }}
{{- end }}
{{- end }}
