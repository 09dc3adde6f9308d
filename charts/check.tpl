{{/*
The check of values that the schema lets through, because Helm's own message would name no remedy. files/known.json has all
values of the chart, and files/foreign.yaml the names that other charts give them.

  CHART.check      .   nothing, or fails with all problems. Every template calls it first: no other message comes before it. A
                       section without children, and a key without a value that it needs, get their defaults
  CHART.fill       (dict "values" map "node" node "isMissing" false)   nothing; gives the map the defaults that it lacks
  CHART.problems   (dict "root" . "value" value "node" node "where" "route.host")   a line for each problem
  CHART.unknown    (dict "root" . "name" "key" "keys" map "section" "route.")   a line: the key is unknown, and the remedy
  CHART.similar     (dict "name" "key" "keys" map)   names of the map that the key may be a mistake for, separated by spaces
  CHART.shortened  "text"   the text, and the text without each of its letters, separated by spaces
*/}}

{{- define "CHART.check" -}}
{{- $tree := (.Files.Get "files/known.json" | fromJson).values }}
{{- include "CHART.fill" (dict "values" .Values "node" $tree "isMissing" false) }}
{{- with include "CHART.problems" (dict "root" . "value" .Values "node" $tree "where" "") }}
{{- fail (printf "values are wrong:%s" .) }}
{{- end }}
{{- end }}

{{/* Helm takes the default away from a key with nothing behind it. A second call finds nothing to fill. */}}
{{- define "CHART.fill" -}}
{{- $values := .values }}
{{- $isMissing := .isMissing }}
{{- range $name, $node := .node.keys }}
{{- $isAbsent := kindIs "invalid" (index $values $name) }}
{{- if hasKey $node "default" }}
{{- if and $isAbsent (or $isMissing $node.isNeeded) }}
{{- $_ := set $values $name $node.default }}
{{- end }}
{{- else if $node.keys }}
{{- if $isAbsent }}{{ $_ := set $values $name dict }}{{ end }}
{{- include "CHART.fill" (dict "values" (index $values $name) "node" $node "isMissing" $isAbsent) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "CHART.problems" -}}
{{- $node := .node }}
{{- if kindIs "map" .value }}
{{- $section := empty .where | ternary "" (printf "%s." .where) }}
{{- range $name, $value := .value }}
{{- $child := $node.each }}
{{- if $node.keys }}{{ $child = index $node.keys $name }}{{ end }}
{{- with index ($node.some | default dict) $name }}{{ $child = . }}{{ end }}
{{- if and $node.keys (kindIs "invalid" $child) }}
{{- include "CHART.unknown" (dict "root" $.root "name" $name "keys" $node.keys "section" $section) }}
{{- else if $child }}
{{- include "CHART.problems" (dict "root" $.root "value" $value "node" $child "where" (print $section $name)) }}
{{- end }}
{{- end }}
{{- else if kindIs "slice" .value }}
{{- range $index, $item := .value }}
{{- include "CHART.problems" (dict "root" $.root "value" $item "node" ($node.items | default dict) "where" (printf "%s[%d]" $.where $index)) }}
{{- end }}
{{- else if kindIs "string" .value }}
{{- if not (regexMatch ($node.pattern | default "") .value) }}
{{- $shown := eq .where "auth.secret" | ternary "too short" (.value | trunc 80 | quote) }}
- {{ .where }} is {{ $shown }}: {{ $node.remedy }}
{{- end }}
{{- else if and $node.isText (not (kindIs "invalid" .value)) }}
- {{ .where }} is {{ toJson .value }} without quotes, and this value is a text: put it in quotes, or use --set-string
{{- end }}
{{- end }}

{{- define "CHART.unknown" -}}
{{- $place := print .section .name }}
{{- $foreign := .root.Files.Get "files/foreign.yaml" | fromYaml }}
{{- $similar := list }}
{{- range include "CHART.similar" . | splitList " " | compact }}
{{- $similar = append $similar (print $.section .) }}
{{- end }}
{{- $elsewhere := list }}
{{- range contains "[" .section | ternary list (.root.Files.Get "files/known.json" | fromJson).paths }}
{{- if or (eq . $.name) (hasSuffix (print "." $.name) .) (eq (replace "." "" . | lower) (lower $.name)) }}{{ $elsewhere = append $elsewhere . }}{{ end }}
{{- end }}
- {{ $place }} is not a value of this chart:{{ print " " }}
{{- if hasKey $foreign $place }}{{ get $foreign $place }}
{{- else if $similar }}did you mean {{ join " or " $similar }}?
{{- else if and $elsewhere (le (len $elsewhere) 4) }}did you mean {{ join " or " $elsewhere }}?
{{- else if and .section (le (len .keys) 20) }}remove it; {{ trimSuffix "." .section }} has {{ keys .keys | sortAlpha | join ", " }}
{{- else }}remove it; helm show values prints all values of the chart
{{- end }}
{{- end }}

{{/* One letter more, less or different, or two that changed places. */}}
{{- define "CHART.similar" -}}
{{- $similar := list }}
{{- $plain := lower .name }}
{{- if lt (len .name) 64 }}
{{- $given := include "CHART.shortened" .name | splitList " " }}
{{- range $known, $_ := .keys }}
{{- if eq (splitList "" $plain | sortAlpha | join "") (splitList "" (lower $known) | sortAlpha | join "") }}{{ $similar = append $similar $known }}{{ end }}
{{- range include "CHART.shortened" $known | splitList " " }}
{{- if and (has . $given) (or (gt (len .) 4) (has . (list $plain (lower $known)))) }}{{ $similar = append $similar $known }}{{ end }}
{{- end }}
{{- end }}
{{- end }}
{{- uniq $similar | join " " }}
{{- end }}

{{- define "CHART.shortened" -}}
{{- $text := lower . | replace "_" "" | replace "-" "" | replace " " "" }}
{{- $text }}
{{- range $at := until (len $text) }} {{ substr 0 $at $text }}{{ substr (int (add1 $at)) (len $text) $text }}{{ end }}
{{- end }}
