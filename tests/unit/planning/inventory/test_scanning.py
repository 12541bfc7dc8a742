"""A directory that was found stands somewhere between the ledger, Mesos and nobody."""

from dataclasses import replace

import pytest

from statefuldb.model.found import FoundDirectory
from statefuldb.model.identity import DataIdentity
from statefuldb.model.observed import TaskState
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import AgentRef, Ending, Intent, VolumeRecord
from statefuldb.planning.inventory.comparison import ClusterView, compare
from statefuldb.planning.inventory.scanning import ScanLine, Standing, entry_of_directory, stand
from statefuldb.planning.planner import plan
from unit.planning.inventory.test_inventory import HELD, cluster, holds, reserved
from unit.planning.ledger.test_damaged import damaged
from unit.planning.members.test_strays import serving
from unit.planning.world import CLUSTER, KEY, OPERATOR, UID, desired, observed, offer, spec

FOUND = FoundDirectory(
    directory="/srv/db/shop/orders/0",
    root="/srv/db",
    namespace="shop",
    database="orders",
    identity=DataIdentity(cluster=CLUSTER, uid=UID, ordinal=0),
    engine="MariaDB",
    version="10.11.6-MariaDB",
    token=3,
    mount_point="/srv",
    source="/dev/sdb1",
    shared="",
)
SHARED = replace(
    FOUND,
    directory="/mnt/shared/databases/shop/orders/0",
    root="/mnt/shared/databases",
    mount_point="/mnt/shared",
    source="server:/vol",
    shared="GlusterFS",
)
AGENT = AgentRef(id="id-of-agent-1", hostname="agent-1", address="127.0.0.1")


def known(**changes: object) -> VolumeRecord:
    return replace(serving(Strategy.HOST_PATH), **changes)  # type: ignore[arg-type]


def only(found: FoundDirectory, *records: VolumeRecord, view: ClusterView | None = None) -> ScanLine:
    (line,) = stand([found], compare(records, view), CLUSTER)
    return line


def test_what_no_entry_names_is_orphaned() -> None:
    assert only(FOUND).standing is Standing.ORPHANED
    assert only(FOUND).name == "orders-0-11111111"


def test_what_the_ledger_has_is_known_here_and_elsewhere_at_another_place() -> None:
    assert only(FOUND, known(directory=FOUND.directory)).standing is Standing.KNOWN
    assert only(FOUND, known(directory="/srv/other/shop/orders/0")).standing is Standing.ELSEWHERE


def test_another_clusters_directory_is_never_ours() -> None:
    foreign = replace(FOUND, identity=replace(FOUND.identity, cluster="another"))
    assert only(foreign, known(directory=FOUND.directory)).standing is Standing.FOREIGN


def test_a_directory_that_a_task_uses_is_left_to_the_operator() -> None:
    view = ClusterView(agent_ids=frozenset(), hostnames=frozenset(), held=(), running=(known(),))
    assert only(FOUND, view=view).standing is Standing.RUNNING


def test_two_directories_of_one_member_are_told_and_neither_is_adopted() -> None:
    copy = replace(FOUND, directory="/srv/db/shop/copy/0", database="copy")
    assert [line.standing for line in stand([FOUND, copy], (), CLUSTER)] == [Standing.AMBIGUOUS] * 2


@pytest.mark.parametrize(
    ("found", "strategy", "agent"), [(FOUND, Strategy.HOST_PATH, AGENT), (SHARED, Strategy.DFS, None)]
)
def test_an_adopted_directory_is_taken_up_by_the_database_of_its_name(
    found: FoundDirectory, strategy: Strategy, agent: AgentRef | None
) -> None:
    entry = entry_of_directory(only(found), KEY, 1_000.0, agent=agent, mesos_role="statefuldb")
    # On a shared file system nobody knows whether the launch that took the token is over.
    known = 0 if found.shared else 3
    assert (entry.intent, entry.strategy, entry.token) == (Intent.RETAIN, strategy, known)
    (adopted,) = plan(desired(spec(strategy)), observed(volumes=(entry,)), (offer(),), OPERATOR).actions
    record = adopted.volume  # type: ignore[union-attr]
    assert (record.intent, record.owner_uid, record.directory) == (Intent.USE, UID, found.directory)
    launched = plan(desired(spec(strategy)), observed(volumes=(record,)), (offer(),), OPERATOR)
    keeper = launched.actions[-1].operations[-1].keeper  # type: ignore[union-attr]
    assert keeper.bootstrap == "None", "adopted data must never be initialised"
    assert keeper.minimum_token == known
    assert (keeper.data.directory, keeper.data.root) == (found.directory, found.root)


def test_adopted_data_can_be_released() -> None:
    entry = entry_of_directory(only(FOUND), KEY, 1_000.0, agent=AGENT, mesos_role="statefuldb")
    released = replace(entry, intent=Intent.DELETE, ending=Ending(incarnation=0, state=TaskState.KILLED))
    saved, accepted = plan(None, observed(database=None, volumes=(released,)), (offer(),), OPERATOR).actions
    assert accepted.operations[-1].keeper.mode == "Erase"  # type: ignore[union-attr]
    assert saved.volume.directory == FOUND.directory  # type: ignore[union-attr]


def test_on_which_of_several_hosts_a_directory_lies_is_told_by_what_is_reserved_there() -> None:
    seen = [replace(FOUND, host=host) for host in ("agent-1", "agent-2")]
    assert [line.standing for line in stand(seen, (), CLUSTER)] == [Standing.AMBIGUOUS] * 2
    (held,) = [line for line in compare([], HELD) if line.identity == FOUND.identity]
    assert [line.standing for line in stand(seen, [held], CLUSTER)] == [Standing.ORPHANED, Standing.ELSEWHERE]
    entry = entry_of_directory(stand(seen, [held], CLUSTER)[0], KEY, 1.0, agent=AGENT, mesos_role="statefuldb")
    assert entry.reservations, "what is reserved beside it goes with it"


def test_a_directory_is_not_taken_for_the_only_one_where_another_agent_holds_a_reservation_too() -> None:
    """A first start that was cut off leaves a directory and its reservation; the data lies where the member went on."""
    both = cluster(*(holds(reserved("cpus", volume=None), host=h) for h in ("agent-1", "agent-2")))
    (line,) = stand([replace(FOUND, host="agent-1")], compare([], both), CLUSTER)
    assert line.standing is Standing.ORPHANED
    assert line.note.endswith("something is reserved for it on agent-2 as well: look there first")
    (alone,) = stand([replace(FOUND, host="agent-1")], compare([], HELD), CLUSTER)
    assert "as well" not in alone.note


def test_a_ledger_entry_of_one_host_does_not_make_another_hosts_directory_known() -> None:
    here = known(directory=FOUND.directory, agent=AGENT)
    seen = [replace(FOUND, host=host) for host in ("agent-1", "agent-2")]
    assert [line.standing for line in stand(seen, compare([here], None), CLUSTER)] == [
        Standing.KNOWN,
        Standing.ELSEWHERE,
    ]


def test_what_several_hosts_see_on_one_shared_file_system_is_one_directory() -> None:
    (line,) = stand([replace(SHARED, host=host) for host in ("agent-1", "agent-2")], (), CLUSTER)
    assert (line.standing, line.found.host) == (Standing.ORPHANED, "")


def test_an_engine_that_is_none_of_ours_is_not_adopted() -> None:
    with pytest.raises(ValueError, match="Oracle"):
        entry_of_directory(only(replace(FOUND, engine="Oracle")), KEY, 1.0, agent=AGENT, mesos_role="statefuldb")


@pytest.mark.parametrize("path", ["identity", "directory"])
def test_the_directory_of_a_damaged_entry_is_not_taken_for_lost(path: str) -> None:
    (line,) = stand([FOUND], compare((damaged(serving(Strategy.HOST_PATH), path),), None), CLUSTER)
    assert line.standing is Standing.KNOWN
    assert f"spec.{path}" in line.note
