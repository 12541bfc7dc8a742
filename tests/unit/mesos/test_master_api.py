"""What the operator API is asked for."""

import json
import urllib.request
from typing import Any

import pytest

from statefuldb.adapters.mesos import master_api
from statefuldb.adapters.mesos.master_api import MasterApi
from statefuldb.adapters.mesos.masters import MasterList
from statefuldb.adapters.mesos.transport import Transport


def task(name: str) -> dict[str, Any]:
    known = {"task_id": {"value": name}, "agent_id": {"value": "agent-1"}}
    return {**known, "name": name, "framework_id": {"value": "ours"}, "statuses": [{**known, "state": "TASK_RUNNING"}]}


def test_a_task_on_an_agent_out_of_reach_is_among_those_that_may_run(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = {"tasks": [task("runs")], "unreachable_tasks": [task("may run")], "completed_tasks": [task("over")]}

    def send(request: urllib.request.Request, transport: Transport) -> bytes:
        assert isinstance(request.data, bytes)
        assert json.loads(request.data) == {"type": "GET_TASKS"}
        return json.dumps({"type": "GET_TASKS", "get_tasks": listed}).encode()

    monkeypatch.setattr(master_api, "send", send)
    master = MasterApi(masters=MasterList(("nowhere:5050",)), transport=Transport())
    assert master.each_task(lambda found: found) == [task("runs"), task("may run")]
    assert master.each_task(lambda found: found["name"]) == ["runs", "may run"]
