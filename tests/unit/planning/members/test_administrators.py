"""What an administrator does by the master's operator API in our role, beside us: reservations and volumes by hand."""

from dataclasses import replace

import pytest

from statefuldb.model.actions import AcceptOffers, SaveVolume
from statefuldb.model.identity import DataIdentity, PersistenceId, ReservationLabels
from statefuldb.model.observed import TaskState
from statefuldb.model.operations import Create, Destroy, LaunchTask, Unreserve
from statefuldb.model.resources import AgentOffer, Persistence, Reservation, Resource
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import Intent
from statefuldb.planning.invariants import violations
from statefuldb.planning.planner import plan
from unit.planning.members.test_partial_accept import attempt, over
from unit.planning.world import CLUSTER, KEY, OPERATOR, ROLE, UID, desired, observed, offer, remaining, spec

ANOTHER_UID = "99999999-2222-3333-4444-555555555555"
ALIKE_UID = f"{UID[:8]}-2222-3333-4444-999999999999"
OURS = DataIdentity(cluster=CLUSTER, uid=UID, ordinal=0)
THEIRS = DataIdentity(cluster=CLUSTER, uid=ANOTHER_UID, ordinal=0)
HUGE = DataIdentity(cluster=CLUSTER, uid=ANOTHER_UID, ordinal=99_999_999_999)


def by_hand(labelled: DataIdentity, named: str, reservation: str = "copied") -> Resource:
    """Return a volume on disk that is reserved under labels of this database's name."""
    labels = ReservationLabels(identity=labelled, namespace=KEY.namespace, name=KEY.name, reservation=reservation)
    return Resource(
        name="disk",
        amount_milli=64_000,
        reservations=(Reservation(dynamic=True, role=ROLE, principal="admin", labels=labels.as_pairs()),),
        persistence=Persistence(id=named, principal="admin", container_path="data"),
    )


def beside(offered: AgentOffer, volume: Resource) -> AgentOffer:
    return replace(offered, resources=(*offered.resources, volume))


VOLUMES = {
    "labels-of-ours": by_hand(OURS, str(PersistenceId(identity=THEIRS, sequence=1))),
    "id-of-ours": by_hand(THEIRS, str(PersistenceId(identity=OURS, sequence=1))),
    "another-id": by_hand(THEIRS, "backup"),
    "huge-ordinal": by_hand(HUGE, str(PersistenceId(identity=HUGE, sequence=1))),
    "huge-sequence": by_hand(THEIRS, str(PersistenceId(identity=THEIRS, sequence=10**300))),
    "long-label": by_hand(THEIRS, str(PersistenceId(identity=THEIRS, sequence=1)), "x" * 5_000),
}


@pytest.mark.parametrize("volume", VOLUMES.values(), ids=VOLUMES)
def test_a_volume_that_was_made_by_hand_under_our_labels_stops_no_database(volume: Resource) -> None:
    """On a real Mesos: entries for these were refused, by the ledger's definition or by our laws, at every pass."""
    first, accept = attempt(spec(), observed(), offer())
    ended = over(replace(first, initialised=True, token=1), TaskState.KILLED)
    stopped = observed(volumes=(ended,))
    idle = beside(remaining(offer(), accept, launched=False), volume)
    decided = plan(desired(spec()), stopped, (idle,), OPERATOR)
    assert violations(decided, stopped, CLUSTER) == ()
    (_, accepted) = decided.actions
    assert isinstance(accepted, AcceptOffers)
    (launched,) = accepted.operations
    assert isinstance(launched, LaunchTask)
    assert ended.persistence_id in {r.persistence.id for r in launched.resources if r.persistence is not None}


@pytest.mark.parametrize("volume", VOLUMES.values(), ids=VOLUMES)
def test_a_database_begins_beside_a_volume_that_was_made_by_hand(volume: Resource) -> None:
    offered = beside(offer(), volume)
    seen = observed(reserved=(replace(offered, offer_ids=(), resources=(volume,)),))
    decided = plan(desired(spec()), seen, (offered,), OPERATOR)
    assert violations(decided, seen, CLUSTER) == ()
    (saved, accepted) = decided.actions
    assert isinstance(saved, SaveVolume)
    assert isinstance(accepted, AcceptOffers)
    assert [o.volume.reservations[-1].principal for o in accepted.operations if isinstance(o, Create)] == ["statefuldb"]


def test_a_volume_whose_entry_would_have_the_name_of_another_one_is_left_alone() -> None:
    first, accept = attempt(spec(), observed(), offer())
    ended = over(replace(first, initialised=True, token=1), TaskState.KILLED)
    alike = DataIdentity(cluster=CLUSTER, uid=ALIKE_UID, ordinal=0)
    volume = by_hand(alike, str(PersistenceId(identity=alike, sequence=1)))
    stopped = observed(volumes=(ended,))
    decided = plan(desired(spec()), stopped, (beside(remaining(offer(), accept, launched=False), volume),), OPERATOR)
    assert violations(decided, stopped, CLUSTER) == ()
    assert [type(action) for action in decided.actions] == [SaveVolume, AcceptOffers]


@pytest.mark.parametrize("strategy", [Strategy.PERSISTENT_VOLUME, Strategy.HOST_PATH])
def test_a_volume_that_was_made_by_hand_of_what_is_reserved_does_not_keep_a_release_from_ending(
    strategy: Strategy,
) -> None:
    """On a real Mesos: UNRESERVE with a volume in it was refused, so a deleted HostPath database never let go."""
    first, accept = attempt(spec(strategy), observed(), offer())
    assert first.launch is not None
    emptied = over(replace(first, launch=replace(first.launch, erase=True)), TaskState.FINISHED)
    deleted = observed(database=None, volumes=(replace(emptied, intent=Intent.DELETE),))
    idle = beside(remaining(offer(), accept, launched=False), by_hand(OURS, "backup"))
    (_, given_back) = plan(None, deleted, (idle,), OPERATOR).actions
    assert isinstance(given_back, AcceptOffers)
    *destroyed, unreserved = given_back.operations
    assert "backup" in {o.volume.persistence.id for o in destroyed if isinstance(o, Destroy) and o.volume.persistence}
    assert isinstance(unreserved, Unreserve)
    assert not [r for r in unreserved.resources if r.persistence is not None]
    left = remaining(idle, given_back, launched=False)
    assert not [r for r in left.resources if r.reservations]


@pytest.mark.parametrize("ordinal", ["-1", " 0", "1_0", "65536", "٣", ""])
def test_no_member_has_an_ordinal_that_the_ledger_does_not_hold(ordinal: str) -> None:
    labels = ReservationLabels(identity=OURS, namespace="shop", name="orders", reservation="first")
    pairs = dict(labels.as_pairs())
    assert ReservationLabels.parse(pairs) == labels
    assert ReservationLabels.parse({**pairs, "statefuldb.dev/ordinal": ordinal}) is None
    assert PersistenceId.parse(f"sdb.{CLUSTER}.{UID}.{ordinal}.1") is None


def test_what_somebody_has_reserved_for_our_role_without_our_labels_is_named() -> None:
    """On a real Mesos: `lacks 0.5 of 0.5 cpus; free or add the resources named`, with four of them set aside for us."""
    admin = (Reservation(dynamic=True, role=ROLE, principal="admin"),)
    kinds = {r.name: r for r in offer().resources}
    for name, unit in (("cpus", "cpus"), ("mem", "MiB of memory"), ("disk", "disk")):
        taken = replace(kinds[name], reservations=admin)
        offered = replace(offer(), resources=tuple(taken if r.name == name else r for r in offer().resources))
        (wait,) = plan(desired(spec()), observed(), (offered,), OPERATOR).waiting
        assert unit in wait.message
        assert f"{taken.amount_milli / 1000:g} more are reserved by admin without our labels" in wait.message
        assert "UNRESERVE_RESOURCES" in wait.message
