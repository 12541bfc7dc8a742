"""What an agent says, and does not say, of a task that it is to end for good."""

from pathlib import Path
from typing import Any

import pytest

from statefuldb.local.mesos.agent.agent import Agent
from statefuldb.local.mesos.agent.lives import ENDED
from statefuldb.local.mesos.agent.tasks import RunningTask, key_of
from statefuldb.local.mesos.json_files import save_json

CAPABILITIES = [{"type": "PARTITION_AWARE"}, {"type": "TASK_KILLING_STATE"}]


@pytest.mark.parametrize("for_good", [True, False])
def test_a_kill_of_what_is_drained_for_good_is_not_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, for_good: bool
) -> None:
    """Acknowledged, that would be forgotten which runs on, beside whatever is started there next."""
    info = {"ip": "127.0.0.1", "resources": []}
    agent = Agent(work_dir=tmp_path, master="http://127.0.0.1:1", info=info, heartbeat_seconds=1.0)
    folder = tmp_path / "task"
    folder.mkdir()
    save_json(folder / "executor.json", {"pid": 1, "started": 1})
    order = {"framework_id": "f", "sandbox": str(tmp_path), "task": {"task_id": {"value": "t"}}}
    task = RunningTask(folder, order)
    agent.tasks[key_of("f", "t")] = task
    agent.frameworks["f"] = {"capabilities": CAPABILITIES}
    said: list[Any] = []
    monkeypatch.setattr(agent._lives, "_say", lambda _, status: said.append(status["state"]))
    monkeypatch.setattr(agent, "_spawn", lambda work: work.close())
    agent._drain({"mark_gone": for_good})
    agent._kill({"framework_id": "f", "task_id": "t"})
    assert not set(said) & set(ENDED)
    assert said == ([] if for_good else ["TASK_KILLING"])
