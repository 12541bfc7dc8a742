"""`describe`, `plan`, `explain`, `events`, `logs`: commands that answer why."""

import time
from typing import Annotated, Any

import typer
import yaml

from statefuldb.cli.console import fail, out
from statefuldb.cli.exit_codes import ExitCode
from statefuldb.cli.foreseeing import foresee_file
from statefuldb.cli.session import session_of

Json = dict[str, Any]
POLL_SECONDS = 0.5


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (describe, plan, explain, events, logs):
        app.command()(command)


def describe(context: typer.Context, name: Annotated[str, typer.Argument(help="The database.")]) -> None:
    """Show a database whole: what was asked for and what is.

    Example: statefuldb describe quickstart
    """
    stored = session_of(context).database(name)
    stored["metadata"].pop("managedFields", None)
    typer.echo(yaml.safe_dump(stored, sort_keys=False))


def plan(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="The database.")] = None,
    file: Annotated[
        str | None, typer.Option("--file", "-f", help="What a manifest would lead to; file, directory or -.")
    ] = None,
) -> None:
    """Show the ordered actions with their risk, before they happen: of a database, or of a manifest not yet applied.

    Example: statefuldb plan -f orders.yaml
    """
    session = session_of(context)
    if file is not None:
        foresee_file(session, file)
        return
    if name is None:
        fail("name a database, or a manifest with -f", ExitCode.USAGE)
    held = session.database(name).get("status", {}).get("plan", {})
    if not held.get("actions"):
        out.print(f"{name}: nothing to do")
    for action in held.get("actions", []):
        out.print(f"{action['risk']:14} {action['description']}")
    for wait in held.get("waiting", []):
        out.print(f"waiting        {wait['reason']}: {wait['message']}")
    if held.get("hash"):
        out.print(f"hash           {held['hash']}")


def explain(context: typer.Context, name: Annotated[str, typer.Argument(help="The database.")]) -> None:
    """Say why a database is as it is: what waits, since when, and what would help.

    Example: statefuldb explain orders
    """
    stored = session_of(context).database(name)
    state = stored.get("status", {})
    if not state:
        fail(f"{name} has not been looked at yet", fix="does the operator run? statefuldb doctor")
    out.print(f"{name}: {state.get('summary', '')}")
    for held in state.get("conditions", []):
        out.print(f"  {held['type']:16} {held['status']:8} {held['reason']}: {held['message']}")
    for member in state.get("members", []):
        where = f" on {member['agent']}" if member.get("agent") else ""
        out.print(f"  member {member['ordinal']}: {member['phase']}{where}, restarts {member.get('restarts', 0)}")
    for wait in state.get("plan", {}).get("waiting", []):
        out.print(f"  waits since {wait['since']}: {wait['reason']}: {wait['message']}")
        for code, count in wait.get("refusals", {}).items():
            out.print(f"      {count} offer(s) refused for {code}")
        if wait.get("fix"):
            out.print(f"      what helps: {wait['fix']}")


def events(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Of one database; without it of all.")] = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on showing new ones.")] = False,
) -> None:
    """Show what happened.

    Example: statefuldb events orders -w
    """
    session = session_of(context)
    seen: set[tuple[str, int]] = set()
    while True:
        listed = session.client.list("Event", session.namespace)
        for event in sorted(listed, key=lambda e: str(e.get("lastTimestamp", ""))):
            about = event.get("involvedObject", {})
            mark = (event["metadata"]["name"], event.get("count", 1))
            if mark in seen or about.get("kind") != "StatefulDatabase" or (name and about.get("name") != name):
                continue
            seen.add(mark)
            said = f"{event['reason']}: {event['message']}"
            out.print(f"{event.get('lastTimestamp')} {event['type']:8} {about['name']:16} {said}")
        if not watch:
            return
        time.sleep(POLL_SECONDS)


def logs(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The database.")],
    member: Annotated[int, typer.Option(help="Its ordinal.")] = 0,
    lines: Annotated[int, typer.Option(help="How many lines of each file.")] = 40,
) -> None:
    """Show the latest output of a member: the keeper's and the server's (embedded cluster).

    Example: statefuldb logs quickstart
    """
    session = session_of(context)
    members = session.database(name).get("status", {}).get("members", [])
    task_id = next((m.get("taskId") for m in members if m["ordinal"] == member), None)
    if task_id is None:
        fail(f"{name} has no member {member} that was launched", ExitCode.NOT_FOUND)
    pattern = f"mesos/agent-*/slaves/*/frameworks/*/executors/{task_id}/runs/latest"
    sandboxes = sorted(session.cluster.state_dir.glob(pattern))
    if not sandboxes:
        fail(f"no sandbox of {task_id} on this machine", ExitCode.NOT_FOUND, "look at the agent's own files page")
    for file in ("stderr", "server.log"):
        path = sandboxes[-1] / file
        if path.exists():
            out.print(f"--- {file} of {task_id}")
            typer.echo("\n".join(path.read_text(errors="replace").splitlines()[-lines:]))
