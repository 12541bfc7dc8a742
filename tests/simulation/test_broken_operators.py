"""One broken operator for each law: the simulator sees it within so many seeds, and tells why in a few lines.

Where a second opinion of the operator's own (planning/invariants.py) would refuse the plan, that is broken as well.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from statefuldb.adapters.kubernetes.adapter import KubernetesAdapter
from statefuldb.adapters.mesos.adapter import MesosAdapter
from statefuldb.adapters.mesos.guard import UsedTaskIds
from statefuldb.adapters.mesos.offer_cache import OfferCache
from statefuldb.model.identity import LABEL_CLUSTER, ReservationLabels, TaskId, connection_secret_name
from statefuldb.model.volume import Intent, VolumeRecord
from statefuldb.planning.ledger import duplicates
from statefuldb.planning.removal import giving_back
from statefuldb.reconcile.ports import EffectFailed
from statefuldb.simulation.cluster.keeper import Keeper
from statefuldb.simulation.cluster.storage import Directory
from statefuldb.simulation.laws.verdict import LIVENESS, SAFETY
from statefuldb.simulation.runs.run import run
from statefuldb.simulation.size import Size

Break = Callable[[pytest.MonkeyPatch], None]
SMALL = Size(agents=5, databases=6, busy_seconds=60.0, pause_seconds=2.0)
CROWDED = replace(SMALL, workers=3)
LINES = 30


@dataclass(frozen=True)
class Mutant:
    """A law, how it is broken, and how many seeds it may take to see that; no faults are needed for it."""

    law: str
    apply: Break
    seeds: int = 2
    size: Size = SMALL


def no_second_opinion(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("statefuldb.reconcile.decide.violations", lambda *_: ())


def two_writers(patch: pytest.MonkeyPatch) -> None:
    """Every launch counts as over, none is stopped, and keepers do not care for the claim."""
    no_second_opinion(patch)
    patch.setattr(Directory, "try_take", lambda *_: True)
    patch.setattr(Keeper, "_watch_claim", lambda *_: None)
    patch.setattr(VolumeRecord, "ended", property(lambda _: True))
    patch.setattr(MesosAdapter, "kill", lambda *_: None)


def data_goes(patch: pytest.MonkeyPatch) -> None:
    """Retention is taken for deletion."""
    no_second_opinion(patch)
    saved = KubernetesAdapter.save_volume

    def deleting(self: Any, volume: Any) -> Any:
        return saved(self, replace(volume, intent=Intent.DELETE) if volume.intent is Intent.RETAIN else volume)

    patch.setattr(KubernetesAdapter, "save_volume", deleting)


def no_label(patch: pytest.MonkeyPatch) -> None:
    """Reservations do not say whose they are."""
    no_second_opinion(patch)
    pairs = ReservationLabels.as_pairs
    patch.setattr(ReservationLabels, "as_pairs", lambda self: tuple(p for p in pairs(self) if p[0] != LABEL_CLUSTER))


def unasked_stop(patch: pytest.MonkeyPatch) -> None:
    """What was launched is never what is wanted."""
    patch.setattr("statefuldb.planning.members.lifecycle.template_of", lambda *_: "another")


def half_a_bundle(patch: pytest.MonkeyPatch) -> None:
    """Memory is taken from what is not reserved."""
    from statefuldb.adapters.mesos import operation_wire

    whole = operation_wire._task_to_wire

    def half(*arguments: Any) -> Any:
        task = whole(*arguments)
        for resource in task["resources"]:
            if resource["name"] == "mem":
                resource.pop("reservations", None)
        return task

    patch.setattr(operation_wire, "_task_to_wire", half)


def forgets_data(patch: pytest.MonkeyPatch) -> None:
    """Keepers take no marker for an answer."""
    patch.setattr(Keeper, "_check_identity", lambda *_: False)


def shows_password(patch: pytest.MonkeyPatch) -> None:
    """The status has the password."""
    written = KubernetesAdapter.write_status

    def telling(self: Any, key: Any, uid: str, status: Any) -> None:
        name = connection_secret_name(key.name)
        password = self.password(key, name) if self.secret(key, name) is not None else ""
        written(self, key, uid, {**status, "summary": password})

    patch.setattr(KubernetesAdapter, "write_status", telling)


def always_ready(patch: pytest.MonkeyPatch) -> None:
    """Whatever is launched is called ready."""
    from statefuldb.reconcile import report

    made: Any = report.status_of_plan

    def praised(*arguments: Any) -> Any:
        status = made(*arguments)
        for condition in status["conditions"]:
            if condition["type"] == "Ready":
                condition.update(status="True")
        for member in status["members"]:
            member.update(ready=True)
        return status

    patch.setattr(report, "status_of_plan", praised)


def one_task_id(patch: pytest.MonkeyPatch) -> None:
    """Every launch has the same task id, and the driver lets it pass."""
    patch.setattr(UsedTaskIds, "claim", lambda self, body: None)
    patch.setattr(TaskId, "__str__", lambda self: f"sdb.{self.uid}.{self.ordinal}.1")


def stumbles(patch: pytest.MonkeyPatch) -> None:
    """A pass of a database that was edited ends with an exception."""
    from statefuldb.planning.planner import plan as planned

    def stumbling(desired: Any, observed: Any, *more: Any) -> Any:
        if observed.database is not None and observed.database.generation == 2:
            raise ZeroDivisionError
        return planned(desired, observed, *more)

    patch.setattr("statefuldb.reconcile.decide.plan", stumbling)


def asks_for_nothing(patch: pytest.MonkeyPatch) -> None:
    """Offers are never asked for."""
    patch.setattr(MesosAdapter, "revive", lambda _: None)


def leaks(patch: pytest.MonkeyPatch) -> None:
    """An entry is forgotten before anything is given back."""
    no_second_opinion(patch)
    patch.setattr(giving_back, "_seen_without", lambda _, record: frozenset(giving_back._hosts(record)))
    patch.setattr("statefuldb.planning.storage.persistent_volume.PersistentVolume.release", lambda *_: ())


def holds_on(patch: pytest.MonkeyPatch) -> None:
    """The finalizer is never taken off."""

    def fail(*_: Any) -> None:
        raise EffectFailed("not taken off")

    patch.setattr(KubernetesAdapter, "remove_finalizer", fail)


def says_nothing(patch: pytest.MonkeyPatch) -> None:
    """What waits does not say why."""
    from statefuldb.reconcile import report

    asks_for_nothing(patch)
    made: Any = report.status_of_plan

    def silent(*arguments: Any) -> Any:
        status = made(*arguments)
        return {**status, "plan": {**status["plan"], "waiting": []}}

    patch.setattr(report, "status_of_plan", silent)


def takes_what_another_takes(patch: pytest.MonkeyPatch) -> None:
    """An offer that one worker has decided to take is still shown to the others."""
    patch.setattr(OfferCache, "hold", lambda *_: None)


def believes_copies(patch: pytest.MonkeyPatch) -> None:
    """What is done about an entry is done about a copy of it in another namespace."""
    no_second_opinion(patch)
    told_apart = duplicates.told_apart
    patch.setattr(duplicates, "told_apart", lambda volumes, *more: (volumes, told_apart(volumes, *more)[1]))


MUTANTS = (
    Mutant("one_writer", two_writers, seeds=8),
    Mutant("data_outlives_everything", data_goes),
    Mutant("ours_only", no_label),
    Mutant("no_surprise_teardown", unasked_stop),
    Mutant("bundle", half_a_bundle),
    Mutant("no_empty_resurrection", forgets_data),
    Mutant("secrets_stay_secret", shows_password),
    Mutant("ready_is_true", always_ready),
    Mutant("sane_requests", one_task_id),
    Mutant("no_defect", stumbles),
    Mutant("eventually_stable", asks_for_nothing),
    Mutant("no_leak", leaks),
    Mutant("deletable", holds_on),
    Mutant("explained", says_nothing),
)
BETWEEN_WORKERS = Mutant("eventually_stable", takes_what_another_takes, seeds=24, size=CROWDED)
ACROSS_NAMESPACES = Mutant("no_surprise_teardown", believes_copies, seeds=8, size=replace(SMALL, copies=True))


def test_each_law_has_its_mutant() -> None:
    assert {mutant.law for mutant in MUTANTS} == {*SAFETY, *LIVENESS}


@pytest.mark.parametrize(
    "mutant", [*MUTANTS, BETWEEN_WORKERS, ACROSS_NAMESPACES], ids=lambda mutant: mutant.apply.__name__
)
def test_it_is_seen(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant.apply(monkeypatch)
    seen = []
    for seed in range(1, mutant.seeds + 1):
        result = run(seed, mutant.size, faulty=False)
        if result.verdict.broken is not None:
            seen.append(result.verdict.broken.law)
            if result.verdict.broken.law == mutant.law:
                assert 1 < len(result.short.splitlines()) < LINES, result.short
                return
    pytest.fail(f"{mutant.law} was not seen to be broken in {mutant.seeds} seeds, but {seen}")
