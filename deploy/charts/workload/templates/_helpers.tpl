{{/* The name of a secondary object of a workload. */}}
{{- define "workload.part" -}}
{{ .root.Release.Name }}.{{ .part }}
{{- end }}

{{/* Selects the pods. */}}
{{- define "workload.selector" -}}
mpc/workload: {{ .Release.Name }}
{{- end }}

{{/* The labels of every object and its pods; our labels override the user's. */}}
{{- define "workload.labels" -}}
{{- $ours := dict
      "app.kubernetes.io/managed-by" "mpc"
      "mpc/environment" .Release.Namespace
      "mpc/workload" .Release.Name
      "mpc/uid" .Values.uid }}
{{- merge (dict) $ours .Values.labels (dict "app.kubernetes.io/name" .Release.Name) | toYaml }}
{{- end }}

{{- define "workload.metadata" -}}
name: {{ .name }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "workload.labels" .root | nindent 2 }}
{{- end }}

{{/* Changes with the variables, so that pods are replaced when one changes; the uid is a salt. */}}
{{- define "workload.envChecksum" -}}
{{- $lines := list }}
{{- range $key, $value := .Values.env }}
{{- $lines = append $lines (printf "%s=%s\n" $key (b64enc $value)) }}
{{- end }}
{{- printf "%s\n%s" .Values.uid ($lines | sortAlpha | join "") | sha256sum }}
{{- end }}

{{- define "workload.httpGet" -}}
httpGet:
  path: {{ .path | toJson }}
  port: {{ int .port }}
{{- end }}

{{/* "true" if a volume is mounted at /tmp, otherwise empty. */}}
{{- define "workload.hasOwnTmp" -}}
{{- range .Values.volumes }}{{ if eq .path "/tmp" }}true{{ end }}{{ end }}
{{- end }}

{{/* "true" if a volume is storage for one pod at a time, otherwise empty. */}}
{{- define "workload.hasOwnStorage" -}}
{{- range .Values.volumes }}{{ if and (hasKey . "storage") (not .storage.shared) }}true{{ end }}{{ end }}
{{- end }}
