"""`restart`: asking for a clean stop and a new launch of every member, on the same data."""

import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from statefuldb.adapters.kubernetes.cli_client import CallRefused
from statefuldb.cli.console import fail, out
from statefuldb.cli.exit_codes import ExitCode
from statefuldb.cli.local import condition
from statefuldb.cli.session import Json, Session, session_of
from statefuldb.model.identity import ANNOTATION_RESTARTED_AT

POLL_SECONDS = 0.3


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
    try:
        stored = session.client.merge("StatefulDatabase", session.namespace, name, patch)
    except CallRefused as refused:
        fail(str(refused), ExitCode.REFUSED)
    out.print(f"restart of {name} is asked for at {now}")
    mode = stored["spec"].get("reconcile", {}).get("mode", "Apply")
    if mode != "Apply":
        out.print(f"  spec.reconcile.mode is {mode}: see `statefuldb plan {name}`")
    if wait:
        _await_new_members(session, name, before, timeout)
        out.print(f"{name} is Ready again")


def _await_new_members(session: Session, name: str, before: set[str], timeout: float) -> None:
    deadline = time.monotonic() + timeout
    stored: Json = {}
    while time.monotonic() < deadline:
        stored = session.database(name)
        now = _task_ids(stored)
        if now and not now & before and condition(stored, "Ready").get("status") == "True":
            return
        time.sleep(POLL_SECONDS)
    summary = stored.get("status", {}).get("summary", "")
    fail(
        f"{name} was not restarted in {timeout:g} s: {summary}", ExitCode.TIMED_OUT, f"see `statefuldb explain {name}`"
    )


def _task_ids(stored: Json) -> set[str]:
    members = stored.get("status", {}).get("members", [])
    return {str(member["taskId"]) for member in members if member.get("taskId")}
