{{- define "workload.container" -}}
- name: {{ .Release.Name | toJson }}
  image: {{ .Values.image | toJson }}
  {{- with .Values.command }}
  command: {{ . | toJson }}
  {{- end }}
  {{- with .Values.args }}
  args: {{ . | toJson }}
  {{- end }}
  {{- with .Values.ports }}
  ports:
    {{- range . }}
    - name: {{ .name | toJson }}
      containerPort: {{ int .port }}
      protocol: {{ .protocol }}
    {{- end }}
  {{- end }}
  {{- include "workload.variables" . | nindent 2 }}
  resources:
    {{- include "workload.resources" . | nindent 4 }}
  {{- include "workload.probes" . | nindent 2 }}
  securityContext:
    allowPrivilegeEscalation: false
    capabilities:
      drop:
        - ALL
    readOnlyRootFilesystem: true
  volumeMounts:
    {{- include "workload.volumeMounts" . | nindent 4 }}
{{- end }}

{{- define "workload.variables" -}}
{{- $single := list }}
{{- $whole := list }}
{{- range .Values.envFrom }}
{{- $kind := ternary "secret" "configMap" (hasKey . "secret") }}
{{- $name := .secret | default .config }}
{{- if .variable }}
{{- $from := dict (printf "%sKeyRef" $kind) (dict "name" $name "key" .key) }}
{{- $single = append $single (dict "name" .variable "valueFrom" $from) }}
{{- else }}
{{- $whole = append $whole (dict (printf "%sRef" $kind) (dict "name" $name)) }}
{{- end }}
{{- end }}
{{- if .Values.env }}
{{- $own := include "workload.part" (dict "root" $ "part" "env") }}
{{- $whole = append $whole (dict "secretRef" (dict "name" $own)) }}
{{- end }}
{{- with $single }}
env: {{ . | toJson }}
{{- end }}
{{- with $whole }}
envFrom: {{ . | toJson }}
{{- end }}
{{- end }}

{{- define "workload.resources" -}}
{{- $result := dict }}
{{- with .Values.resources }}
{{- $_ := set $result "requests" . }}
{{- with .memory }}
{{- $_ := set $result "limits" (dict "memory" .) }}
{{- end }}
{{- end }}
{{- toYaml $result }}
{{- end }}

{{- define "workload.probes" -}}
{{- with .Values.healthCheck }}
readinessProbe:
  {{- include "workload.httpGet" . | nindent 2 }}
  periodSeconds: {{ int .periodSeconds }}
{{- end }}
{{- with .Values.livenessCheck }}
livenessProbe:
  {{- include "workload.httpGet" . | nindent 2 }}
  periodSeconds: {{ int .periodSeconds }}
startupProbe:
  {{- include "workload.httpGet" . | nindent 2 }}
  periodSeconds: 1
  failureThreshold: {{ int $.Values.progressDeadlineSeconds }}
{{- end }}
{{- end }}

{{- define "workload.volumeMounts" -}}
{{- if not (include "workload.hasOwnTmp" .) }}
- name: mpc-temporary-directory
  mountPath: /tmp
{{- end }}
{{- range .Values.volumes }}
- name: {{ .name | toJson }}
  mountPath: {{ .path | toJson }}
  {{- if .readOnly }}
  readOnly: true
  {{- end }}
{{- end }}
{{- end }}
