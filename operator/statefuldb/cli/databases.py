"""`apply`, `delete`, `approve`, `sql`: commands that change a database, or speak to it."""

import sys
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from statefuldb.adapters.databases.mysql import SqlFailed, distinct, plain, run_statements, statements_of
from statefuldb.adapters.kubernetes.cli_client import CallRefused
from statefuldb.cli.console import errors, fail, out
from statefuldb.cli.exit_codes import ExitCode, code_of
from statefuldb.cli.output import Output, OutputOption, printed
from statefuldb.cli.session import Session, session_of
from statefuldb.cli.showing import condition
from statefuldb.cli.verdicts import await_verdicts
from statefuldb.model.conditions import ConditionType
from statefuldb.model.identity import connection_secret_name
from statefuldb.model.parse import parse_database
from statefuldb.model.spec import DatabaseSpec
from statefuldb.planning.engines import engine_errors
from statefuldb.sync.directory import SUFFIXES
from statefuldb.sync.manifests import ManifestLoader, NoManifest, check_named, check_plain, items_of

Json = dict[str, Any]
VERDICT_SECONDS = 5.0


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (apply, delete, approve, sql):
        app.command()(command)


def read_manifests(path: str) -> list[Json]:
    """Return the documents of a file, of a directory's YAML and JSON files, or of standard input (`-`)."""
    bodies = [body for file in _files(path) for body in _documents(file)]
    if not bodies:
        fail(f"{path} holds no manifest", ExitCode.USAGE)
    return bodies


def _files(path: str) -> list[str]:
    try:
        if path != "-" and Path(path).is_dir():
            files = (file for file in sorted(Path(path).iterdir()) if file.suffix in SUFFIXES)
            return [str(file) for file in files if file.is_file()]
    except OSError as error:
        fail(f"{path} cannot be read: {error}", ExitCode.USAGE)
    return [path]


def _documents(file: str) -> list[Json]:
    """Return the objects that a file holds; those of a List one by one."""
    found: list[Json] = []
    number = 0
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text()
        for document in yaml.load_all(text, ManifestLoader):
            number += 1
            check_plain(document)
            found += map(check_named, items_of(document or None))
    except FileNotFoundError:
        fail(f"there is no file {file}", ExitCode.NOT_FOUND)
    except NoManifest as error:
        fail(f"{file} document {number}: {error}", ExitCode.USAGE)
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file} cannot be read: {error}", ExitCode.USAGE)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        # Characters that no text has are a ValueError, brackets without end are a RecursionError.
        fail(f"{file} is no YAML: {error}", ExitCode.USAGE)
    return found


def name_of(body: Json) -> str:
    """Return the name that a manifest gives its object."""
    return str(body["metadata"]["name"])


def manifest_errors(body: Json) -> list[str]:
    """Return everything that the operator would refuse in a manifest."""
    if not _is_database(body):
        return []
    parsed = parse_database(body.get("spec") or {})
    errors = engine_errors(parsed) if isinstance(parsed, DatabaseSpec) else parsed
    return [str(error) for error in errors]


def apply(
    context: typer.Context,
    file: Annotated[str, typer.Option("--file", "-f", help="File, directory, or - for stdin.")],
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait a few seconds for what the operator says of each database.")
    ] = True,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for that.")] = VERDICT_SECONDS,
    output: OutputOption = Output.TABLE,
) -> None:
    """Apply manifests. Every error is named, with its path, before anything is sent.

    What only the operator knows to be wrong (an edit that the data does not allow, a StorageProfile) is stored, and
    then refused: the command waits for that verdict, for five seconds at most, and ends with 4 where one is refused.

    Example: statefuldb apply -f manifests/quickstart.yaml
    """
    session = session_of(context)
    bodies = read_manifests(file)
    wrong = [f"{name_of(body)}: {text}" for body in bodies for text in manifest_errors(body)]
    if wrong:
        fail("\n       ".join(wrong), ExitCode.REFUSED)
    done: list[Json] = []
    for body in bodies:
        try:
            result = session.client.apply(body, session.namespace)
        except CallRefused as refused:
            fix = "apply that namespace first (kind Namespace)" if refused.status == HTTPStatus.NOT_FOUND else ""
            fail(f"{name_of(body)}: {refused}", code_of(refused.status), fix)
        done.append({"kind": body["kind"], "name": name_of(body), "result": result})
        if not output.is_data:
            out.print(f"{body['kind']}/{name_of(body)} {result}")
    refusals = _refusals(session, bodies, done, timeout) if wait else []
    printed(done, output)
    if refusals:
        fix = "the operator keeps to the last spec that it accepted, if any; correct the manifest and apply it again"
        fail("\n       ".join(refusals), ExitCode.REFUSED, fix)


def _refusals(session: Session, bodies: list[Json], done: list[Json], seconds: float) -> list[str]:
    """Add to what was done what the operator says of it; return what it refuses."""
    places = [(str(body["metadata"].get("namespace") or session.namespace), name_of(body)) for body in bodies]
    told = await_verdicts(session, [p for p, b in zip(places, bodies, strict=True) if _is_database(b)], seconds)
    for place, line in zip(places, done, strict=True):
        if line["kind"] == "StatefulDatabase":
            line["accepted"] = told[place].accepted
    unsaid = [name for (_, name), verdict in told.items() if verdict.accepted is None]
    if unsaid:
        text = f"{', '.join(unsaid)}: stored; no operator has looked at it within {seconds:g} s, does one run?"
        errors.print(text)
    return [f"{name}: stored and refused: {v.message}" for (_, name), v in told.items() if v.accepted is False]


def _is_database(body: Json) -> bool:
    return body.get("kind") == "StatefulDatabase"


def delete(context: typer.Context, name: Annotated[str, typer.Argument(help="The database.")]) -> None:
    """Delete a database. Its data is kept, unless the manifest says otherwise.

    Example: statefuldb delete quickstart
    """
    session = session_of(context)
    stored = session.database(name)
    if stored["spec"].get("deletionProtection", "Enabled") != "Disabled":
        fail(
            f"{name} is protected: spec.deletionProtection is not Disabled",
            ExitCode.REFUSED,
            "set it to Disabled and apply; spec.retention.whenDeleted says what becomes of the data",
        )
    # Only the one that was looked at: what becomes of the data of a later one of its name is said by another manifest.
    session.client.delete("StatefulDatabase", session.namespace, name, stored["metadata"]["uid"])
    kept = stored["spec"].get("retention", {}).get("whenDeleted", "Retain")
    out.print(f"{name} is being deleted; its data: {kept} (see `{session.hint('volumes', 'list')}`)")


def approve(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The database.")],
    plan_hash: Annotated[str | None, typer.Argument(help="The plan's hash; without it the present plan's.")] = None,
) -> None:
    """Release exactly the plan that is shown by `statefuldb plan`. In Git, commit its hash as approvedPlan instead.

    Example: statefuldb approve orders 3f9ad20c11be
    """
    session = session_of(context)
    stored = session.database(name)
    accepted = condition(stored, ConditionType.ACCEPTED)
    if accepted.get("status") == "False":
        fail(
            f"a refused spec approves nothing: {accepted.get('message', '')}", ExitCode.REFUSED, "put that right first"
        )
    present = stored.get("status", {}).get("plan", {}).get("hash", "")
    if not present:
        fail(f"{name} has no plan that waits", ExitCode.NOT_FOUND)
    if plan_hash is not None and plan_hash != present:
        again = f"look again: {session.hint('plan', name)}"
        fail(f"the plan is now {present}, not {plan_hash}", ExitCode.REFUSED, again)
    patch = {"spec": {"reconcile": {"approvedPlan": present}}}
    session.client.merge("StatefulDatabase", session.namespace, name, patch)
    out.print(f"plan {present} of {name} is released")


def sql(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The database.")],
    execute: Annotated[
        str, typer.Option("--execute", "-e", help="A statement; without it they are read from stdin.")
    ] = "",
    output: OutputOption = Output.TABLE,
) -> None:
    """Run SQL as the application's account. The password comes from the Secret and is shown nowhere.

    Rows come out as lines of cells with tabs between them, below a line of names with wide.

    Example: statefuldb sql quickstart -e 'SELECT VERSION()'
    """
    session = session_of(context)
    secret = session.client.secret(session.namespace, connection_secret_name(name))
    see = f"see `{session.hint('explain', name)}`"
    if secret is None:
        fail(f"{name} has no connection Secret yet", ExitCode.NOT_FOUND, see)
    if not execute and sys.stdin.isatty():
        errors.print("Statements are read from standard input, each ended by ; and a new line. Ctrl-D ends.")
    statements = [execute] if execute else list(statements_of(sys.stdin.read()))
    found: list[Json] = []
    try:
        for answer in run_statements(secret, statements):
            if output is Output.WIDE and answer.columns:
                typer.echo("\t".join(answer.columns))
            for row in answer.rows:
                found.append(dict(zip(distinct(answer.columns), map(plain, row), strict=True)))
                if not output.is_data:
                    typer.echo("\t".join("NULL" if cell is None else str(cell) for cell in row))
    except SqlFailed as error:
        code = ExitCode.FAILED if error.reached else ExitCode.CANNOT_CONNECT
        fail(f"{name}: {error}", code, "" if error.reached else see)
    printed(found, output)
