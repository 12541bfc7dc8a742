"""Databases as lines of a table, and the words for their age and state."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from statefuldb.cli.output import table_of, verdict

Json = dict[str, Any]
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def bare(stored: Json) -> Json:
    """Return an object in the usual order, without the book-keeping of who set which field."""
    metadata = {key: value for key, value in stored["metadata"].items() if key != "managedFields"}
    first: Json = {key: stored[key] for key in ("apiVersion", "kind") if key in stored}
    return {**first, "metadata": metadata, **{k: v for k, v in stored.items() if k not in (*first, "metadata")}}


def condition(stored: Json, kind: str) -> Json:
    """Return a condition of a database, empty where there is none."""
    conditions = stored.get("status", {}).get("conditions", [])
    return next((dict(c) for c in conditions if c["type"] == kind), {})


def said(entry: Json) -> str:
    """Return what a condition, a wait or an Event says. Anybody may write one, and leave out what it need not have."""
    return ": ".join(text for text in (str(entry.get("reason") or ""), str(entry.get("message") or "")) if text)


def summary(stored: Json) -> str:
    """Return in a few words how a database is."""
    return str(stored.get("status", {}).get("summary", "")) or "not looked at yet: does the operator run?"


def age(moment: str, now: datetime | None = None) -> str:
    """Return how long ago a moment (RFC 3339) was, as `12s`, `3m`, `5h` or `2d`; empty where it cannot be read."""
    try:
        seconds = int(((now or datetime.now(UTC)) - datetime.fromisoformat(moment)).total_seconds())
    except (TypeError, ValueError):
        # No time, or one without its zone.
        return ""
    return next((f"{seconds // size}{unit}" for size, unit in _UNITS if seconds >= size), "0s")


def database_line(stored: Json) -> Json:
    """Return what matters of a database: is it fine, where, why not."""
    state, spec = stored.get("status", {}), stored["spec"]
    primary = state.get("endpoints", {}).get("primary") or {}
    return {
        "namespace": stored["metadata"]["namespace"],
        "name": stored["metadata"]["name"],
        "ready": condition(stored, "Ready").get("status", "Unknown"),
        "strategy": spec["storage"]["strategy"],
        "endpoint": f"{primary['host']}:{primary['port']}" if {"host", "port"} <= primary.keys() else "",
        "why": summary(stored),
        "engine": f"{spec['engine']['type']} {spec['engine'].get('version', '')}".strip(),
        "members": f"{state.get('readyReplicas', 0)}/{spec.get('replicas', 1)}",
        "agents": [member["agent"] for member in state.get("members", []) if member.get("agent")],
        "age": age(stored["metadata"].get("creationTimestamp", "")),
    }


def databases_table(databases: Sequence[Json], wide: bool) -> Table | str:
    """Return databases as a table."""
    columns = ["NAMESPACE", "NAME", "READY", "STRATEGY", "ENDPOINT"]
    columns += ["ENGINE", "MEMBERS", "AGENTS", "AGE"] if wide else []
    rows: list[list[str | Text]] = []
    for line in map(database_line, databases):
        row = [
            line["namespace"],
            line["name"],
            verdict(line["ready"], good=line["ready"] == "True"),
            line["strategy"],
            line["endpoint"],
        ]
        row += [line["engine"], line["members"], ",".join(line["agents"]), line["age"]] if wide else []
        rows.append([*row, line["why"]])
    return table_of([*columns, "WHY"], rows, "There are no databases. statefuldb apply -f FILE makes one.")
