{{/* Settings of Chainlit that are secret: variables that come from Secrets by name. */}}

{{/*
The variables of each OAuth provider, by the id that Chainlit has for it: those that it asks for, and those that it also
reads. From chainlit/oauth_providers.py of 2.12.0.
*/}}
{{- define "chainlit.oauthProviders" -}}
github:
  required: [OAUTH_GITHUB_CLIENT_ID, OAUTH_GITHUB_CLIENT_SECRET]
  optional: [OAUTH_GITHUB_AUTH_URL, OAUTH_GITHUB_TOKEN_URL, OAUTH_GITHUB_USER_INFO_URL]
google:
  required: [OAUTH_GOOGLE_CLIENT_ID, OAUTH_GOOGLE_CLIENT_SECRET]
  optional: []
azure-ad:
  required: [OAUTH_AZURE_AD_CLIENT_ID, OAUTH_AZURE_AD_CLIENT_SECRET, OAUTH_AZURE_AD_TENANT_ID]
  optional: [OAUTH_AZURE_AD_ENABLE_SINGLE_TENANT, OAUTH_AZURE_AD_SCOPES]
azure-ad-hybrid:
  required: [OAUTH_AZURE_AD_HYBRID_CLIENT_ID, OAUTH_AZURE_AD_HYBRID_CLIENT_SECRET, OAUTH_AZURE_AD_HYBRID_TENANT_ID]
  optional: [OAUTH_AZURE_AD_HYBRID_ENABLE_SINGLE_TENANT, OAUTH_AZURE_AD_HYBRID_SCOPES]
okta:
  required: [OAUTH_OKTA_CLIENT_ID, OAUTH_OKTA_CLIENT_SECRET, OAUTH_OKTA_DOMAIN]
  optional: [OAUTH_OKTA_AUTHORIZATION_SERVER_ID]
auth0:
  required: [OAUTH_AUTH0_CLIENT_ID, OAUTH_AUTH0_CLIENT_SECRET, OAUTH_AUTH0_DOMAIN]
  optional: [OAUTH_AUTH0_ORIGINAL_DOMAIN]
descope:
  required: [OAUTH_DESCOPE_CLIENT_ID, OAUTH_DESCOPE_CLIENT_SECRET]
  optional: []
aws-cognito:
  required: [OAUTH_COGNITO_CLIENT_ID, OAUTH_COGNITO_CLIENT_SECRET, OAUTH_COGNITO_DOMAIN]
  optional: [OAUTH_COGNITO_SCOPE]
gitlab:
  required: [OAUTH_GITLAB_CLIENT_ID, OAUTH_GITLAB_CLIENT_SECRET, OAUTH_GITLAB_DOMAIN]
  optional: []
keycloak:
  required: [OAUTH_KEYCLOAK_CLIENT_ID, OAUTH_KEYCLOAK_CLIENT_SECRET, OAUTH_KEYCLOAK_REALM, OAUTH_KEYCLOAK_BASE_URL]
  optional: [OAUTH_KEYCLOAK_NAME]
generic:
  required:
    - OAUTH_GENERIC_CLIENT_ID
    - OAUTH_GENERIC_CLIENT_SECRET
    - OAUTH_GENERIC_AUTH_URL
    - OAUTH_GENERIC_TOKEN_URL
    - OAUTH_GENERIC_USER_INFO_URL
    - OAUTH_GENERIC_SCOPES
  optional: [OAUTH_GENERIC_NAME, OAUTH_GENERIC_USER_IDENTIFIER]
{{- end }}

{{/* The same for storage. From chainlit/data/__init__.py of 2.12.0. */}}
{{- define "chainlit.storageProviders" -}}
s3:
  required: [BUCKET_NAME, APP_AWS_REGION, APP_AWS_ACCESS_KEY, APP_AWS_SECRET_KEY]
  optional: [DEV_AWS_ENDPOINT]
gcs:
  required: [BUCKET_NAME, APP_GCS_PROJECT_ID]
  optional: [APP_GCS_CLIENT_EMAIL, APP_GCS_PRIVATE_KEY]
azure:
  required: [BUCKET_NAME, APP_AZURE_STORAGE_ACCOUNT, APP_AZURE_STORAGE_ACCESS_KEY]
  optional: []
{{- end }}

{{/* Variables that come from Secrets, as YAML: names with {valueFrom: …}. */}}
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
{{- $providers := include "chainlit.oauthProviders" . | fromYaml }}
{{- range $provider, $settings := .Values.oauth }}
{{- include "chainlit.referTo" (list $env $settings.existingSecret (get $providers $provider)) }}
{{- end }}
{{- with .Values.storage }}
{{- if .provider }}
{{- include "chainlit.referTo" (list $env .existingSecret (get (include "chainlit.storageProviders" . | fromYaml) .provider)) }}
{{- end }}
{{- end }}
{{- if $env }}{{ toYaml $env }}{{ end }}
{{- end }}

{{/* Puts references to a Secret's keys into an environment. Takes (list environment secret variables). */}}
{{- define "chainlit.referTo" -}}
{{- $env := index . 0 }}
{{- $secret := index . 1 }}
{{- $variables := index . 2 }}
{{- range $variables.required }}
{{- $_ := set $env . (dict "valueFrom" (dict "secretKeyRef" (dict "name" $secret "key" .))) }}
{{- end }}
{{- range $variables.optional }}
{{- $_ := set $env . (dict "valueFrom" (dict "secretKeyRef" (dict "name" $secret "key" . "optional" true))) }}
{{- end }}
{{- end }}

{{/* The Secret that has CHAINLIT_AUTH_SECRET; nothing if there is none. */}}
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
The text of the Secret that the chart makes. A generated one is looked up, so that it is the same in each upgrade, and kept
for this rendering, as Deployment and Secret both ask for it. Where there is no cluster to look in, each rendering would
make another one, which logs everybody out.
*/}}
{{- define "chainlit.authSecret" -}}
{{- if .Values.auth.secret }}
{{- .Values.auth.secret }}
{{- else }}
{{- $key := "CHAINLIT_AUTH_SECRET" }}
{{- $memory := .Values.auth }}
{{- if not (hasKey $memory "generated") }}
{{- $found := lookup "v1" "Secret" .Release.Namespace (include "chainlit.authSecretName" .) | default dict }}
{{- $data := $found.data | default dict }}
{{- if hasKey $data $key }}
{{- $_ := set $memory "generated" (get $data $key | b64dec) }}
{{- else if not (lookup "v1" "Secret" .Release.Namespace "") }}
{{- fail "auth.generate needs a cluster, to find the secret that it made before: with helm template, Argo CD or --dry-run=client it would be another one each time; use --dry-run=server, or create a Secret and set auth.existingSecret" }}
{{- else }}
{{- $_ := set $memory "generated" (randAlphaNum 64) }}
{{- end }}
{{- end }}
{{- $memory.generated }}
{{- end }}
{{- end }}

{{/*
CHAINLIT_URL: the origin, for Chainlit adds the root path. Left out unless the one origin is known for sure, as Chainlit
then takes it from the request, which is right wherever the edge passes on host and scheme. Where the values name neither
scheme nor certificate, TLS may still end in front of the route.
*/}}
{{- define "chainlit.publicURL" -}}
{{- $hosts := (include "chainlit.hosts" . | fromJson).hosts }}
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
{{- fail (printf "%s are both set; there is one CHAINLIT_AUTH_SECRET, so keep one of them" (join " and " $ways)) }}
{{- end }}
{{- end }}
{{- $known := include "chainlit.oauthProviders" . | fromYaml }}
{{- range $provider, $settings := .Values.oauth }}
{{- if not (hasKey $known $provider) }}
{{- fail (printf "oauth.%s is no provider of Chainlit; use one of %s" $provider (keys $known | sortAlpha | join ", ")) }}
{{- end }}
{{- end }}
{{- $names := keys (.Values.env | default dict) }}
{{- range .Values.extraEnv }}{{ $names = append $names .name }}{{ end }}
{{- if and .Values.oauth (not (include "chainlit.authSecretName" .)) (not .Values.envFrom) (not (has "CHAINLIT_AUTH_SECRET" $names)) }}
{{- fail "oauth needs a secret to sign logins with; set auth.existingSecret, auth.secret or auth.generate" }}
{{- end }}
{{- with .Values.storage }}
{{- if and .existingSecret (not .provider) }}
{{- fail "storage.existingSecret has no storage.provider; set it to s3, gcs or azure" }}
{{- else if and .provider (not .existingSecret) }}
{{- fail (printf "storage.provider %s has no storage.existingSecret; name the Secret that has %s" .provider (get (include "chainlit.storageProviders" . | fromYaml) .provider | dig "required" list | join ", ")) }}
{{- end }}
{{- end }}
{{- with .Values.chainlit.url }}
{{- if not (regexMatch "^https?://[^/?#\\s]+/?$" .) }}
{{- fail (printf "chainlit.url %q is not an origin such as https://example.com; Chainlit adds the path of the route by itself" .) }}
{{- end }}
{{- end }}
{{- end }}
