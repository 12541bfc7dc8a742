"""Looking for directories by their markers, here and on agents."""

import json
from typing import Any

from e2e.conftest import Cluster


def scanned(cluster: Cluster, root: str) -> dict[str, dict[str, Any]]:
    """Return what a scan of a directory finds, by the volume's name."""
    return {line["name"]: line for line in json.loads(cluster.cli("volumes", "scan", root, "-o", "json"))}


def scanned_on_agents(cluster: Cluster, root: str) -> list[dict[str, Any]]:
    """Return what tasks on all agents find."""
    said = cluster.cli("volumes", "scan", root, "--on-agents", "-o", "json", *cluster.mesos_options)
    return list(json.loads(said))
