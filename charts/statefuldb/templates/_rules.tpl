{{- /* What the operator needs wherever databases are. */ -}}
{{- define "statefuldb.databaseRules" -}}
- apiGroups: [statefuldb.dev]
  resources: [statefuldatabases]
  verbs: [get, list, watch, patch]
- apiGroups: [statefuldb.dev]
  resources: [statefuldatabases/status]
  verbs: [update]
- apiGroups: [statefuldb.dev]
  resources: [databasevolumes]
  verbs: [list, watch, create, update, delete]
# The connection Secrets: made, kept current, and read when the account is set.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, create, patch, delete]
- apiGroups: [""]
  resources: [events]
  verbs: [get, create, patch]
{{- end -}}

{{- /* What sync needs wherever the source has manifests for. An apply that adds an object needs create besides patch. */ -}}
{{- define "statefuldb.syncRules" -}}
- apiGroups: [statefuldb.dev]
  resources: [statefuldatabases]
  verbs: [list, create, patch{{ if .Values.sync.prune }}, get, delete{{ end }}]
{{- if .Values.sync.configMaps }}
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, create, patch{{ if .Values.sync.prune }}, delete{{ end }}]
{{- end }}
{{- end -}}
