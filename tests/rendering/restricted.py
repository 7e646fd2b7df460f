"""The Pod Security Standard `restricted` (kubernetes.io, Pod Security Standards): what a pod breaks of it."""

from typing import Any

Object = dict[str, Any]


def violations(pod: Object) -> list[str]:
    """Sentences; none means that the namespace may enforce `restricted`."""
    found = []
    context = pod.get("securityContext", {})
    if not context.get("runAsNonRoot"):
        found.append("the pod may run as root")
    if context.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
        found.append("the pod has no seccomp profile")
    found += [f"{field} is set" for field in ("hostNetwork", "hostPID", "hostIPC") if pod.get(field)]
    allowed = {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
    for volume in pod.get("volumes", []):
        found += [f"volume {volume['name']} is a {kind}" for kind in set(volume) - {"name"} - allowed]
    for container in pod["containers"]:
        found += _of_container(container)
    return found


def _of_container(container: Object) -> list[str]:
    context, name = container.get("securityContext", {}), container["name"]
    found = []
    if context.get("allowPrivilegeEscalation") is not False:
        found.append(f"{name} may escalate its privileges")
    if context.get("capabilities", {}).get("drop") != ["ALL"] or "add" in context.get("capabilities", {}):
        found.append(f"{name} keeps capabilities")
    if context.get("privileged"):
        found.append(f"{name} is privileged")
    if context.get("readOnlyRootFilesystem") is not True:
        found.append(f"{name} may write to its root file system")
    return found
