{{/*
Settings of Chainlit: secrets and the public URL.

  providers         .   files/providers.yaml, as JSON
  secretEnv         .   JSON: the variables of Secrets, {NAME: {valueFrom: …}}, and what belongs to them as text
  authSecretName    .   name of the Secret with CHAINLIT_AUTH_SECRET; nothing if there is none
  authSecretKey     .   the key in that Secret
  authSecret        .   the text for the Secret that the chart makes; nothing if it makes none
  publicURL         .   CHAINLIT_URL, or nothing
  validateSettings  .   nothing, or fails
*/}}

{{- define "chainlit.providers" -}}
{{- .Files.Get "files/providers.yaml" | fromYaml | toJson }}
{{- end }}

{{- define "chainlit.secretEnv" -}}
{{- $env := dict }}
{{- with include "chainlit.authSecretName" . }}
{{- $reference := dict "name" . "key" (include "chainlit.authSecretKey" $) }}
{{- $_ := set $env "CHAINLIT_AUTH_SECRET" (dict "valueFrom" (dict "secretKeyRef" $reference)) }}
{{- end }}
{{- with .Values.database }}
{{- if .existingSecret }}
{{- $reference := dict "name" .existingSecret "key" .key }}
{{- $_ := set $env "DATABASE_URL" (dict "valueFrom" (dict "secretKeyRef" $reference)) }}
{{- end }}
{{- end }}
{{- $providers := include "chainlit.providers" . | fromJson }}
{{- $sources := list }}
{{- range $provider, $settings := .Values.oauth }}
{{- $sources = append $sources (dict "secret" $settings.existingSecret "variables" (get $providers.oauth $provider)) }}
{{- end }}
{{- with .Values.storage }}
{{- if .provider }}
{{- $sources = append $sources (dict "secret" .existingSecret "variables" (get $providers.storage .provider)) }}
{{- end }}
{{- end }}
{{- with .Values.storage.s3 }}
{{- if .bucket }}
{{- $_ := set $env "BUCKET_NAME" .bucket }}
{{- $_ := set $env "APP_AWS_REGION" .region }}
{{- with .endpoint }}{{ $_ := set $env "DEV_AWS_ENDPOINT" . }}{{ end }}
{{- /* In the oldest regions boto3 signs links in a way that Amazon refuses for buckets made since 2020. */}}
{{- $_ := set $env "AWS_CONFIG_FILE" "/run/scripts/aws.ini" }}
{{- $sources = append $sources (dict "secret" .existingSecret "variables" (dict "required" (list "APP_AWS_ACCESS_KEY" "APP_AWS_SECRET_KEY"))) }}
{{- end }}
{{- end }}
{{- range $source := $sources }}
{{- range .variables.required }}
{{- $_ := set $env . (dict "valueFrom" (dict "secretKeyRef" (dict "name" $source.secret "key" .))) }}
{{- end }}
{{- range .variables.optional }}
{{- $_ := set $env . (dict "valueFrom" (dict "secretKeyRef" (dict "name" $source.secret "key" . "optional" true))) }}
{{- end }}
{{- end }}
{{- toJson $env }}
{{- end }}

{{- define "chainlit.authSecretName" -}}
{{- with .Values.auth }}
{{- if .existingSecret }}
{{- .existingSecret }}
{{- else if or .secret .generate }}
{{- include "chainlit.nameWith" (list $ "auth") }}
{{- end }}
{{- end }}
{{- end }}

{{- define "chainlit.authSecretKey" -}}
{{- ternary .Values.auth.key "CHAINLIT_AUTH_SECRET" (not (empty .Values.auth.existingSecret)) }}
{{- end }}

{{/*
A generated text is random. An upgrade finds the text of the release's Secret in the cluster and keeps it. Without a
cluster each rendering would give another text, and end all logins. The result differs from call to call, so
deployment.yaml calls this helper once.
*/}}
{{- define "chainlit.authSecret" -}}
{{- $name := include "chainlit.authSecretName" . }}
{{- if or .Values.auth.existingSecret (not $name) }}
{{- else if .Values.auth.secret }}
{{- .Values.auth.secret }}
{{- else }}
{{- $found := lookup "v1" "Secret" .Release.Namespace $name | default dict }}
{{- $data := $found.data | default dict }}
{{- if hasKey $data "CHAINLIT_AUTH_SECRET" }}
{{- $data.CHAINLIT_AUTH_SECRET | b64dec }}
{{- else if lookup "v1" "Secret" .Release.Namespace "" }}
{{- randAlphaNum 64 }}
{{- else }}
{{- fail "auth.generate needs a cluster, to find the secret of the release: with helm template, Argo CD or --dry-run=client each rendering would make another one; use --dry-run=server, or create a Secret and set auth.existingSecret" }}
{{- end }}
{{- end }}
{{- end }}

{{/*
The origin without a path: Chainlit adds the root path. The values must give exactly one host, and its scheme: without scheme
and certificate, TLS may end before the route. Otherwise Chainlit uses the headers of the request, which is right if the ingress
controller passes host and scheme.
*/}}
{{- define "chainlit.publicURL" -}}
{{- $hosts := include "chainlit.hosts" . | fromJsonArray }}
{{- $isKnown := or .Values.route.scheme (eq (include "chainlit.scheme" .) "https") }}
{{- if .Values.chainlit.url }}
{{- .Values.chainlit.url | trimSuffix "/" }}
{{- else if and .Values.route.enabled $isKnown (eq (len $hosts) 1) (not (hasPrefix "*" (first $hosts))) }}
{{- include "chainlit.origin" . }}
{{- end }}
{{- end }}

{{- define "chainlit.validateSettings" -}}
{{- with .Values.auth }}
{{- $ways := list }}
{{- if .existingSecret }}{{ $ways = append $ways "auth.existingSecret" }}{{ end }}
{{- if .secret }}{{ $ways = append $ways "auth.secret" }}{{ end }}
{{- if .generate }}{{ $ways = append $ways "auth.generate" }}{{ end }}
{{- if gt (len $ways) 1 }}
{{- fail (printf "%s are set, but there is only one CHAINLIT_AUTH_SECRET; keep one of them" (join " and " $ways)) }}
{{- end }}
{{- end }}
{{- $known := (include "chainlit.providers" . | fromJson).oauth }}
{{- range $provider, $settings := .Values.oauth }}
{{- if not (hasKey $known $provider) }}
{{- fail (printf "oauth.%s is not a provider of Chainlit; use one of %s" $provider (keys $known | sortAlpha | join ", ")) }}
{{- end }}
{{- end }}
{{- $names := keys (.Values.env | default dict) }}
{{- range .Values.extraEnv }}{{ $names = append $names .name }}{{ end }}
{{- if and .Values.oauth (not (include "chainlit.authSecretName" .)) (not .Values.envFrom) (not (has "CHAINLIT_AUTH_SECRET" $names)) }}
{{- fail "oauth needs a secret that signs logins; set auth.existingSecret, auth.secret or auth.generate" }}
{{- end }}
{{- with .Values.storage }}
{{- if and .existingSecret (not .provider) }}
{{- fail "storage.existingSecret has no storage.provider; set it to s3, gcs or azure" }}
{{- else if and .provider (not .existingSecret) }}
{{- fail (printf "storage.provider %s has no storage.existingSecret; set it to a Secret with the keys %s" .provider (get (include "chainlit.providers" $ | fromJson).storage .provider | dig "required" list | join ", ")) }}
{{- end }}
{{- end }}
{{- if and .Values.storage.provider (not .Values.database.existingSecret) (not .Values.envFrom) (not (has "DATABASE_URL" $names)) }}
{{- fail "storage has no effect without a database: Chainlit reads it only beside DATABASE_URL; set database.existingSecret, or remove storage" }}
{{- end }}
{{- with .Values.chainlit.url }}
{{- if not (regexMatch "^https?://[^/?#\\s]+/?$" .) }}
{{- fail (printf "chainlit.url %q is not an origin such as https://example.com; remove the path, because Chainlit adds it" .) }}
{{- end }}
{{- end }}
{{- end }}
