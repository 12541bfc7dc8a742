"""`restart`: asking for a clean stop and a new launch of every member, on the same data."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from statefuldb.cli.console import out
from statefuldb.cli.session import Json, session_of
from statefuldb.cli.showing import condition
from statefuldb.cli.waiting import await_database
from statefuldb.model.identity import ANNOTATION_RESTARTED_AT


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(restart)


def restart(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The database.")],
    wait: Annotated[bool, typer.Option("--wait", help="Return once the new members are Ready.")] = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait.")] = 180.0,
) -> None:
    """Restart a database once: each member is stopped cleanly and launched again on its data.

    It is an edit of the annotation statefuldb.dev/restarted-at, so it can be made in Git as well, and it is held back
    like any other restart where spec.reconcile asks for approval.

    Example: statefuldb restart orders --wait
    """
    session = session_of(context)
    before = _task_ids(session.database(name))
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    patch = {"metadata": {"annotations": {ANNOTATION_RESTARTED_AT: now}}}
    stored = session.client.merge("StatefulDatabase", session.namespace, name, patch)
    out.print(f"restart of {name} is asked for at {now}")
    mode = stored["spec"].get("reconcile", {}).get("mode", "Apply")
    if mode != "Apply":
        out.print(f"  spec.reconcile.mode is {mode}: see `{session.hint('plan', name)}`")
    if not wait:
        return

    def arrived(stored: Json | None) -> bool:
        now = _task_ids(stored) if stored is not None else set()
        ready = stored is not None and condition(stored, "Ready").get("status") == "True"
        return bool(now) and not now & before and ready

    await_database(session, name, arrived, timeout, "was not restarted")
    out.print(f"{name} is Ready again")


def _task_ids(stored: Json) -> set[str]:
    members = stored.get("status", {}).get("members", [])
    return {str(member["taskId"]) for member in members if member.get("taskId")}
