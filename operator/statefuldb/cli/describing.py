"""`describe`: all that is known of one database, on one page."""

from collections.abc import Sequence
from typing import Annotated

import typer

from statefuldb.cli.console import out
from statefuldb.cli.inspect import event_line, events_of, plan_lines
from statefuldb.cli.output import Output, OutputOption, print_table, printed, table_of, verdict
from statefuldb.cli.session import Json, session_of
from statefuldb.cli.showing import age, bare, database_line
from statefuldb.model.damaged import DamagedEntry, read_entry
from statefuldb.model.volume import VolumeRecord

EVENTS_SHOWN = 10


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(describe)


def describe(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The database.")],
    output: OutputOption = Output.TABLE,
) -> None:
    """Show a database whole: what was asked for, what is, its volumes, its plan, what happened lately.

    json and yaml hold the objects themselves: `database`, `volumes`, `events`.

    Example: statefuldb describe quickstart
    """
    session = session_of(context)
    stored = bare(session.database(name))
    volumes = [
        bare(volume)
        for volume in session.client.list("DatabaseVolume", session.namespace)
        if _is_of(read_entry(volume), stored)
    ]
    happened = events_of(session, name)
    if printed({"database": stored, "volumes": volumes, "events": happened}, output):
        return
    for title, text in _head(stored):
        out.print(f"{title:12} {text}")
    _section("Conditions", _conditions(stored))
    _section("Members", _members(stored))
    _section("Volumes", _volumes(volumes))
    out.print("\nPlan")
    for line in plan_lines(session, stored):
        out.print(f"  {line}")
    out.print("\nEvents")
    for event in happened[-EVENTS_SHOWN:]:
        out.print(f"  {event_line(event)}")


def _head(stored: Json) -> list[tuple[str, str]]:
    spec, line = stored["spec"], database_line(stored)
    meta, storage, asked = stored["metadata"], spec["storage"], spec.get("resources", {})
    place = storage.get("hostPath", {}).get("path") or storage.get("dfs", {}).get("mountPoint") or ""
    secret = stored.get("status", {}).get("endpoints", {}).get("secretName", "")
    return [
        ("Name", f"{meta['name']} in namespace {meta['namespace']}"),
        ("Uid", meta["uid"]),
        ("Age", f"{age(meta['creationTimestamp'])}, generation {meta['generation']}"),
        ("Engine", line["engine"]),
        ("Members", f"{line['members']} ready, each cpus {asked.get('cpus', '?')}, memory {asked.get('memory', '?')}"),
        ("Storage", " ".join(t for t in (storage["strategy"], str(storage.get("size", "")), place) if t)),
        ("Deletion", f"protection {spec.get('deletionProtection', 'Enabled')}, then {_when_deleted(spec)}"),
        ("Endpoint", f"{line['endpoint']} (Secret {secret})" if line["endpoint"] else "none yet"),
        ("Why", line["why"]),
    ]


def _when_deleted(spec: Json) -> str:
    return str(spec.get("retention", {}).get("whenDeleted", "Retain"))


def _section(title: str, lines: tuple[Sequence[str], list[list[str]]]) -> None:
    columns, rows = lines
    out.print(f"\n{title}")
    good = {"True": True, "False": False}
    styled = [[verdict(c, good=good[c]) if title == "Conditions" and c in good else c for c in row] for row in rows]
    print_table(table_of(columns, styled, "  none"))


def _conditions(stored: Json) -> tuple[Sequence[str], list[list[str]]]:
    return ("TYPE", "STATUS", "REASON", "SINCE", "MESSAGE"), [
        [c["type"], c["status"], c.get("reason", ""), age(c.get("lastTransitionTime", "")), c.get("message", "")]
        for c in stored.get("status", {}).get("conditions", [])
    ]


def _members(stored: Json) -> tuple[Sequence[str], list[list[str]]]:
    return ("ORDINAL", "PHASE", "READY", "AGENT", "ADDRESS", "RESTARTS", "TASK"), [
        [
            str(m["ordinal"]),
            m.get("phase", ""),
            str(m.get("ready", False)),
            m.get("agent", ""),
            f"{m['address']}:{m['port']}" if m.get("address") and m.get("port") else "",
            str(m.get("restarts", 0)),
            m.get("taskId", ""),
        ]
        for m in stored.get("status", {}).get("members", [])
    ]


def _is_of(entry: VolumeRecord | DamagedEntry, database: Json) -> bool:
    if isinstance(entry, DamagedEntry):
        return entry.key.name == str(database["metadata"]["name"])
    return entry.owner_uid == str(database["metadata"]["uid"])


def _volumes(volumes: Sequence[Json]) -> tuple[Sequence[str], list[list[str]]]:
    return ("NAME", "INTENT", "AGENT", "WHERE"), [_volume(read_entry(stored)) for stored in volumes]


def _volume(entry: VolumeRecord | DamagedEntry) -> list[str]:
    if isinstance(entry, DamagedEntry):
        return [entry.name, "", "", f"damaged: {entry.problem}"]
    host = entry.agent.hostname if entry.agent is not None else ""
    return [entry.name, entry.intent, host, entry.persistence_id or entry.directory or ""]
