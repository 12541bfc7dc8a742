"""Events are kept for an hour, as on the real server."""

from datetime import UTC, datetime, timedelta

from statefuldb.local.api_server.objects.store import Store
from statefuldb.local.api_server.schemas.kinds import Kind

EVENT_SECONDS = 3600


def drop_old_events(store: Store, kind: Kind, now: str) -> None:
    """Delete the events that were written more than an hour before `now`."""
    limit = datetime.fromisoformat(now.replace("Z", "+00:00")) - timedelta(seconds=EVENT_SECONDS)
    oldest = limit.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for event in list(store.list(kind, "")):
        if max(event["metadata"]["creationTimestamp"], event.get("lastTimestamp") or "") < oldest:
            store.delete(kind, event, now)
