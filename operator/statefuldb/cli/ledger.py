"""Taking stock: the ledger's entries and, where a master answers, what Mesos holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from rich.table import Table

from statefuldb.adapters.kubernetes.cli_client import CallRefused
from statefuldb.adapters.mesos.holdings import view_of
from statefuldb.cli.console import errors, fail
from statefuldb.cli.exit_codes import ExitCode
from statefuldb.cli.mesos_options import MesosOptions
from statefuldb.cli.output import table_of
from statefuldb.cli.progress import Progress
from statefuldb.cli.session import Session
from statefuldb.model.damaged import DamagedEntry, read_entry
from statefuldb.model.identity import FRAMEWORK_CONFIG_MAP
from statefuldb.model.volume import VolumeRecord
from statefuldb.model.volume_object import to_object
from statefuldb.planning.inventory.comparison import VolumeLine, compare
from statefuldb.reconcile.ports import EffectFailed

BYTES_PER_GIB = 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """What was found. `blind` says why Mesos could not be asked; empty where it answered."""

    lines: tuple[VolumeLine, ...]
    blind: str


def read_ledger(session: Session) -> tuple[VolumeRecord | DamagedEntry, ...]:
    """Return every entry of every namespace. Ends where nobody answers."""
    try:
        return tuple(map(read_entry, session.client.list("DatabaseVolume")))
    except CallRefused as refused:
        fail(str(refused), ExitCode.CANNOT_CONNECT, "statefuldb doctor says what is amiss")


def cluster_uuid(session: Session, operator_namespace: str) -> str | None:
    """Return the UUID by which ownership is told, or None where there is no record of it. Raises CallRefused."""
    record = session.client.get("ConfigMap", operator_namespace, FRAMEWORK_CONFIG_MAP)
    found = (record or {}).get("data", {}).get("cluster")
    return str(found) if found else None


def take_stock(session: Session, mesos: MesosOptions) -> Stock:
    """Return the ledger compared with the cluster, or the ledger alone and why."""
    entries = read_ledger(session)
    blind, view = "", None
    try:
        cluster = cluster_uuid(session, mesos.operator_namespace)
        if cluster is None:
            raise EffectFailed(
                f"ConfigMap {FRAMEWORK_CONFIG_MAP} is not in namespace {mesos.operator_namespace}: "
                "nothing says which resources are ours (--operator-namespace)"
            )
        with Progress("asking Mesos what it holds"):
            view = view_of(mesos.master(session), cluster)
    except (EffectFailed, CallRefused) as failure:
        blind = str(failure)
    return Stock(lines=compare(entries, view), blind=blind)


def say_if_blind(stock: Stock) -> None:
    """Say on standard error that only the ledger's own view is shown."""
    if stock.blind:
        errors.print(f"Mesos was not asked: {stock.blind}")
        errors.print("What follows is the ledger's own view: orphaned, missing and lost volumes are not seen.")


def write_entry(session: Session, record: VolumeRecord) -> None:
    """Add an entry to the ledger; one that is there already is left as it is."""
    try:
        session.client.create(to_object(record))
    except CallRefused as refused:
        missing = refused.status == HTTPStatus.NOT_FOUND
        fix = f"create it first: kubectl create namespace {record.key.namespace}" if missing else ""
        fail(str(refused), ExitCode.REFUSED, fix)


def lines_json(lines: Sequence[VolumeLine]) -> list[dict[str, Any]]:
    """Return lines as plain JSON."""
    return [
        {
            "namespace": line.key.namespace,
            "name": line.name,
            "state": str(line.state),
            "database": line.key.name,
            "ordinal": line.identity.ordinal,
            "uid": line.identity.uid,
            "strategy": line.strategy or "",
            "intent": line.intent,
            "agent": line.agent,
            "where": line.where,
            "sizeBytes": line.size_bytes,
            "note": line.note,
        }
        for line in lines
    ]


def lines_table(lines: Sequence[VolumeLine], wide: bool) -> Table | str:
    """Return lines as a table."""
    columns = ["NAMESPACE", "NAME", "STATE", "DATABASE", "STRATEGY", "AGENT", "WHERE"]
    rows = [
        [line.key.namespace, line.name, line.state, line.key.name, line.strategy or "", line.agent, line.where]
        for line in lines
    ]
    if wide:
        columns += ["INTENT", "SIZE", "UID"]
        for row, line in zip(rows, lines, strict=True):
            row += [line.intent, f"{line.size_bytes / BYTES_PER_GIB:g}Gi", line.identity.uid]
    columns.append("NOTE")
    for row, line in zip(rows, lines, strict=True):
        row.append(line.note)
    return table_of(columns, rows, "The ledger is empty, and nothing of ours was found.")
