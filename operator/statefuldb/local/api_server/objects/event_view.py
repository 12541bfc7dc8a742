"""Events have two faces: v1 with `involvedObject`, as they are stored, and events.k8s.io/v1 with `regarding`."""

from typing import Any

Json = dict[str, Any]
_NAMES = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}
_BACK = {new: old for old, new in _NAMES.items()}


def to_view(event: Json) -> Json:
    """Return a stored event as events.k8s.io/v1 has it."""
    return {_NAMES.get(name, name): value for name, value in event.items()} | {"apiVersion": "events.k8s.io/v1"}


def from_view(event: Json) -> Json:
    """Return an event of events.k8s.io/v1 as it is stored."""
    stored = {_BACK.get(name, name): value for name, value in event.items()}
    return stored | ({"apiVersion": "v1"} if event.get("apiVersion") == "events.k8s.io/v1" else {})
