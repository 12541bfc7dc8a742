"""`sync`: what a directory or a git repository holds, kept applied; and `sync status`."""

import contextlib
import hashlib
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
from typer.core import TyperGroup

from statefuldb.adapters.kubernetes.cli_client import CallRefused, CliClient
from statefuldb.adapters.machine import end_on_signals
from statefuldb.cli.console import fail, out
from statefuldb.cli.databases import manifest_errors
from statefuldb.cli.exit_codes import ExitCode
from statefuldb.cli.output import Output, OutputOption, printed
from statefuldb.cli.session import session_of
from statefuldb.model.identity import LABEL_SYNC
from statefuldb.sync.copies import own_copy
from statefuldb.sync.decide import Decision
from statefuldb.sync.directory import DirectorySource
from statefuldb.sync.git import DEFAULT, GitSource, is_repository
from statefuldb.sync.ports import Refused, Source, Unreachable
from statefuldb.sync.record import State, Status
from statefuldb.sync.syncing import Settings, Sync

Json = dict[str, Any]
FIELD_MANAGER = "statefuldb-sync"
_INTERVAL = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)?")
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class SourceFirst(TyperGroup):
    """`sync SOURCE` is `sync run SOURCE`: what is no command is a source."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command that is meant in front."""
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = ["run", *args]
        return super().parse_args(ctx, args)


sync_app = typer.Typer(
    cls=SourceFirst,
    no_args_is_help=True,
    help="Keep applied what a directory or a git repository holds (docs/gitops/sync.md).",
    epilog="Examples:  statefuldb sync ./databases --prune  |  statefuldb sync https://git.example/db.git#main  |  "
    "statefuldb sync status",
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    sync_app.command()(run)
    sync_app.command()(status)
    app.add_typer(sync_app, name="sync")


def run(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="A directory, or a git URL with a revision: URL#REVISION.")],
    path: Annotated[str, typer.Option(help="The folder of the source that holds the manifests.")] = "",
    revision: Annotated[str, typer.Option(help="Branch, tag or commit of a git source.")] = "",
    interval: Annotated[str, typer.Option(help="How often the source is looked at: 30s, 5m, 1h.")] = "30s",
    prune: Annotated[
        bool, typer.Option("--prune", help="Delete what was applied from the source and is gone.")
    ] = False,
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="Take a source without any manifest at its word.")
    ] = False,
    git_credentials: Annotated[
        Path | None,
        typer.Option(
            help="Folder with the files of a Secret by which git logs in: username and password, or ssh-privatekey "
            "and known_hosts; ca.crt for a server's own authority."
        ),
    ] = None,
    name: Annotated[str, typer.Option(help="Name of this sync; without it one made from source and path.")] = "",
    once: Annotated[bool, typer.Option("--once", help="One pass; ends with 1 where something is wrong.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what a pass would do, and do nothing.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Apply what a source holds, and go on following it. Data is never deleted by pruning. `sync SOURCE` is the same.

    Example: statefuldb sync run https://git.example/databases.git#main --path production --interval 1m --prune
    """
    session = session_of(context)
    seconds = _seconds(interval)
    folder = path.strip("/")
    where, _, fragment = source.partition("#")
    wanted = revision or fragment
    settings = Settings(
        name=_checked(name) or _name_of(where, folder),
        namespace=session.namespace,
        source=where + (f"#{wanted}" if wanted else "") + (f" {folder}" if folder else ""),
        prune=prune,
        allow_empty=allow_empty,
    )
    with own_copy(session.state_dir.resolve() / "sync") as room:
        read = _source(where, wanted, folder, room, git_credentials)
        sync = Sync(settings=settings, source=read, cluster=_Cluster(session.client), check=manifest_errors)
        if once or dry_run:
            _one_pass(sync, settings.name, output, dry_run=dry_run)
            return
        stop = threading.Event()
        end_on_signals(stop)
        out.print(f"syncing {settings.source} as {settings.namespace}/{settings.name}")
        sync.run(seconds, stop, lambda text: out.print(text))


def _one_pass(sync: Sync, name: str, output: Output, *, dry_run: bool) -> None:
    try:
        if dry_run:
            _show(sync.foresee(), output)
            return
        done = sync.once(believe=True)
    except (Refused, Unreachable) as problem:
        fail(str(problem), ExitCode.CANNOT_CONNECT)
    if not printed({name: done.to_object()}, output):
        _print_status(name, done)
    if done.state is not State.SYNCED:
        raise typer.Exit(ExitCode.FAILED)


def status(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="One sync; without it all of the namespace.")] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show each sync: its revision, what is wrong, what others changed, what was pruned, what was kept and why.

    Example: statefuldb sync status
    """
    session = session_of(context)
    stored = session.client.list("ConfigMap", session.namespace, f"labelSelector={LABEL_SYNC}")
    found = {str(o["metadata"]["labels"][LABEL_SYNC]): Status.from_json(o["data"].get("status", "")) for o in stored}
    chosen = {key: held for key, held in found.items() if name in (None, key)}
    if name is not None and not chosen:
        fail(f"there is no sync {name} in namespace {session.namespace}", ExitCode.NOT_FOUND)
    if printed({key: held.to_object() if held else {} for key, held in chosen.items()}, output):
        return
    if not chosen:
        out.print(f"nothing is synced in namespace {session.namespace}")
    for key, held in sorted(chosen.items()):
        if held is None:
            out.print(f"{key}: no pass was made yet")
        else:
            _print_status(key, held)


class _Cluster:
    """The API as syncing sees it, through the command line's client."""

    def __init__(self, client: CliClient) -> None:
        self._client = client

    def get(self, kind: str, namespace: str, name: str) -> Json | None:
        with _refusals():
            return self._client.get(kind, namespace, name)

    def databases(self, namespace: str) -> list[Json]:
        with _refusals():
            return self._client.list("StatefulDatabase", namespace)

    def apply(self, body: Json) -> Json:
        with _refusals():
            return self._client.apply_as(body, FIELD_MANAGER)

    def retain(self, namespace: str, name: str) -> None:
        with _refusals():
            retained = {"spec": {"retention": {"whenDeleted": "Retain"}}}
            self._client.merge("StatefulDatabase", namespace, name, retained)

    def delete(self, kind: str, namespace: str, name: str, uid: str) -> None:
        with _refusals():
            self._client.delete(kind, namespace, name, uid)

    def write(self, body: Json) -> None:
        with _refusals():
            if "resourceVersion" in body["metadata"]:
                self._client.replace(body)
            else:
                self._client.create(body)


@contextlib.contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except CallRefused as refused:
        raise Refused(str(refused), refused.status) from refused


def _source(where: str, revision: str, folder: str, copy: Path, credentials: Path | None) -> Source:
    """Return the source that is meant, or end with a clear error."""
    local = Path(where)
    if credentials is not None and not credentials.is_dir():
        fail(f"--git-credentials {credentials} is no folder", ExitCode.NOT_FOUND)
    if ".." in folder.split("/"):
        fail(f"--path {folder} leads out of the source", ExitCode.USAGE)
    if local.is_dir() and not revision and not is_repository(local):
        return DirectorySource(local / folder)
    if local.is_dir():
        where = str(local.resolve())
    elif "://" not in where and ":" not in where:
        fail(f"there is no directory {where}, and it is no git URL", ExitCode.NOT_FOUND)
    try:
        return GitSource(url=where, revision=revision or DEFAULT, path=folder, copy=copy, credentials=credentials)
    except ValueError as error:
        fail(str(error), ExitCode.USAGE)


def _checked(name: str) -> str:
    if name and not _NAME.fullmatch(name):
        fail(f"--name {name} is no name: lower-case letters, digits and dashes, 50 at most", ExitCode.USAGE)
    return name


def _name_of(where: str, folder: str) -> str:
    """Return a name for a source: readable, and another for each."""
    place = str(Path(where).resolve()) if Path(where).is_dir() else where
    last = urlsplit(place).path.rstrip("/").rpartition("/")[2].removesuffix(".git").lower()
    digest = hashlib.sha256(f"{place}\0{folder}".encode()).hexdigest()[:8]
    return f"{re.sub('[^a-z0-9]+', '-', last).strip('-')[:40] or 'source'}-{digest}"


def _seconds(interval: str) -> float:
    found = _INTERVAL.fullmatch(interval)
    if found is None or float(found[1]) <= 0:
        fail(f"--interval {interval} is no time; 30s, 5m and 1h are", ExitCode.USAGE)
    return float(found[1]) * _SECONDS[found[2] or "s"]


def _print_status(name: str, held: Status) -> None:
    lines = [
        f"{name}: {held.state}, {held.objects} objects",
        f"  source    {held.source}",
        f"  revision  {held.revision or 'none yet'}, since {held.at or 'now'}",
    ]
    for what, found in (("error", held.errors), ("drift", held.drift), ("pruned", held.pruned), ("kept", held.kept)):
        lines += [f"  {what:9} {text}" for text in found]
    for line in lines:
        out.print(line)


def _show(decision: Decision, output: Output) -> None:
    found = {
        "apply": [f"{d.identity} ({d.file} document {d.number})" for d in decision.apply],
        "prune": list(map(str, decision.prune)),
        "drift": list(map(str, decision.drift)),
        "kept": list(map(str, decision.kept)),
        "errors": list(map(str, decision.problems)),
    }
    if printed(found, output):
        return
    words = {"apply": "would apply", "prune": "would prune", "errors": "error"}
    lines = [f"{words.get(what, what):12} {text}" for what, texts in found.items() for text in texts]
    for line in lines or ["nothing to do"]:
        out.print(line)
