"""The ledger against the cluster: one line for each thing, with the one state that is true of it."""

from dataclasses import replace

import pytest

from statefuldb.model.actions import AcceptOffers, ForgetVolume, SaveVolume
from statefuldb.model.identity import DatabaseKey, DataIdentity, PersistenceId, ReservationLabels
from statefuldb.model.observed import Observed
from statefuldb.model.operations import Destroy, LaunchTask, Unreserve
from statefuldb.model.resources import AgentOffer, Persistence, Reservation, Resource
from statefuldb.model.spec import EngineType, Strategy
from statefuldb.model.volume import AgentRef, Ending, Intent, Launch, VolumePhase, VolumeRecord
from statefuldb.planning.invariants import violations
from statefuldb.planning.inventory.comparison import (
    ClusterView,
    VolumeState,
    compare,
    find,
)
from statefuldb.planning.inventory.orphans import orphan_to_adopt, orphan_to_release
from statefuldb.planning.inventory.uninstalling import obstacles
from statefuldb.planning.ledger.rebuilding import unknown
from statefuldb.planning.planner import plan
from unit.planning.ledger.test_damaged import damaged
from unit.planning.world import CLUSTER, KEY, OPERATOR, ROLE, UID, observed, offer, remaining

IDENTITY = DataIdentity(cluster=CLUSTER, uid=UID, ordinal=0)
VOLUME_ID = str(PersistenceId(identity=IDENTITY, sequence=1))
HOME = AgentRef(id="id-of-agent-1", hostname="agent-1", address="127.0.0.1")
LABELS = ReservationLabels(identity=IDENTITY, namespace=KEY.namespace, name=KEY.name, reservation="first")
NAME = f"orders-0-{UID[:8]}"


def reserved(name: str = "disk", labels: ReservationLabels = LABELS, volume: str | None = VOLUME_ID) -> Resource:
    return Resource(
        name=name,
        amount_milli=1024 * 1000,
        reservations=(Reservation(dynamic=True, role=ROLE, principal="statefuldb", labels=labels.as_pairs()),),
        persistence=Persistence(id=volume, principal="statefuldb", container_path="data") if volume else None,
    )


def holds(*resources: Resource, host: str = "agent-1") -> AgentOffer:
    return replace(offer(host), offer_ids=(), resources=resources)


def cluster(
    *held: AgentOffer, hosts: tuple[str, ...] = ("agent-1",), running: tuple[VolumeRecord, ...] = ()
) -> ClusterView:
    ids = frozenset(f"id-of-{host}" for host in hosts)
    return ClusterView(agent_ids=ids, hostnames=frozenset(hosts), held=held, running=running)


def entry(**changes: object) -> VolumeRecord:
    base = VolumeRecord(
        name=NAME,
        key=KEY,
        owner_uid=UID,
        identity=IDENTITY,
        engine=EngineType.MARIADB,
        engine_version="10.11",
        strategy=Strategy.PERSISTENT_VOLUME,
        size_bytes=1024**3,
        mesos_role=ROLE,
        agent=HOME,
        persistence_id=VOLUME_ID,
        reservations=("first",),
        initialised=True,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


HELD = cluster(holds(reserved(), reserved("cpus", volume=None)))


@pytest.mark.parametrize(
    ("record", "view", "state"),
    [
        (entry(), HELD, VolumeState.IN_USE),
        (entry(), None, VolumeState.IN_USE),
        (entry(initialised=False), cluster(), VolumeState.PENDING),
        (entry(intent=Intent.RETAIN), HELD, VolumeState.RETAINED),
        (entry(intent=Intent.DELETE), cluster(), VolumeState.RELEASING),
        (entry(intent=Intent.DELETE), cluster(hosts=()), VolumeState.RELEASING),
        (entry(), cluster(), VolumeState.MISSING),
        (entry(intent=Intent.RETAIN), cluster(holds(reserved(volume=None))), VolumeState.MISSING),
        (entry(), cluster(hosts=("agent-2",)), VolumeState.LOST),
        (entry(intent=Intent.RETAIN), cluster(hosts=()), VolumeState.LOST),
        (entry(strategy=Strategy.HOST_PATH, persistence_id=None), cluster(hosts=()), VolumeState.LOST),
        (entry(strategy=Strategy.HOST_PATH, persistence_id=None), cluster(), VolumeState.IN_USE),
        (entry(strategy=Strategy.DFS, persistence_id=None), cluster(hosts=()), VolumeState.IN_USE),
    ],
)
def test_each_entry_has_the_state_that_is_true_of_it(
    record: VolumeRecord, view: ClusterView | None, state: VolumeState
) -> None:
    (line,) = compare([record], view)
    assert line.state is state
    assert line.name == NAME


def test_an_agent_is_known_by_its_host_name_when_its_id_has_changed() -> None:
    view = ClusterView(agent_ids=frozenset({"another"}), hostnames=frozenset({"agent-1"}), held=HELD.held)
    (line,) = compare([entry()], view)
    assert line.state is VolumeState.IN_USE


def test_a_volume_that_another_agent_of_its_host_lacks_says_so() -> None:
    home = replace(HOME, id="an-earlier-agent")
    (line,) = compare([entry(agent=home)], cluster())
    assert line.state is VolumeState.MISSING
    assert line.note.startswith("agent-1 is registered as another agent than an-earlier-agent, but holds no volume")


def test_what_carries_our_labels_and_is_not_written_down_is_an_orphan() -> None:
    (line,) = compare([], HELD)
    assert (line.state, line.name, line.where, line.agent) == (VolumeState.ORPHANED, NAME, VOLUME_ID, "agent-1")
    assert find([line], "shop", NAME) is line
    assert find([line], "default", NAME) is None
    adopted = orphan_to_adopt(line, line.key, 5.0)
    assert adopted is not None
    assert adopted.intent is Intent.RETAIN


def test_how_often_what_was_found_again_had_been_started_is_not_made_up() -> None:
    """On a real Mesos: `restarts 1795712675`."""
    (line,) = compare([], HELD)
    again = orphan_to_adopt(line, line.key, 1_795_712_675.0)
    assert again is not None
    assert again.restarts == 0
    assert [entry(incarnation=n).restarts for n in (0, 1, 4)] == [0, 0, 3]


def test_a_running_task_without_an_entry_is_an_orphan_that_is_not_at_rest() -> None:
    launch = Launch(incarnation=3, agent=HOME, template="", cpus_milli=1, memory_bytes=1, port=1, keeper_port=2)
    for held in (HELD.held, ()):
        (line,) = compare([], cluster(*held, running=(entry(launch=launch),)))
        assert line.state is VolumeState.ORPHANED
        assert str(line.task) == f"sdb.{UID}.0.3"


def test_data_that_was_adopted_for_another_name_is_not_written_down_twice() -> None:
    offered = (offer(extra=(reserved(),)),)
    assert unknown(observed(database=None), offered, CLUSTER)
    assert not unknown(observed(database=None, adopted_away=(IDENTITY,)), offered, CLUSTER)


def test_adopted_data_keeps_the_name_of_its_schema() -> None:
    key = DatabaseKey(namespace="shop", name="orders2")
    (line,) = compare([], HELD)
    record = orphan_to_adopt(line, key, 5.0)
    assert record is not None
    assert (record.name, record.key, record.first_name) == (NAME, key, "orders")


def decide(record: VolumeRecord, *offers: AgentOffer) -> tuple[object, ...]:
    seen: Observed = observed(database=None, volumes=(record,))
    decided = plan(None, seen, offers, OPERATOR)
    assert violations(decided, seen, CLUSTER) == ()
    return decided.actions or decided.waiting


def test_a_released_entry_that_was_found_again_is_forgotten_only_once_its_volume_is_destroyed() -> None:
    (line,) = compare([], HELD)
    record = orphan_to_release(line, line.key, 900.0)
    (waiting,) = decide(record)
    assert getattr(waiting, "wants_offers", False), "without an offer nothing can be destroyed, so nothing is forgotten"
    idle = offer(extra=(reserved(), reserved("cpus", volume=None)))
    saved, accept = decide(record, idle)
    assert isinstance(saved, SaveVolume)
    assert isinstance(accept, AcceptOffers)
    assert [type(o) for o in accept.operations] == [Destroy, Unreserve]
    later = replace(remaining(idle, accept, launched=False), received_at_seconds=2_000.0)
    (*_, forgotten) = decide(saved.volume, later)
    assert isinstance(forgotten, ForgetVolume)


def test_an_orphaned_reservation_without_a_volume_is_unreserved() -> None:
    (line,) = compare([], cluster(holds(reserved("cpus", volume=None))))
    assert orphan_to_adopt(line, line.key, 900.0) is None
    _, accept = decide(orphan_to_release(line, line.key, 900.0), offer(extra=(reserved("cpus", volume=None),)))
    assert isinstance(accept, AcceptOffers)
    assert [type(o) for o in accept.operations] == [Unreserve]


def test_a_directory_that_was_found_again_is_emptied_before_its_entry_goes() -> None:
    record = entry(
        strategy=Strategy.HOST_PATH,
        persistence_id=None,
        directory="/srv/db/shop/orders/0",
        root="/srv/db",
        reservations=(),
        intent=Intent.DELETE,
        phase=VolumePhase.RETAINED,
    )
    saved, accept = decide(record, offer())
    assert isinstance(saved, SaveVolume)
    assert isinstance(accept, AcceptOffers)
    assert isinstance(accept.operations[-1], LaunchTask)
    assert accept.operations[-1].keeper.mode == "Erase"
    assert saved.volume.reservations, "what the erasing task reserves must be given back as well"
    ended = replace(saved.volume, ending=Ending(incarnation=saved.volume.incarnation, state="TASK_FINISHED"))
    (waiting,) = decide(ended)
    assert getattr(waiting, "wants_offers", False)


@pytest.mark.parametrize("path", [("identity",), ("phase",)])
def test_what_a_damaged_entry_stands_for_is_no_orphan(path: tuple[str, ...]) -> None:
    damage = damaged(entry(), *path)
    for view in (HELD, cluster(running=(entry(),)), None):
        (line,) = compare((damage,), view)
        assert (line.name, line.state, line.strategy) == (NAME, VolumeState.DAMAGED, None)
        assert f"spec.{path[0]}" in line.note
    (line,) = compare((damage,), HELD)
    assert (line.identity, line.agent) == (IDENTITY, "agent-1")
    (obstacle,) = obstacles((), (line,), (), cluster=CLUSTER, leave_lost=True)
    assert f"kubectl edit databasevolume {NAME} -n shop" in obstacle.remedy


def test_what_is_not_given_back_says_why() -> None:
    """On a real Mesos: an agent that was drained, and a framework that held an offer of what was to be destroyed."""
    deleted = entry(intent=Intent.DELETE)
    (line,) = compare([deleted], replace(HELD, set_aside=frozenset({"agent-1"})))
    assert line.note == "agent-1 is deactivated or drained: what is there is given back after REACTIVATE_AGENT"
    directory = entry(intent=Intent.DELETE, strategy=Strategy.HOST_PATH, persistence_id=None)
    (line,) = compare([directory], replace(cluster(), set_aside=frozenset({"agent-1"})))
    assert "REACTIVATE_AGENT" in line.note
    (line,) = compare([deleted], replace(HELD, set_aside=frozenset({"agent-2"})))
    assert f"another framework in role {ROLE} holds or uses it" in line.note
    (line,) = compare([deleted], cluster())
    assert line.note == "", "nothing is left that would be kept"


def test_what_is_to_be_released_is_not_promised_back_while_another_entry_is_of_the_same_data() -> None:
    copy = replace(entry(intent=Intent.DELETE), key=replace(KEY, namespace="scratch"))
    shown, _ = sorted(compare([entry(), copy], HELD), key=lambda line: line.key.namespace)
    assert (shown.state, shown.others) == (VolumeState.RELEASING, (f"{KEY.namespace}/{NAME}",))
    assert shown.note == f"{KEY.namespace}/{NAME} is of the same data: delete the entry that is the copy"


def test_a_removal_that_failed_says_so_and_where_its_reason_is() -> None:
    path = "/srv/shop/orders/0"
    ended = Ending(incarnation=2, state="TASK_FAILED", message="Command exited with status 64")
    launched = Launch(
        incarnation=2,
        agent=HOME,
        template="erase",
        cpus_milli=100,
        memory_bytes=2**26,
        port=1,
        keeper_port=2,
        erase=True,
    )
    record = entry(
        strategy=Strategy.HOST_PATH,
        persistence_id=None,
        directory=path,
        intent=Intent.DELETE,
        launch=launched,
        ending=ended,
    )
    (line,) = compare([record], cluster())
    assert line.state is VolumeState.RELEASING
    assert line.note.startswith(f"removing {path} failed (Command exited with status 64)")
    assert "statefuldb -n shop logs orders" in line.note
    (line,) = compare([replace(record, ending=replace(ended, state="TASK_FINISHED"))], cluster())
    assert line.note == ""


def test_what_is_given_back_on_a_machine_that_is_away_says_where_to_read_what_to_do_if_it_never_comes_back() -> None:
    (line,) = compare([entry(intent=Intent.DELETE)], cluster(hosts=()))
    assert line.state is VolumeState.RELEASING
    assert "agent-1" in line.note
    assert "docs/operations.md, An agent is lost" in line.note
