"""What the operator tells Mesos of itself when it subscribes."""

from collections.abc import Mapping
from typing import Any

from statefuldb.model.identity import LABEL_CLUSTER
from statefuldb.model.settings import FRAMEWORK_NAME

# How long Mesos keeps the tasks of an operator that is away.
FAILOVER_TIMEOUT_SECONDS = 28 * 24 * 3600
CAPABILITIES = ("MULTI_ROLE", "RESERVATION_REFINEMENT", "PARTITION_AWARE", "TASK_KILLING_STATE")


def framework_info(
    *, user: str, role: str, principal: str, cluster: str, framework_id: str | None
) -> Mapping[str, Any]:
    """Return the FrameworkInfo. `user` is whom tasks run as; `framework_id` is None for the first subscription."""
    info: dict[str, Any] = {
        "user": user,
        "name": FRAMEWORK_NAME,
        "roles": [role],
        "capabilities": [{"type": capability} for capability in CAPABILITIES],
        "failover_timeout": float(FAILOVER_TIMEOUT_SECONDS),
        "checkpoint": True,
        "principal": principal,
        "labels": {"labels": [{"key": LABEL_CLUSTER, "value": cluster}]},
    }
    return {**info, "id": {"value": framework_id}} if framework_id is not None else info
