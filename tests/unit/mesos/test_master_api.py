"""What the operator API is asked for."""

from typing import Any

import pytest

from statefuldb.adapters.mesos.master_api import MasterApi
from statefuldb.adapters.mesos.masters import MasterList
from statefuldb.adapters.mesos.transport import Transport


def test_a_task_on_an_agent_out_of_reach_is_among_those_that_may_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(self: MasterApi, kind: str) -> dict[str, Any]:
        assert kind == "GET_TASKS"
        return {
            "tasks": [{"name": "runs"}],
            "unreachable_tasks": [{"name": "may run"}],
            "completed_tasks": [{"name": "over"}],
        }

    monkeypatch.setattr(MasterApi, "_ask", answer)
    master = MasterApi(masters=MasterList(("nowhere:5050",)), transport=Transport())
    assert [task["name"] for task in master.tasks()] == ["runs", "may run"]
