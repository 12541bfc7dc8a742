"""`journal`, `replay`: what the operator did, pass by pass, and whether it would decide the same again."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from statefuldb.adapters.journal import JournalReader, Line
from statefuldb.cli.console import errors, fail, out
from statefuldb.cli.exit_codes import ExitCode
from statefuldb.cli.output import Output, OutputOption, print_one, printed
from statefuldb.cli.session import Session, session_of
from statefuldb.model.recording import from_json
from statefuldb.reconcile.replay import replay as decide_again

POLL_SECONDS = 0.5
HEADING = f"{'LINE':>5}  {'TIME':20}  {'DATABASE':24}  {'RISK':13}  ACTION OR REASON"

Name = Annotated[str | None, typer.Argument(help="Of one database; without it of all.")]
File = Annotated[
    Path | None, typer.Option("--file", help="A journal (journal.jsonl) instead of the embedded cluster's.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(journal)
    app.command()(replay)


def journal(
    context: typer.Context,
    name: Name = None,
    output: OutputOption = Output.TABLE,
    follow: Annotated[bool, typer.Option("--follow", help="Go on showing new passes.")] = False,
    file: File = None,
) -> None:
    """Show every pass that did something: when, for which database, each action with its risk, and what waited.

    json holds whole entries, one a line; yaml one document for each.

    Example: statefuldb journal orders --follow
    """
    session = session_of(context)
    reader = JournalReader(_path(session, file))
    if not output.is_data:
        typer.echo(HEADING)
    while True:
        for line in _of_database(reader, session, name):
            if line.entry is None:
                errors.print(f"line {line.number} is damaged")
            elif output.is_data:
                print_one(dict(line.entry), output)
            else:
                typer.echo("\n".join(_rows(line.number, line.entry)))
        if not follow:
            return
        time.sleep(POLL_SECONDS)


def replay(
    context: typer.Context,
    name: Name = None,
    line: Annotated[int | None, typer.Option("--line", help="Only this line, as `journal` numbers them.")] = None,
    file: File = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Decide recorded passes again and compare: the same snapshot must give the same plan. Nothing is executed.

    A difference means that this version decides otherwise than the one that wrote the journal; exit code 1.

    Example: statefuldb replay orders --line 12
    """
    session = session_of(context)
    same = 0
    different: list[tuple[int, list[str]]] = []
    unreadable: list[dict[str, Any]] = []
    for each in _of_database(JournalReader(_path(session, file)), session, name):
        if line is not None and each.number != line:
            continue
        try:
            recording = from_json((each.entry or {}).get("pass"))
        except ValueError as error:
            unreadable.append({"line": each.number, "why": str(error)})
            errors.print(f"line {each.number}: not to be replayed by this version: {error}")
            continue
        difference = decide_again(recording)
        if difference:
            different.append((each.number, list(difference)))
        else:
            same += 1
    if not same and not different and not unreadable:
        fail("the journal has no such pass", ExitCode.NOT_FOUND)
    changed = [{"line": number, "difference": text} for number, text in different]
    if not printed({"same": same, "different": changed, "notReplayed": unreadable}, output):
        for number, text in different:
            typer.echo("\n".join((f"line {number}: different", *text)))
        out.print(f"{same} the same, {len(different)} different, {len(unreadable)} not replayed")
    if different or not same:
        raise typer.Exit(ExitCode.FAILED)


def _path(session: Session, file: Path | None) -> Path:
    path = file or session.cluster.state_dir / "operator" / "journal.jsonl"
    if not path.exists():
        fail(
            f"there is no journal at {path}",
            ExitCode.NOT_FOUND,
            "name one with --file: it is in the directory that `statefuldb operator run --state` names",
        )
    return path


def _of_database(reader: JournalReader, session: Session, name: str | None) -> Iterator[Line]:
    for line in reader.lines():
        about_it = line.entry is not None and line.entry.get("key") == f"{session.namespace}/{name}"
        if name is None or about_it:
            yield line


def _rows(number: int, entry: Mapping[str, Any]) -> list[str]:
    """Return the pass as aligned lines: one for each action and each wait."""
    said = []
    for action in entry.get("actions", ()):
        kind, text = action["type"], action["description"]
        said.append((action["risk"], kind if text == kind else f"{kind}: {text}"))
    said += [("waiting", f"{wait['reason']}: {wait['message']}") for wait in entry.get("waiting", ())]
    rows = []
    head = f"{number:>5}  {entry.get('at', ''):20}  {entry.get('key', ''):24}"
    for risk, text in said:
        rows.append(f"{head}  {risk:13}  {text}")
        head = " " * len(head)
    return rows
