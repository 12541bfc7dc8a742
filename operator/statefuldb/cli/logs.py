"""`logs`: what a member's keeper and server wrote, read through its Mesos agent."""

import time
from typing import Annotated

import typer

from statefuldb.adapters.mesos.agent_files import AgentFiles, NoSandbox, Sandbox
from statefuldb.cli.console import errors, fail
from statefuldb.cli.exit_codes import ExitCode
from statefuldb.cli.mesos_options import MesosOptions, takes_mesos
from statefuldb.cli.session import Session, session_of
from statefuldb.model.damaged import DamagedEntry, read_entry
from statefuldb.model.identity import TaskId
from statefuldb.model.volume import VolumeRecord
from statefuldb.reconcile.ports import EffectFailed

FILES = ("stderr", "server.log")
POLL_SECONDS = 1.0
PAGE_BYTES = 64 * 1024


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(logs)


@takes_mesos
def logs(
    context: typer.Context,
    mesos: MesosOptions,
    name: Annotated[str, typer.Argument(help="The database.")],
    member: Annotated[int, typer.Option(help="Its ordinal.")] = 0,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the last lines of each file.")] = 40,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is written, until Ctrl-C.")] = False,
    incarnation: Annotated[
        int | None, typer.Option(help="An earlier launch, as `journal` and task ids number them.")
    ] = None,
) -> None:
    """Show what a member wrote last: its keeper (stderr) and its server (server.log), rotated parts included.

    They are read through the Mesos agent, whether the member runs or has ended. --follow goes on with the next
    incarnation when the member is restarted.

    Example: statefuldb logs quickstart --lines 100 --follow
    """
    session = session_of(context)
    files = mesos.files(session)
    record = _record(session, name, member)
    try:
        reader = _reader(files, record, incarnation, lines)
    except NoSandbox as nothing:
        fail(str(nothing), ExitCode.NOT_FOUND)
    reader.show_new()
    while follow:
        time.sleep(POLL_SECONDS)
        try:
            reader.show_new()
            latest = _record(session, name, member)
            if incarnation is None and latest.task_id != record.task_id:
                reader = _reader(files, latest, None, lines)
                record = latest
        except EffectFailed as failure:
            # An agent or master that restarts is no reason to stop following.
            errors.print(f"{failure}; trying again")


class Reader:
    """Shows the last `lines` of the files of a task at first, and then whatever is added."""

    def __init__(self, files: AgentFiles, task_id: TaskId, agent_id: str, lines: int) -> None:
        self._files = files
        self._sandbox = files.sandbox(str(task_id), agent_id=agent_id)
        self._task_id = task_id
        self._lines = lines
        self._seen: dict[str, int] = {}
        self._heading = ""
        self._at_line_start = True

    def show_new(self) -> None:
        """Print what was not printed yet. Raises EffectFailed."""
        present = self._files.names(self._sandbox)
        for name in FILES:
            if name not in present:
                continue
            size, seen = self._files.size(self._sandbox, name), self._seen.get(name)
            if seen is None:
                text = tail(self._files, self._sandbox, name, present, self._lines)
            else:
                # A smaller file was emptied when it was rotated: it begins anew.
                text = self._files.text(self._sandbox, name, seen if seen <= size else 0, size)
            self._seen[name] = size
            self._print(name, text)

    def _print(self, name: str, text: str) -> None:
        if not text:
            return
        if name != self._heading:
            self._heading = name
            typer.echo(("" if self._at_line_start else "\n") + f"==> {name} of {self._task_id} <==")
        typer.echo(text, nl=False)
        self._at_line_start = text.endswith("\n")


def tail(files: AgentFiles, sandbox: Sandbox, name: str, present: dict[str, int], lines: int) -> str:
    """Return the last lines of a file, from its rotated parts (`.1`, `.2` ...) too where it is short of them."""
    rotated = sorted((n for n in present if _part(n, name)), key=lambda n: _part(n, name))
    text = ""
    for part in (name, *rotated):
        begin = files.size(sandbox, part)
        while begin > 0 and text.count("\n") <= lines:
            end, begin = begin, max(0, begin - PAGE_BYTES)
            text = files.text(sandbox, part, begin, end) + text
    return "".join(text.splitlines(keepends=True)[-lines:]) if lines else ""


def _part(candidate: str, name: str) -> int:
    """Return the number of a rotated part of `name`, or 0 for another file."""
    number = candidate.removeprefix(f"{name}.")
    return int(number) if candidate.startswith(f"{name}.") and number.isdigit() else 0


def _record(session: Session, name: str, member: int) -> VolumeRecord:
    stored = session.client.get("StatefulDatabase", session.namespace, name)
    uid = stored["metadata"]["uid"] if stored is not None else None
    for entry in map(read_entry, session.client.list("DatabaseVolume", session.namespace)):
        if isinstance(entry, DamagedEntry):
            if entry.key.name == name and entry.ordinal in (None, member):
                fail(f"ledger entry {entry.name} cannot be read: {entry.problem}", ExitCode.FAILED)
        # Of a database that is gone, what removes its data still writes.
        elif (
            entry.identity.ordinal == member
            and entry.launch is not None
            and (entry.owner_uid == uid or (uid is None and entry.key.name == name))
        ):
            return entry
    session.database(name)
    see = f"see `{session.hint('explain', name)}`"
    fail(f"{name} has no member {member} that was launched", ExitCode.NOT_FOUND, see)


def _reader(files: AgentFiles, record: VolumeRecord, incarnation: int | None, lines: int) -> Reader:
    assert record.launch is not None
    number = record.launch.incarnation if incarnation is None else incarnation
    task_id = TaskId(uid=record.identity.uid, ordinal=record.identity.ordinal, incarnation=number)
    return Reader(files, task_id, record.launch.agent.id, lines)
