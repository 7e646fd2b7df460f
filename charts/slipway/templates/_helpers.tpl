{{/* The name of everything that the chart makes: the release, and the chart where the release does not say it. */}}
{{- define "slipway.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "slipway.selector" -}}
app.kubernetes.io/name: slipway-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "slipway.labels" -}}
{{ include "slipway.selector" . }}
app.kubernetes.io/component: operator
app.kubernetes.io/part-of: slipway
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* A full image reference. Takes a dict: image (repository, tag, digest), name (of the value), root. */}}
{{- define "slipway.image" -}}
{{- $repository := required (printf "%s.repository is not set: push the image to a registry that the cluster can reach, and name it." .name) .image.repository }}
{{- if .image.digest }}{{ $repository }}@{{ .image.digest }}
{{- else }}{{ $repository }}:{{ .image.tag | default .root.Chart.AppVersion }}
{{- end }}
{{- end }}

{{/* What it may do to the Lease of its name: where it stands by or leads, and in each namespace that is named to it. */}}
{{- define "slipway.lease" -}}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ include "slipway.name" . }}]
  verbs: [get, patch]
{{- end }}

{{/* What the operator may do where there are models: no Secret, no wildcard, nothing that is not its own kind of child. */}}
{{- define "slipway.rules" -}}
- apiGroups: [slipway.dev]
  resources: [inferencemodels]
  verbs: [get, list, watch]
- apiGroups: [slipway.dev]
  resources: [inferencemodels/status]
  verbs: [patch]
# To be named as an owner that blocks, where the API server asks for that.
- apiGroups: [slipway.dev]
  resources: [inferencemodels/finalizers]
  verbs: [update]
- apiGroups: [apps]
  resources: [deployments/finalizers]
  verbs: [update]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [deployments/scale]
  verbs: [patch]
# No Service is deleted. But where the API server guards ownerReferences (OwnerReferencesPermissionEnforcement), only who
# may delete an object may give it an owner, and Services that have lost theirs are taken over.
- apiGroups: [""]
  resources: [services]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list, watch]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, create, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [get, create, patch, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch, create, delete]
# The last lines of a pod that is let go while it runs: they stay in the status.
- apiGroups: [""]
  resources: [pods/log]
  verbs: [get]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
# What its watches must bring when nothing else happens: the Lease that it renews.
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ include "slipway.name" . }}]
  verbs: [list, watch]
{{- end }}
