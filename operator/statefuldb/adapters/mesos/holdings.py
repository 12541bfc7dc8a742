"""What the master says agents hold for one cluster of ours, asked through its operator API."""

from statefuldb.adapters.mesos.master_api import MasterApi
from statefuldb.adapters.mesos.wire import ledger_of_task, reserved_from_wire
from statefuldb.planning.inventory.comparison import ClusterView


def view_of(master: MasterApi, cluster: str) -> ClusterView:
    """Return what agents hold under the label of `cluster` (its UUID), and its tasks. Raises EffectFailed."""
    agents = master.agents()
    held = [reserved_from_wire(agent, cluster) for agent in agents]
    running = master.each_task(lambda task: ledger_of_task(task, cluster))
    return ClusterView(
        agent_ids=frozenset(agent["agent_info"]["id"]["value"] for agent in agents),
        hostnames=frozenset(agent["agent_info"]["hostname"] for agent in agents),
        held=tuple(agent for agent in held if agent is not None),
        running=tuple(record for record in running if record is not None),
        set_aside=frozenset(agent["agent_info"]["hostname"] for agent in agents if agent.get("deactivated")),
    )
