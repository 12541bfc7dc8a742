"""`plan`, `explain`, `events`: commands that answer why."""

import time
from typing import Annotated
from urllib.parse import quote

import typer

from statefuldb.cli.console import errors, fail, out
from statefuldb.cli.exit_codes import ExitCode
from statefuldb.cli.foreseeing import foresee_file
from statefuldb.cli.output import Output, OutputOption, print_one, printed
from statefuldb.cli.session import AllNamespacesOption, Json, Session, session_of
from statefuldb.cli.showing import bare, said, summary
from statefuldb.model.conditions import EventReason
from statefuldb.model.damaged import read_entry
from statefuldb.planning.inventory.comparison import compare

POLL_SECONDS = 0.5


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (plan, explain, events):
        app.command()(command)


def plan(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="The database.")] = None,
    file: Annotated[
        str | None, typer.Option("--file", "-f", help="What a manifest would lead to; file, directory or -.")
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show the ordered actions with their risk, before they happen: of a database, or of a manifest not yet applied.

    Exit code 4 where a manifest would be refused.

    Example: statefuldb plan -f orders.yaml
    """
    session = session_of(context)
    if file is not None:
        foresee_file(session, file, output)
        return
    if name is None:
        fail("name a database, or a manifest with -f", ExitCode.USAGE)
    stored = session.database(name)
    if not printed(stored.get("status", {}).get("plan", {}), output):
        for line in plan_lines(session, stored):
            out.print(line)


def plan_lines(session: Session, stored: Json) -> list[str]:
    """Return the plan that is under way as lines."""
    held = stored.get("status", {}).get("plan", {})
    lines = [] if held.get("actions") else [f"{stored['metadata']['name']}: nothing to do"]
    lines += [f"{action.get('risk', ''):14} {action.get('description', '')}" for action in held.get("actions", [])]
    lines += [f"{'waiting':14} {said(wait)}" for wait in held.get("waiting", [])]
    if held.get("hash"):
        how = f"release it: {session.hint('approve', stored['metadata']['name'])}, or commit it as approvedPlan"
        lines.append(f"{'hash':14} {held['hash']} ({how})")
    if held.get("release", {}).get("keys"):
        lines.append(f"{'released':14} {held['release'].get('hash', '')}, which is being carried out")
    return lines


def explain(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The database.")],
    output: OutputOption = Output.TABLE,
) -> None:
    """Say why a database is as it is: what waits, since when, and what would help.

    Of one that is gone: what the ledger tells of its data, and what keeps it from being removed.

    Example: statefuldb explain orders
    """
    session = session_of(context)
    found = _left_of(session, name) or _standing(session, name)
    if not printed(found, output):
        for line in _explanation(found):
            out.print(line)


def _standing(session: Session, name: str) -> Json:
    """Return what is to be said of a database. Ends where there is none, or nobody has looked at it."""
    stored = _explained(session, session.database(name))
    state = stored.get("status", {})
    if not state:
        fail(f"{name} has not been looked at yet", fix="does the operator run? statefuldb doctor")
    return {
        "name": name,
        "namespace": stored["metadata"]["namespace"],
        "summary": summary(stored),
        "conditions": state.get("conditions", []),
        "members": state.get("members", []),
        "waiting": state.get("plan", {}).get("waiting", []),
    }


def _left_of(session: Session, name: str) -> Json | None:
    """Return what the ledger tells of a database that is gone; None of one that is there, or left nothing."""
    if session.client.get("StatefulDatabase", session.namespace, name) is not None:
        return None
    entries = map(read_entry, session.client.list("DatabaseVolume", session.namespace))
    lines = [line for line in compare(entries, None) if line.key.name == name]
    if not lines:
        return None
    said = [(line.state, line.note or f"{line.where} on {line.agent}", line.name) for line in lines]
    return {
        "name": name,
        "namespace": session.namespace,
        "summary": f"it is gone, the ledger has data of it (see `{session.hint('volumes', 'list')}`)",
        "conditions": [],
        "members": [],
        "waiting": [{"reason": str(state), "message": f"{entry}: {note}"} for state, note, entry in said],
    }


def _explanation(found: Json) -> list[str]:
    lines = [f"{found['name']}: {found['summary']}"]
    lines += [f"  {c['type']:16} {c['status']:8} {said(c)}" for c in found["conditions"]]
    for member in found["members"]:
        where = f" on {member['agent']}" if member.get("agent") else ""
        lines.append(
            f"  member {member['ordinal']}: {member.get('phase', '')}{where}, restarts {member.get('restarts', 0)}"
        )
    for wait in found["waiting"]:
        since = f"waits since {wait['since']}: " if "since" in wait else ""
        lines.append(f"  {since}{said(wait)}")
        lines += [f"      {count} offer(s) refused for {code}" for code, count in wait.get("refusals", {}).items()]
        if wait.get("fix"):
            lines.append(f"      what helps: {wait['fix']}")
    return lines


def events(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Of one database; without it of all.")] = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on showing new ones until Ctrl-C.")] = False,
    all_namespaces: AllNamespacesOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show what happened, oldest first. With --watch and -o json each event is one line.

    Example: statefuldb events orders -w
    """
    session = session_of(context)
    happened = events_of(session, name, all_namespaces=all_namespaces)
    if not watch:
        if not printed(happened, output):
            for event in happened:
                out.print(event_line(event))
            if not happened:
                errors.print("There are no events; the API server forgets them after a while.")
        return
    seen: set[tuple[str, int]] = set()
    while True:
        for event in happened:
            mark = (event["metadata"]["uid"], event.get("count", 1))
            if mark in seen:
                continue
            seen.add(mark)
            if output.is_data:
                print_one(event, output)
            else:
                out.print(event_line(event))
        time.sleep(POLL_SECONDS)
        happened = events_of(session, name, all_namespaces=all_namespaces)


def explained(session: Session, databases: list[Json]) -> list[Json]:
    """Return databases; of each that nobody has looked at yet, the summary says what the operator waits for."""
    return [_explained(session, stored) for stored in databases]


def _explained(session: Session, stored: Json) -> Json:
    state, metadata = stored.get("status", {}), stored["metadata"]
    heard = "" if state.get("summary") else _heard(session, metadata["name"], metadata["namespace"])
    return {**stored, "status": {**state, "summary": heard}} if heard else stored


def _heard(session: Session, name: str, namespace: str) -> str:
    """Return what an operator that waits to begin has said last of a database."""
    selector = f"involvedObject.name={name},reason={EventReason.OPERATOR_WAITING}"
    told = session.client.list("Event", namespace, f"fieldSelector={quote(selector)}")
    return str(max(told, key=_last_seen).get("message", "")) if told else ""


def events_of(session: Session, name: str | None, *, all_namespaces: bool = False) -> list[Json]:
    """Return the events about databases, or about one, in the order of their last time."""
    listed = session.client.list("Event", "" if all_namespaces else session.namespace)
    about_it = [
        bare(event)
        for event in listed
        if event.get("involvedObject", {}).get("kind") == "StatefulDatabase"
        and name in (None, event["involvedObject"].get("name"))
    ]
    return sorted(about_it, key=_last_seen)


def event_line(event: Json) -> str:
    """Return an event as one line."""
    times = f" ({event['count']} times)" if (event.get("count") or 1) > 1 else ""
    about = event["involvedObject"].get("name", "")
    return f"{_last_seen(event)} {event.get('type') or '':8} {about:16} {said(event)}{times}"


def _last_seen(event: Json) -> str:
    """Return when an event was told last. Who writes one by the newer API says when it was made, and no last time."""
    return str(event.get("lastTimestamp") or event.get("eventTime") or "")
