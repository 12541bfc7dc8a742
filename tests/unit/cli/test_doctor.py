"""`statefuldb doctor` where the cluster changes while it looks."""

from unittest.mock import MagicMock

from statefuldb.adapters.mesos.scout import Report
from statefuldb.cli import doctor
from statefuldb.model.machine_facts import MachineFacts
from statefuldb.model.volume import AgentRef


def test_an_agent_that_registers_while_agents_are_looked_at_is_judged_by_what_it_told() -> None:
    """Of its attributes nothing was known yet, and the command ended with a traceback."""
    mesos = MagicMock()
    mesos.facts.return_value.agents.return_value = []
    told = MachineFacts(keeper="0.0.1", server="10.11.6", trouble="", shared_mounts={})
    report = Report(agent=AgentRef(id="a", hostname="agent-9"), output=told.to_json())
    mesos.scout.return_value.run.return_value = [report]
    found = list(doctor._machines(MagicMock(), mesos, "role", "user", "python3", 1.0))
    assert {finding.where for finding in found} == {"agent-9"}
