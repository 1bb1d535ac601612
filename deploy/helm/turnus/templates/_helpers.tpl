{{- define "turnus.labels" -}}
app.kubernetes.io/name: turnus
{{- end -}}

{{/* An object out of files/, in the namespace of the release, with further labels. */}}
{{- define "turnus.fromFile" -}}
{{- $object := .root.Files.Get .file | fromYaml -}}
{{- $_ := set $object.metadata "namespace" .root.Release.Namespace -}}
{{- $_ := set $object.metadata "labels" (merge (dict) (default (dict) .labels) $object.metadata.labels) -}}
{{- toYaml $object -}}
{{- end -}}

{{- define "turnus.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}
