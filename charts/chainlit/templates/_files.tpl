{{/*
The files of the app. One ConfigMap has them. They are mounted read-only into the app root, a volume that Chainlit can
write to. An init container shows the image's files in the same volume.

  hasFiles            .   "true", or nothing
  files               .   JSON: {"name below the app root": {"text": …} or {"binary": base64}}
  configFile          .   the text of config.toml
  fileKey             "file name"   key of the file in the ConfigMap
  appRootPath         .   path of the app root; nothing if the image decides
  appRootContainer    .   YAML of the init container that fills the app root
  appRootMounts       (dict "path" appRootPath "names" fileNames)   YAML list of volumeMounts
  isOwnCommand        .   "true" if the values have a command of their own; otherwise nothing
  runsFiles           .   "true" if the container runs app.entrypoint; otherwise nothing
  unknownSettings     (dict "root" . "given" map "known" map "where" "chainlit.config.UI")   lines of settings that Chainlit does
                      not know; fails for one that is a mistake for another
  validateFiles, validateEntrypoint, validateSize   .   nothing, or fails
*/}}

{{- define "chainlit.hasFiles" -}}
{{- if or .Values.app.files .Values.app.binaryFiles .Values.chainlit.readme .Values.chainlit.translations .Values.chainlit.config }}true{{ end }}
{{- end }}

{{- define "chainlit.appRootPath" -}}
{{- $names := keys (.Values.env | default dict) }}
{{- range .Values.extraEnv }}{{ $names = append $names .name }}{{ end }}
{{- $path := .Values.chainlit.appRoot.path | default "" }}
{{- if or (include "chainlit.hasFiles" .) .Values.app.existingConfigMap }}
{{- $path = default "/chainlit" $path }}
{{- else if has "CHAINLIT_APP_ROOT" $names }}
{{- $path = "" }}
{{- end }}
{{- trimSuffix "/" $path }}
{{- end }}

{{/*
The image's Python runs without what the image has it read at the start, and without its working directory. The volumes of
the user's own are there too, because Chainlit's files may be in them; those in the app root come later.
*/}}
{{- define "chainlit.appRootContainer" -}}
{{- $appRoot := include "chainlit.appRootPath" . }}
{{- with .Values.chainlit.appRoot -}}
- name: app-root
  image: {{ include "chainlit.imageReference" (list $.Values.image "latest" $) | quote }}
  {{- with $.Values.image.pullPolicy }}
  imagePullPolicy: {{ . }}
  {{- end }}
  command:
    - {{ quote .python }}
    - -IS
    - -c
    - {{ $.Files.Get "files/app_root.py" | quote }}
    - {{ quote $appRoot }}
    - /run/app-root
    - {{ .imageDir | default "" | quote }}
    - {{ empty $.Values.app.existingConfigMap | ternary "" "/run/app-files" | quote }}
    {{- $mounted := list }}
    {{- range keys (include "chainlit.files" $ | fromJson) | sortAlpha }}
    {{- if not (hasPrefix ".chainlit/" .) }}
    {{- $mounted = append $mounted (splitList "/" . | first) }}
    {{- end }}
    {{- end }}
    {{- range uniq $mounted }}
    - {{ quote . }}
    {{- end }}
  {{- with include "chainlit.resources" $ | fromYaml }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $.Values.securityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts:
    - name: app-root
      mountPath: /run/app-root
    {{- if $.Values.app.existingConfigMap }}
    - name: existing-files
      mountPath: /run/app-files
      readOnly: true
    {{- end }}
    {{- range $.Values.extraVolumeMounts }}
    {{- if not (hasPrefix (printf "%s/" $appRoot) (printf "%s/" .mountPath)) }}
    - {{ toYaml . | indent 6 | trim }}
    {{- end }}
    {{- end }}
{{- end }}
{{- end }}

{{/* No file comes from two values: chainlit.validateFiles refuses that. */}}
{{- define "chainlit.files" -}}
{{- $files := dict }}
{{- range $name, $text := .Values.app.files }}
{{- $_ := set $files $name (dict "text" $text) }}
{{- end }}
{{- range $name, $data := .Values.app.binaryFiles }}
{{- $_ := set $files $name (dict "binary" (regexReplaceAll "\\s" $data "")) }}
{{- end }}
{{- with .Values.chainlit.readme }}
{{- $_ := set $files "chainlit.md" (dict "text" .) }}
{{- end }}
{{- range $language, $texts := .Values.chainlit.translations }}
{{- $text := kindIs "string" $texts | ternary $texts (toPrettyJson $texts) }}
{{- $_ := set $files (printf ".chainlit/translations/%s.json" $language) (dict "text" $text) }}
{{- end }}
{{- if .Values.chainlit.config }}
{{- $_ := set $files ".chainlit/config.toml" (dict "text" (include "chainlit.configFile" .)) }}
{{- end }}
{{- toJson $files }}
{{- end }}

{{/*
Settings that are not in chainlit.config are as in the file that Chainlit writes itself. Three of them have another default if the
file does not have them. Chainlit refuses a file without UI.name and meta.generated_by.
*/}}
{{- define "chainlit.configFile" -}}
{{- $config := dict
  "project" (dict "session_timeout" 3600)
  "features" (dict "spontaneous_file_upload" (dict "enabled" true "accept" (list "*/*") "max_files" 20 "max_size_mb" 500))
  "UI" (dict "name" "Assistant")
  "meta" (dict "generated_by" .Chart.AppVersion) }}
{{- $embedded := ternary dict (dict "project" (dict "allow_origins" .Values.embed.origins)) (empty .Values.embed.origins) }}
{{- /*
Helm reads every number as a float, and TOML distinguishes 3600 from 3600.0. JSON has 3600: each number outside quotes gets
quotes and a mark there, and loses both in the TOML text.
*/}}
{{- $marked := "" }}
{{- range regexFindAll `"(?:[^"\\]|\\.)*"|[^"]+` (mergeOverwrite $config (deepCopy .Values.chainlit.config) $embedded | toJson) -1 }}
{{- $marked = print $marked (ternary . (regexReplaceAll `-?[0-9][0-9.e+-]*` . `"\u0000${0}"`) (hasPrefix `"` .)) }}
{{- end }}
{{- $text := regexReplaceAll `"\\u0000([^"]*)"` ($marked | fromJson | toToml) "${1}" }}
{{- if not (contains "generated_by" $text) }}
{{- fail (printf "chainlit.config is not possible in TOML: %s; remove values that TOML does not have, such as null in a list" $text) }}
{{- end }}
{{- $text }}
{{- end }}

{{/* A key has no slashes. */}}
{{- define "chainlit.fileKey" -}}
{{- if regexMatch "^[-._A-Za-z0-9]+$" . }}
{{- . }}
{{- else }}
{{- printf "%s-%s" (regexReplaceAll "[^-._A-Za-z0-9]+" . "-") (sha256sum . | trunc 8) }}
{{- end }}
{{- end }}

{{/*
Each directory is one mount, except .chainlit and its translations. Chainlit adds missing files there, so these directories stay
on the writable volume, and each of their files is a mount.
*/}}
{{- define "chainlit.appRootMounts" -}}
{{- $root := .path }}
{{- $names := sortAlpha .names -}}
- name: app-root
  mountPath: {{ $root }}
{{- $entries := list }}
{{- range list ".chainlit" ".chainlit/translations" }}
{{- $directory := . }}
{{- range $names }}
{{- if hasPrefix (printf "%s/" $directory) . }}
{{- $entries = append $entries $directory }}
{{- end }}
{{- end }}
{{- end }}
{{- range uniq $entries }}
- name: app-root
  mountPath: {{ printf "%s/%s" $root . }}
  subPath: {{ . }}
{{- end }}
{{- $entries = list }}
{{- range $names }}
{{- $entries = append $entries (hasPrefix ".chainlit/" . | ternary . (splitList "/" . | first)) }}
{{- end }}
{{- range uniq $entries }}
- name: app-files
  mountPath: {{ printf "%s/%s" $root . | quote }}
  subPath: {{ quote . }}
  readOnly: true
{{- end }}
{{- end }}

{{/* Arguments that begin with an option are added to the command; others replace that of the image. */}}
{{- define "chainlit.isOwnCommand" -}}
{{- $arguments := .Values.chainlit.args | default list }}
{{- if or .Values.chainlit.command (and $arguments (not (hasPrefix "-" (first $arguments)))) }}true{{ end }}
{{- end }}

{{- define "chainlit.runsFiles" -}}
{{- if and (not (include "chainlit.isOwnCommand" .)) .Values.app.entrypoint (or .Values.app.existingConfigMap (hasKey (.Values.app.files | default dict) .Values.app.entrypoint)) }}true{{ end }}
{{- end }}

{{- define "chainlit.validateFiles" -}}
{{- $given := dict }}
{{- range $value := list "files" "binaryFiles" }}
{{- range $name, $content := index $.Values.app $value }}
{{- $where := printf "app.%s has %q" $value $name }}
{{- if hasKey $given $name }}
{{- fail (printf "%s, and app.files has it too; remove one of the two" $where) }}
{{- end }}
{{- $_ := set $given $name $where }}
{{- range splitList "/" $name }}
{{- if or (eq . "") (eq . ".") (hasPrefix ".." .) }}
{{- fail (printf "%s, which is not a path below the app root; use names such as app.py or public/style.css" $where) }}
{{- end }}
{{- end }}
{{- if or (gt (len $name) 200) (regexMatch "[:\\\\\\x00-\\x1f]" $name) }}
{{- fail (printf "%s; use names of at most 200 characters without : and \\" $where) }}
{{- end }}
{{- if hasPrefix ".files/" $name }}
{{- fail (printf "%s, but Chainlit empties .files at its end; use another directory" $where) }}
{{- end }}
{{- end }}
{{- end }}
{{- range $name, $data := .Values.app.binaryFiles }}
{{- if not (regexMatch "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$" (regexReplaceAll "\\s" $data "")) }}
{{- fail (printf "app.binaryFiles has %q with text that is not base64; use the output of base64, or app.files for text" $name) }}
{{- end }}
{{- end }}
{{- range $section, $settings := .Values.chainlit.config }}
{{- if not (has $section (list "project" "features" "UI" "meta")) }}
{{- fail (printf "Chainlit does not read the section chainlit.config.%s; use project, features, UI or meta" $section) }}
{{- else if not (or (kindIs "map" $settings) (kindIs "invalid" $settings)) }}
{{- fail (printf "chainlit.config.%s is not a section of settings; write it as a map, as in {UI: {name: Helpdesk}}" $section) }}
{{- end }}
{{- end }}
{{- $_ := include "chainlit.unknownConfig" . }}
{{- $generated := dict }}
{{- with .Values.chainlit }}
{{- if .config }}{{ $_ := set $generated ".chainlit/config.toml" "chainlit.config" }}{{ end }}
{{- if .readme }}{{ $_ := set $generated "chainlit.md" "chainlit.readme" }}{{ end }}
{{- range $language, $_ := .translations }}
{{- $_ := set $generated (printf ".chainlit/translations/%s.json" $language) (printf "chainlit.translations.%s" $language) }}
{{- end }}
{{- end }}
{{- range $name, $value := $generated }}
{{- with get $given $name }}
{{- fail (printf "%s, and %s makes this file too; remove one of the two" . $value) }}
{{- end }}
{{- end }}
{{- range $name, $where := $given }}
{{- range $other, $_ := $given }}
{{- if hasPrefix (printf "%s/" $name) $other }}
{{- fail (printf "%s and %q: a file and a directory cannot have the same name; rename one" $where $other) }}
{{- end }}
{{- end }}
{{- end }}
{{- include "chainlit.validateEntrypoint" . }}
{{- include "chainlit.validateSize" . }}
{{- end }}

{{- define "chainlit.unknownConfig" -}}
{{- $known := .Files.Get "files/settings.yaml" | fromYaml }}
{{- include "chainlit.unknownSettings" (dict "root" . "given" .Values.chainlit.config "known" $known "where" "chainlit.config") }}
{{- end }}

{{/* A later release of Chainlit may have more settings, so only a mistake is refused. */}}
{{- define "chainlit.unknownSettings" -}}
{{- range $name, $value := .given }}
{{- $place := printf "%s.%s" $.where $name }}
{{- $known := get $.known $name }}
{{- if hasKey $.known $name }}
{{- if and $known (kindIs "map" $value) }}
{{- include "chainlit.unknownSettings" (dict "root" $.root "given" $value "known" $known "where" $place) }}
{{- end }}
{{- else }}
{{- $meant := list }}
{{- range include "chainlit.similar" (dict "name" $name "keys" $.known) | splitList " " | compact }}
{{- $meant = append $meant (printf "%s.%s" $.where .) }}
{{- end }}
{{- range $section, $settings := $.root.Files.Get "files/settings.yaml" | fromYaml }}
{{- if and (hasKey $settings $name) (not (has $name (list "name" "enabled"))) }}{{ $meant = append $meant (printf "chainlit.config.%s.%s" $section $name) }}{{ end }}
{{- end }}
{{- with $meant }}
{{- fail (printf "%s is not a setting of Chainlit, which ignores it; did you mean %s?" $place (uniq . | join " or ")) }}
{{- end }}
{{ $place }}
{{- end }}
{{- end }}
{{- end }}

{{/* Without this check, modules would be mounted, but the image would run something else. */}}
{{- define "chainlit.validateEntrypoint" -}}
{{- if and .Values.app.entrypoint (not (include "chainlit.isOwnCommand" .)) (not (include "chainlit.runsFiles" .)) }}
{{- range $name, $_ := .Values.app.files }}
{{- if and (hasSuffix ".py" $name) (not (contains "/" $name)) }}
{{- fail (printf "app.files has %q but not %q, the file that runs; set app.entrypoint to the file that runs, or to \"\" for the command of the image" $name $.Values.app.entrypoint) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Helm keeps values and manifests in one Secret of at most 1048576 bytes, compressed and in base64. A binary file comes to
8/3 of its size there, and a text to about a third of that.
*/}}
{{- define "chainlit.validateSize" -}}
{{- $total := 0 }}
{{- $weight := 0 }}
{{- $largest := dict "name" "" "size" -1 }}
{{- range $name, $file := include "chainlit.files" . | fromJson }}
{{- $size := len ($file.text | default "") }}
{{- $share := div (mul 8 $size) 9 }}
{{- with $file.binary }}
{{- $size = div (mul 3 (len .)) 4 }}
{{- $share = div (mul 8 $size) 3 }}
{{- end }}
{{- $total = add $total $size }}
{{- $weight = add $weight $share }}
{{- if gt $size (int $largest.size) }}
{{- $largest = dict "name" $name "size" $size }}
{{- end }}
{{- end }}
{{- if or (gt $total 1048576) (gt $weight 960000) }}
{{- fail (printf "app.files are too large: %q has %d bytes, all files together have %d; a ConfigMap may have 1048576, and Helm keeps about 350000 bytes of files that are not text: build the file into the image, or mount a volume with extraVolumes and extraVolumeMounts" $largest.name (int $largest.size) $total) }}
{{- end }}
{{- end }}
