{{- define "statefuldb.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "statefuldb.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "statefuldb.labels" -}}
{{ include "statefuldb.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "statefuldb.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "statefuldb.fullname" .) -}}
{{- else -}}
{{- required "serviceAccount.name is required where serviceAccount.create is false" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "statefuldb.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{- define "statefuldb.ports" -}}
{{- range . }}
- port: {{ . }}
  protocol: TCP
{{- end }}
{{- end -}}

{{- define "statefuldb.to" -}}
{{- with . }}
to:
{{- range . }}
  - ipBlock:
      cidr: {{ . }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "statefuldb.syncName" -}}
{{- printf "%s-sync" (include "statefuldb.fullname" .) -}}
{{- end -}}

{{- /* The operator's Deployment, Service and policies select by the name, so the pod of sync has another. */ -}}
{{- define "statefuldb.syncSelector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}-sync
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "statefuldb.syncLabels" -}}
{{ include "statefuldb.syncSelector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- /* What the record of the sync is called by, in a ConfigMap statefuldb-sync-... */ -}}
{{- define "statefuldb.syncRecord" -}}
{{- .Values.sync.name | default (include "statefuldb.fullname" . | trunc 50 | trimSuffix "-") -}}
{{- end -}}
