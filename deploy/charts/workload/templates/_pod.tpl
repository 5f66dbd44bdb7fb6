{{- define "workload.podSpec" -}}
serviceAccountName: workloads
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- include "workload.podSecurityContext" . | nindent 2 }}
topologySpreadConstraints:
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "workload.selector" $ | nindent 8 }}
    matchLabelKeys:
      - pod-template-hash
  {{- end }}
containers:
  {{- include "workload.container" . | nindent 2 }}
volumes:
  {{- include "workload.podVolumes" . | nindent 2 }}
{{- end }}

{{- define "workload.podSecurityContext" -}}
runAsNonRoot: true
seccompProfile:
  type: RuntimeDefault
{{- $storage := false }}
{{- range .Values.volumes }}{{ if .storage }}{{ $storage = true }}{{ end }}{{ end }}
{{- if $storage }}
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
{{- end }}
{{- $privileged := false }}
{{- range .Values.ports }}{{ if lt (int .port) 1024 }}{{ $privileged = true }}{{ end }}{{ end }}
{{- if $privileged }}
sysctls:
  - name: net.ipv4.ip_unprivileged_port_start
    value: "0"
{{- end }}
{{- end }}

{{- define "workload.podVolumes" -}}
{{- if not (include "workload.hasOwnTmp" .) }}
- name: mpc-temporary-directory
  emptyDir:
    sizeLimit: 1Gi
{{- end }}
{{- range .Values.volumes }}
- name: {{ .name | toJson }}
  {{- if hasKey . "scratch" }}
  {{- if or .scratch.inMemory .scratch.size }}
  emptyDir:
    {{- if .scratch.inMemory }}
    medium: Memory
    {{- end }}
    {{- with .scratch.size }}
    sizeLimit: {{ . | toJson }}
    {{- end }}
  {{- else }}
  emptyDir: {}
  {{- end }}
  {{- else if .storage }}
  persistentVolumeClaim:
    claimName: {{ include "workload.part" (dict "root" $ "part" .name) }}
  {{- else if .secret }}
  secret:
    secretName: {{ .secret | toJson }}
  {{- else }}
  configMap:
    name: {{ .config | toJson }}
  {{- end }}
{{- end }}
{{- end }}
