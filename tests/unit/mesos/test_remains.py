"""What an operator without a record finds of an earlier installation.

Simulator, seed 62641: the API was put back from a backup of before the first start, Mesos had removed the framework,
and databases began again beside their data.
"""

from typing import Any

from statefuldb.adapters.mesos.master_api import MasterApi
from statefuldb.adapters.mesos.masters import MasterList
from statefuldb.adapters.mesos.remains import remains_of
from statefuldb.adapters.mesos.transport import Transport
from statefuldb.model.remains import Remains

Json = dict[str, Any]
CLUSTER = "11111111-2222-3333-4444-555555555555"
ROLE = "databases"


class Answers(MasterApi):
    """A master with these frameworks and agents."""

    def __init__(self, frameworks: list[Json], agents: list[Json]) -> None:
        super().__init__(masters=MasterList(()), transport=Transport())
        self._listed = {"frameworks": frameworks, "agents": agents}

    def _ask(self, kind: str, read: Any = None) -> Json:
        name = kind.removeprefix("GET_").lower()
        return {name: [read(each) if read else each for each in self._listed[name]]}


def framework(name: str = "statefuldb", role: str = ROLE) -> Json:
    labels = {"labels": [{"key": "statefuldb.dev/cluster", "value": CLUSTER}]}
    return {"framework_info": {"name": name, "id": {"value": "f-1"}, "roles": [role], "labels": labels}}


def agent(role: str = ROLE, cluster: str = CLUSTER) -> Json:
    said = {"cluster": cluster, "uid": "an-uid", "namespace": "default", "name": "db", "ordinal": "0"}
    said |= {"reservation": "sdb.an-uid.0.1"}
    wire = {"labels": [{"key": f"statefuldb.dev/{key}", "value": value} for key, value in said.items()]}
    reserved = {"type": "DYNAMIC", "role": role, "labels": wire}
    held = [
        {"name": "cpus", "scalar": {"value": 4.0}},
        {"name": "mem", "scalar": {"value": 256.0}, "reservations": [reserved]},
    ]
    return {"agent_info": {"id": {"value": "a-1"}, "hostname": "agent-1"}, "total_resources": held}


def test_nothing_of_ours_is_left() -> None:
    free = {**agent(), "total_resources": [{"name": "cpus", "scalar": {"value": 4.0}}]}
    frameworks = [framework(name="marathon"), framework(role="others")]
    assert remains_of(Answers(frameworks, [agent(role="others"), free]), ROLE) is None


def test_a_framework_that_is_registered_is_told_of_first() -> None:
    left = remains_of(Answers([framework(role=f"{ROLE}/below")], [agent()]), ROLE)
    assert left is not None
    assert (left.cluster, left.framework_id) == (CLUSTER, "f-1")


def test_what_agents_hold_is_told_of_where_mesos_has_removed_the_framework() -> None:
    left = Remains(seen=f"agents hold data of cluster {CLUSTER} (on agent-1) in this role", cluster=CLUSTER)
    assert remains_of(Answers([], [agent()]), ROLE) == left
    assert remains_of(Answers([framework(name="marathon")], [agent(role=f"{ROLE}/{CLUSTER}")]), ROLE) == left


def test_of_several_clusters_all_are_named_and_none_is_chosen() -> None:
    left = remains_of(Answers([], [agent(), agent(cluster="another")]), ROLE)
    seen = f"agents hold data of cluster {CLUSTER} (on agent-1) and of cluster another (on agent-1) in this role"
    assert left == Remains(seen=seen, cluster="")
