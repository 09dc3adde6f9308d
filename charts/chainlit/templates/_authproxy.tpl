{{/*
The login in front of the app: oauth2-proxy, which the Service leads to in the place of the app.

  authProxyContainer   .   YAML of the init container that keeps running beside the app
  authProxyArguments   .   YAML list of its arguments
  authProxyEnv         .   YAML list of its variables
  authProxyPrefix      .   path below which the proxy itself answers, such as /chat/oauth2
  authProxyCookieName  .   name of its cookie
  validateAuthProxy    .   nothing, or fails
*/}}

{{/*
It is last among the init containers. So it starts before the app, as a proxy should, and ends after it: while a pod waits in
its preStop hook, or closes its connections, requests still go through the proxy.
*/}}
{{- define "chainlit.authProxyContainer" -}}
{{- with .Values.authProxy -}}
- name: auth-proxy
  image: {{ include "chainlit.imageReference" (list .image "latest" $) | quote }}
  {{- with .image.pullPolicy }}
  imagePullPolicy: {{ . }}
  {{- end }}
  restartPolicy: Always
  args:
    {{- include "chainlit.authProxyArguments" $ | nindent 4 }}
  env:
    {{- include "chainlit.authProxyEnv" $ | trim | nindent 4 }}
  ports:
    - name: auth-proxy
      containerPort: {{ .port }}
      protocol: TCP
  readinessProbe:
    httpGet:
      path: /ready
      port: {{ .port }}
    periodSeconds: 5
    timeoutSeconds: 5
  livenessProbe:
    httpGet:
      path: /ping
      port: {{ .port }}
    periodSeconds: 20
    timeoutSeconds: 10
  {{- with .resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .securityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .extraVolumeMounts }}
  volumeMounts:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}

{{/*
Without --redirect-url the proxy takes host and scheme from the headers of the request. A page that tries to connect again
must not begin a login of its own with each request, which would end that of another window: for the socket the proxy answers
401. The user's arguments are last, so they win.
*/}}
{{- define "chainlit.authProxyArguments" -}}
{{- $path := include "chainlit.rootPath" . }}
{{- $url := include "chainlit.publicURL" . }}
{{- $isSecure := or (hasPrefix "https://" $url) (eq (include "chainlit.scheme" .) "https") }}
{{- $proxy := .Values.authProxy }}
{{- $arguments := list "--provider=oidc" }}
{{- with $proxy.issuerURL }}
{{- $arguments = append $arguments (printf "--oidc-issuer-url=%s" .) }}
{{- end }}
{{- with $proxy.scopes }}
{{- $arguments = append $arguments (printf "--scope=%s" (join " " .)) }}
{{- end }}
{{- range $proxy.emailDomains }}
{{- $arguments = append $arguments (printf "--email-domain=%s" .) }}
{{- end }}
{{- $arguments = concat $arguments (list
  (printf "--http-address=:%v" $proxy.port)
  (printf "--upstream=http://127.0.0.1:%v/" .Values.chainlit.port)
  (printf "--proxy-prefix=%s" (include "chainlit.authProxyPrefix" .))
  (printf "--cookie-name=%s" (include "chainlit.authProxyCookieName" .))
  (printf "--cookie-path=%s" (default "/" $path))
  (printf "--cookie-secure=%v" $isSecure)
  (printf "--api-route=^%s/ws/" (regexQuoteMeta $path))
  "--reverse-proxy=true"
  "--skip-provider-button=true"
  "--silence-ping-logging=true") }}
{{- with $url }}
{{- $arguments = append $arguments (printf "--redirect-url=%s%s/callback" . (include "chainlit.authProxyPrefix" $)) }}
{{- end }}
{{- concat $arguments ($proxy.extraArgs | default list) | toYaml }}
{{- end }}

{{- define "chainlit.authProxyEnv" -}}
{{- $names := list }}
{{- range .Values.authProxy.extraEnv }}{{ $names = append $names .name }}{{ end }}
{{- range $name, $key := dict "OAUTH2_PROXY_CLIENT_ID" "client-id" "OAUTH2_PROXY_CLIENT_SECRET" "client-secret" "OAUTH2_PROXY_COOKIE_SECRET" "cookie-secret" }}
{{- if not (has $name $names) }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ $.Values.authProxy.existingSecret | quote }}
      key: {{ $key }}
{{- end }}
{{- end }}
{{- with .Values.authProxy.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "chainlit.authProxyPrefix" -}}
{{- printf "%s/oauth2" (include "chainlit.rootPath" .) }}
{{- end }}

{{/* Two apps on one host have different secrets: with one cookie, a login to the one would end the login to the other. */}}
{{- define "chainlit.authProxyCookieName" -}}
{{- printf "%s_%s_oauth2_proxy" .Release.Namespace (include "chainlit.fullname" .) }}
{{- end }}

{{- define "chainlit.validateAuthProxy" -}}
{{- $proxy := .Values.authProxy }}
{{- if $proxy.enabled }}
{{- $arguments := dict }}
{{- range $proxy.extraArgs }}
{{- $_ := set $arguments (splitList "=" . | first | trimPrefix "-" | trimPrefix "-") . }}
{{- end }}
{{- $own := dict "http-address" "authProxy.port" "upstream" "chainlit.port" "proxy-prefix" "route.path" "oidc-issuer-url" "authProxy.issuerURL" "scope" "authProxy.scopes" "email-domain" "authProxy.emailDomains" "client-id" "authProxy.existingSecret" "client-secret" "authProxy.existingSecret" "cookie-secret" "authProxy.existingSecret" }}
{{- range $name, $_ := $arguments }}
{{- with get $own $name }}
{{- fail (printf "authProxy.extraArgs has --%s, which the chart sets itself; remove it and use %s" $name .) }}
{{- end }}
{{- end }}
{{- if not $proxy.image.repository }}
{{- fail "authProxy.image.repository is empty; set it to an image of oauth2-proxy, such as quay.io/oauth2-proxy/oauth2-proxy" }}
{{- end }}
{{- if not $proxy.existingSecret }}
{{- fail "authProxy.enabled needs authProxy.existingSecret: create a Secret with the keys client-id, client-secret and cookie-secret, and set its name" }}
{{- end }}
{{- if and (not $proxy.issuerURL) (not (hasKey $arguments "provider")) }}
{{- fail "authProxy.enabled needs authProxy.issuerURL: set it to the issuer of your OpenID Connect provider, such as https://login.example.com/realms/team; for another provider of oauth2-proxy add --provider to authProxy.extraArgs" }}
{{- end }}
{{- if contains "/.well-known/" $proxy.issuerURL }}
{{- fail (printf "authProxy.issuerURL %s is the address of the provider's configuration; set it to the issuer, %s" $proxy.issuerURL (splitList "/.well-known/" $proxy.issuerURL | first)) }}
{{- end }}
{{- if and $proxy.issuerURL (not (has "openid" $proxy.scopes)) }}
{{- fail "authProxy.scopes has no openid, which OpenID Connect needs; add it" }}
{{- end }}
{{- if not (or $proxy.emailDomains (hasKey $arguments "authenticated-emails-file")) }}
{{- fail "authProxy.emailDomains is empty, so nobody could log in; set it to the domains of your users, such as [example.com], or to [\"*\"] for everybody whom the provider lets in" }}
{{- end }}
{{- if eq (int $proxy.port) (int .Values.chainlit.port) }}
{{- fail (printf "authProxy.port and chainlit.port are both %d, and both are ports of the pod; change one of them" (int $proxy.port)) }}
{{- end }}
{{- if .Values.service.targetPort }}
{{- fail "service.targetPort and authProxy.enabled are set, but the Service leads to authProxy.port then; remove service.targetPort" }}
{{- end }}
{{- if and .Values.operator.enabled (eq .Values.operator.verification.mode "Edge") }}
{{- fail "operator.verification.mode Edge is not possible with authProxy.enabled, because the operator cannot log in; use Auto or Backend, which ask the app past the login" }}
{{- end }}
{{- end }}
{{- end }}
