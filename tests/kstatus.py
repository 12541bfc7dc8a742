"""How kstatus reads an object (sigs.k8s.io/cli-utils, pkg/kstatus/status): what Flux and others wait by."""

from typing import Any

Json = dict[str, Any]


def kstatus(stored: Json) -> str:
    """Return Terminating, InProgress, Failed or Current."""
    metadata, status = stored["metadata"], stored.get("status") or {}
    if metadata.get("deletionTimestamp"):
        return "Terminating"
    if status.get("observedGeneration", metadata["generation"]) != metadata["generation"]:
        return "InProgress"
    conditions = status.get("conditions") or []
    for held in conditions:
        if held["status"] == "True" and held["type"] in ("Reconciling", "Stalled"):
            return "InProgress" if held["type"] == "Reconciling" else "Failed"
    ready = next((held["status"] for held in conditions if held["type"] == "Ready"), "True")
    return "Current" if ready == "True" else "InProgress"
