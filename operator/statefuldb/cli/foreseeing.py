"""`plan -f`: what a manifest would lead to, said before anything is stored."""

import time
from typing import Any

import typer

from statefuldb.adapters.kubernetes.cli_client import CallRefused
from statefuldb.adapters.kubernetes.objects import database_of
from statefuldb.cli.console import errors, out
from statefuldb.cli.databases import manifest_errors, name_of, read_manifests
from statefuldb.cli.exit_codes import ExitCode, code_of
from statefuldb.cli.mesos_options import OPERATOR_NAMESPACE
from statefuldb.cli.output import Output, printed
from statefuldb.cli.session import Session
from statefuldb.model.damaged import DamagedEntry, read_entry
from statefuldb.model.identity import FRAMEWORK_CONFIG_MAP, DatabaseKey, connection_secret_name
from statefuldb.model.observed import MesosView, Observed, SecretView
from statefuldb.model.settings import OperatorIdentity
from statefuldb.model.volume import VolumeRecord
from statefuldb.planning.approval.foresight import asks, foresee
from statefuldb.planning.desired import desired_of
from statefuldb.planning.ledger import duplicates
from statefuldb.planning.planner import plan

Json = dict[str, Any]
DEFAULT_ROLE = "statefuldb"
UNKNOWN_CLUSTER = "00000000-0000-0000-0000-000000000000"


def foresee_file(session: Session, file: str, output: Output) -> None:
    """Show, for each object of a file, the steps that applying it would lead to. Ends with REFUSED for a bad one."""
    found = [_foreseen(session, body) for body in read_manifests(file)]
    if not printed(found, output):
        for each in found:
            _say(each)
    if any(each["errors"] for each in found):
        raise typer.Exit(ExitCode.REFUSED)


def _say(found: Json) -> None:
    name = found["name"]
    for text in found["errors"]:
        errors.print(f"{name}: {text}")
    if found["errors"]:
        return
    if found["kind"] != "StatefulDatabase":
        out.print(f"{found['kind']}/{name}: would be applied")
        return
    steps = found["steps"]
    out.print(f"{name}: {len(steps)} steps" if steps else f"{name}: nothing to do")
    for step in steps:
        approval = "" if step["approved"] else "  (waits for approval)"
        out.print(f"  {step['risk']:14} {step['description']}{approval}")
    for wait in found["waiting"]:
        out.print(f"  then waits     {wait['reason']}: {wait['message']}")


def _foreseen(session: Session, body: Json) -> Json:
    """Return what applying one object would lead to; `errors` holds what would be refused."""
    found: Json = {"kind": body.get("kind"), "name": name_of(body), "steps": [], "waiting": [], "errors": []}
    wrong = manifest_errors(body)
    if wrong:
        return {**found, "errors": wrong}
    try:
        after = session.client.dry_run(body, session.namespace)
    except CallRefused as problem:
        if code_of(problem.status) is ExitCode.CANNOT_CONNECT:
            raise
        return {**found, "errors": [str(problem)]}
    if body.get("kind") != "StatefulDatabase":
        return found
    operator = _operator(session)
    observed = _observed(session, after, operator)
    desired = desired_of(observed, operator.allowed_roots)
    if desired is None or desired.errors:
        return {**found, "errors": [str(error) for error in desired.errors] if desired is not None else []}
    foreseen = foresee(desired, observed, operator, plan)
    assert desired.spec is not None
    reconcile = desired.spec.reconcile
    return {
        **found,
        "steps": [
            {"risk": str(s.risk), "description": s.description, "approved": not asks(s.risk, reconcile)}
            for s in foreseen.actions
        ],
        "waiting": [{"reason": str(w.reason), "message": w.message} for w in foreseen.waiting],
    }


def _observed(session: Session, after: Json, operator: OperatorIdentity) -> Observed:
    key = DatabaseKey.of(after)
    entries, database = _ledger(session, key.namespace), database_of(key, after)
    mine = tuple(entry for entry in entries if isinstance(entry, VolumeRecord) and entry.key == key)
    volumes, alike = duplicates.told_apart(mine, database, lambda each: duplicates.others_among(entries, each))
    secret = session.client.secret(key.namespace, connection_secret_name(key.name))
    return Observed(
        key=key,
        at_seconds=time.time(),
        database=database,
        volumes=volumes,
        damaged=tuple(entry for entry in entries if isinstance(entry, DamagedEntry) and entry.key == key),
        duplicates=alike,
        tasks={},
        keepers={},
        mesos=MesosView(connected=True, framework_id=None, role=operator.mesos_role, principal=operator.principal),
        secret=SecretView(
            revision="held",
            username=secret.get("username", ""),
            database=secret.get("database", ""),
            host=secret.get("host", ""),
            port=secret.get("port", ""),
        )
        if secret is not None
        else None,
    )


def _ledger(session: Session, namespace: str) -> list[VolumeRecord | DamagedEntry]:
    """Return the entries of every namespace, as the operator sees them; or of one, where no more may be read."""
    try:
        stored = session.client.list("DatabaseVolume")
    except CallRefused:
        stored = session.client.list("DatabaseVolume", namespace)
    return [read_entry(each) for each in stored]


def _operator(session: Session) -> OperatorIdentity:
    """Return what can be known of the operator from here: its cluster, which owns what is labelled."""
    record = session.client.get("ConfigMap", OPERATOR_NAMESPACE, FRAMEWORK_CONFIG_MAP)
    cluster = (record or {}).get("data", {}).get("cluster", UNKNOWN_CLUSTER)
    return OperatorIdentity(cluster=cluster, mesos_role=DEFAULT_ROLE, principal=None, operator_ca_pem="")
