"""What docs/gitops tells Argo CD and Flux, against what is really published."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from lupa.lua51 import LuaRuntime  # the Lua of Argo CD

from statefuldb.model.observed import TaskState
from statefuldb.model.schema.crd import API_VERSION
from statefuldb.model.spec import DesiredState, ReconcileMode, ReconcileSpec
from statefuldb.model.volume import Ending
from statefuldb.planning.desired import desired_of
from statefuldb.planning.planner import plan
from statefuldb.reconcile.report import status_of_plan
from unit.planning.approval.approving import PLAN_ONLY, Life, served
from unit.planning.world import OPERATOR, database, observed, spec, tasks

GITOPS = Path(__file__).parents[3] / "docs" / "gitops"
Json = dict[str, Any]


def health(obj: Json) -> tuple[str, str]:
    """Run the health script on an object as Argo CD does; return status and message."""
    lua = LuaRuntime(register_eval=False, unpack_returned_tuples=False)
    lua.globals().obj = lua.table_from(obj, recursive=True)
    found = lua.execute((GITOPS / "argocd" / "health.lua").read_text())
    return str(found["status"]), str(found["message"])


def stored(life: Life) -> Json:
    assert life.seen.database is not None
    return {"metadata": {"generation": life.generation}, "status": dict(life.seen.database.status)}


def new() -> Json:
    return {"metadata": {"generation": 1}}


def deleting() -> Json:
    return {"metadata": {"generation": 1, "deletionTimestamp": "2026-01-01T00:00:00Z"}}


def launching() -> Json:
    life = Life(spec())
    life.decide(())
    return stored(life)


def serving() -> Json:
    return stored(served())


def edited() -> Json:
    life = served()
    life.edit(state=DesiredState.STOPPED)
    return stored(life)


def stopped() -> Json:
    life = Life(spec(state=DesiredState.STOPPED))
    life.run()
    return stored(life)


def waiting_for_approval() -> Json:
    life = Life(spec(reconcile=PLAN_ONLY))
    life.run()
    return stored(life)


def approved_wrongly() -> Json:
    life = Life(spec(reconcile=PLAN_ONLY))
    life.approve("0" * 12)
    life.run()
    return stored(life)


def paused() -> Json:
    life = Life(spec(reconcile=ReconcileSpec(mode=ReconcileMode.PAUSED)))
    life.run()
    return stored(life)


def refused() -> Json:
    seen = observed(database=database(spec={"engine": {}}))
    decided = plan(desired_of(seen, ()), seen, (), OPERATOR)
    return {"metadata": {"generation": 1}, "status": status_of_plan(seen, decided)}


def lost() -> Json:
    life = Life(spec())
    life.run()
    (record,) = life.seen.volumes
    life.world.observed = observed(
        database=life.seen.database, volumes=life.seen.volumes, tasks=tasks(record, TaskState.UNREACHABLE)
    )
    life.decide(())
    return stored(life)


def failing() -> Json:
    life = Life(spec())
    life.run()
    (record,) = life.seen.volumes
    ending = Ending(incarnation=record.incarnation, state=TaskState.FAILED, at_seconds=life.seen.at_seconds)
    life.world.observed = replace(life.seen, volumes=(replace(record, failures=5, ending=ending),), tasks={})
    life.decide()
    return stored(life)


@pytest.mark.parametrize(
    ("make", "status", "said"),
    [
        (new, "Progressing", "waiting for the operator"),
        (deleting, "Progressing", "being deleted"),
        (launching, "Progressing", "NoSuitableOffer"),
        (edited, "Progressing", "generation"),
        (serving, "Healthy", "AllMembersReady"),
        (stopped, "Healthy", "StoppedAsAsked"),
        (waiting_for_approval, "Suspended", "ApprovalRequired: plan "),
        (approved_wrongly, "Suspended", "ApprovalStale"),
        (paused, "Suspended", "Paused"),
        (refused, "Degraded", "InvalidSpec"),
        (lost, "Degraded", "AgentLost"),
        (failing, "Degraded", "BackOff"),
    ],
)
def test_argo_cd_shows_the_health_of_what_is_published(make: Callable[[], Json], status: str, said: str) -> None:
    found, message = health(make())
    assert found == status
    assert said in message


def test_the_examples_are_about_our_kind() -> None:
    flux = list(yaml.safe_load_all((GITOPS / "flux" / "databases.yaml").read_text()))
    (check,) = flux[1]["spec"]["healthChecks"]
    assert (check["apiVersion"], check["kind"]) == (API_VERSION, "StatefulDatabase")
    application = yaml.safe_load((GITOPS / "argocd" / "application.yaml").read_text())
    assert application["spec"]["syncPolicy"]["automated"]["allowEmpty"] is False
    assert (
        "resource.customizations.health.statefuldb.dev_StatefulDatabase"
        in (GITOPS / "argocd" / "README.md").read_text()
    )


def test_the_api_defaults_no_field_of_a_database() -> None:
    definition = yaml.safe_load((GITOPS.parents[1] / "crds" / "statefuldatabases.yaml").read_text())

    def walk(schema: object) -> None:
        if isinstance(schema, dict):
            assert "default" not in schema or "type" not in schema, schema
            for inner in schema.values():
                walk(inner)
        elif isinstance(schema, list):
            for inner in schema:
                walk(inner)

    walk(definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"])
