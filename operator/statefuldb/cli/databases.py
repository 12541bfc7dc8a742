"""`apply`, `get`, `delete`, `wait`, `approve`, `sql`: commands about databases."""

import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from statefuldb.adapters.databases.mysql import SqlFailed, run_statements
from statefuldb.adapters.kubernetes.cli_client import CallRefused
from statefuldb.cli.console import fail, out
from statefuldb.cli.exit_codes import ExitCode
from statefuldb.cli.local import condition, databases_table
from statefuldb.cli.session import session_of
from statefuldb.model.parse import parse_database
from statefuldb.model.spec import DatabaseSpec
from statefuldb.planning.engines import engine_errors

Json = dict[str, Any]
POLL_SECONDS = 0.3


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (apply, get, delete, wait, approve, sql):
        app.command()(command)


def read_manifests(path: str) -> list[Json]:
    """Return the documents of a file, of a directory's YAML files, or of standard input (`-`)."""
    if path == "-":
        texts = [sys.stdin.read()]
    elif Path(path).is_dir():
        texts = [file.read_text() for file in sorted(Path(path).glob("*.yaml"))]
    elif Path(path).exists():
        texts = [Path(path).read_text()]
    else:
        fail(f"there is no file {path}", ExitCode.NOT_FOUND)
    try:
        return [body for text in texts for body in yaml.safe_load_all(text) if body]
    except yaml.YAMLError as error:
        fail(f"{path} is no YAML: {error}", ExitCode.USAGE)


def manifest_errors(body: Json) -> list[str]:
    """Return everything that the operator would refuse in a manifest."""
    if body.get("kind") != "StatefulDatabase":
        return []
    parsed = parse_database(body.get("spec") or {})
    errors = engine_errors(parsed) if isinstance(parsed, DatabaseSpec) else parsed
    return [str(error) for error in errors]


def apply(
    context: typer.Context, file: Annotated[str, typer.Option("--file", "-f", help="File, directory, or - for stdin.")]
) -> None:
    """Apply manifests. Every error is named, with its path, before anything is sent.

    Example: statefuldb apply -f manifests/quickstart.yaml
    """
    session = session_of(context)
    bodies = read_manifests(file)
    errors = [f"{body['metadata'].get('name')}: {text}" for body in bodies for text in manifest_errors(body)]
    if errors:
        fail("\n       ".join(errors), ExitCode.REFUSED)
    try:
        for body in bodies:
            done = session.client.apply(body, session.namespace)
            out.print(f"{body['kind']}/{body['metadata']['name']} {done}")
    except CallRefused as refused:
        fail(str(refused), ExitCode.REFUSED)


def get(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="One database; without it all.")] = None,
    output: Annotated[str, typer.Option("--output", "-o", help="table, json or yaml.")] = "table",
) -> None:
    """Show databases.

    Example: statefuldb get quickstart -o yaml
    """
    session = session_of(context)
    try:
        found = [session.database(name)] if name else session.client.list("StatefulDatabase", session.namespace)
    except CallRefused as refused:
        fail(str(refused), ExitCode.CANNOT_CONNECT)
    shown: Any = found[0] if name else found
    if output == "json":
        typer.echo(json.dumps(shown, indent=2))
    elif output == "yaml":
        typer.echo(yaml.safe_dump(shown, sort_keys=False))
    else:
        out.print(databases_table(found))


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
    try:
        session.client.delete("StatefulDatabase", session.namespace, name)
    except CallRefused as refused:
        fail(str(refused), ExitCode.REFUSED)
    kept = stored["spec"].get("retention", {}).get("whenDeleted", "Retain")
    out.print(f"{name} is being deleted; its data: {kept} (see `statefuldb volumes list`)")


def wait(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The database.")],
    for_: Annotated[str, typer.Option("--for", help="A condition type, or `delete`.")] = "Ready",
    timeout: Annotated[float, typer.Option(help="Seconds.")] = 120.0,
) -> None:
    """Wait until a condition is True at the present generation, or the database is gone.

    Example: statefuldb wait quickstart --for Ready --timeout 60
    """
    session = session_of(context)
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        stored = session.client.get("StatefulDatabase", session.namespace, name)
        if stored is None:
            if for_ == "delete":
                return
            fail(f"there is no database {name} in namespace {session.namespace}", ExitCode.NOT_FOUND)
        held = condition(stored, for_)
        if held.get("status") == "True" and held.get("observedGeneration") == stored["metadata"]["generation"]:
            return
        time.sleep(POLL_SECONDS)
    summary = (stored or {}).get("status", {}).get("summary", "")
    fail(f"{name}: {for_} did not come true in {timeout:g} s: {summary}", ExitCode.TIMED_OUT)


def approve(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The database.")],
    plan_hash: Annotated[str | None, typer.Argument(help="The plan's hash; without it the present plan's.")] = None,
) -> None:
    """Release exactly the plan that is shown by `statefuldb plan`.

    Example: statefuldb approve orders 3f9ad20c11be
    """
    session = session_of(context)
    present = session.database(name).get("status", {}).get("plan", {}).get("hash", "")
    if not present:
        fail(f"{name} has no plan that waits", ExitCode.NOT_FOUND)
    if plan_hash is not None and plan_hash != present:
        fail(f"the plan is now {present}, not {plan_hash}", ExitCode.REFUSED, f"look again: statefuldb plan {name}")
    patch = {"spec": {"reconcile": {"approvedPlan": present}}}
    session.client.merge("StatefulDatabase", session.namespace, name, patch)
    out.print(f"plan {present} of {name} is released")


def sql(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The database.")],
    execute: Annotated[
        str, typer.Option("--execute", "-e", help="A statement; without it they are read from stdin.")
    ] = "",
) -> None:
    """Run SQL as the application's account. The password comes from the Secret and is shown nowhere.

    Example: statefuldb sql quickstart -e 'SELECT VERSION()'
    """
    session = session_of(context)
    secret = session.client.secret(session.namespace, f"{name}-connection")
    if secret is None:
        fail(f"{name} has no connection Secret yet", ExitCode.NOT_FOUND, f"see `statefuldb explain {name}`")
    statements = [execute] if execute else [line for line in sys.stdin.read().split(";\n") if line.strip()]
    try:
        for row in run_statements(secret, statements):
            typer.echo("\t".join("NULL" if cell is None else str(cell) for cell in row))
    except SqlFailed as error:
        fail(f"{name}: {error}")
