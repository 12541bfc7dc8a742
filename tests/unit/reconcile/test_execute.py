"""Carrying out: what is looked at once more before it is done."""

from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest

from statefuldb.model.actions import FenceAgent, KillTask
from statefuldb.model.identity import TaskId
from statefuldb.model.observed import TaskState, TaskStatus
from statefuldb.model.spec import RiskClass
from statefuldb.model.volume import AgentRef
from statefuldb.reconcile.execute import Executor
from statefuldb.reconcile.ports import EffectFailed
from unit.planning.world import KEY, UID, database, observed, status


def kill(risk: RiskClass) -> KillTask:
    task_id = TaskId(uid=UID, ordinal=0, incarnation=2)
    return KillTask(task_id=task_id, agent_id="agent-1", grace_seconds=60, why="restart", risk=risk)


def test_a_server_is_stopped_for_a_manifest_only_as_long_as_that_is_the_present_one() -> None:
    kubernetes, mesos = Mock(), Mock()
    ports: dict[str, Any] = dict.fromkeys(("keepers", "secrets", "fencing", "measures"), Mock())
    executor = Executor(kubernetes=kubernetes, mesos=mesos, **ports)
    seen = database()
    executor.execute((kill(RiskClass.RESTART),), seen)
    kubernetes.confirm.assert_called_once_with(seen)
    mesos.kill.assert_called_once()
    kubernetes.confirm.side_effect = EffectFailed("edited meanwhile", conflict=True)
    with pytest.raises(EffectFailed):
        executor.execute((kill(RiskClass.RESTART),), seen)
    mesos.kill.assert_called_once()
    executor.execute((kill(RiskClass.NON_DISRUPTIVE),), seen)
    executor.execute((kill(RiskClass.RESTART),), None)
    assert mesos.kill.call_count == 3, "a predecessor that came back, and what has no manifest, is stopped in any case"


LOST = status(TaskId(uid=UID, ordinal=0, incarnation=2), TaskState.UNREACHABLE)


@pytest.mark.parametrize(
    ("said", "connected", "cut_off"),
    [
        (LOST, True, True),
        (LOST, False, False),
        (replace(LOST, owed_since_seconds=950.0), True, False),
        (replace(LOST, state=TaskState.RUNNING), True, False),
        # Of an earlier framework's task that is said of whatever its agent runs.
        (replace(LOST, state=TaskState.GONE), True, True),
    ],
    ids=["lost", "not connected", "not answered since", "back", "gone"],
)
def test_an_agent_that_is_heard_of_again_while_its_fencing_is_decided_is_not_cut_off(
    said: TaskStatus, connected: bool, cut_off: bool
) -> None:
    """What it was decided by can be old by as long as API server and master took to answer."""
    mesos, fencing = Mock(), Mock()
    mesos.view.return_value = replace(observed().mesos, connected=connected)
    mesos.tasks.return_value = {LOST.id: said}
    ports: dict[str, Any] = dict.fromkeys(("kubernetes", "keepers", "secrets", "measures"), Mock())
    executor = Executor(mesos=mesos, fencing=fencing, **ports)
    fence = FenceAgent(key=KEY, task_id=LOST.id, agent=AgentRef(id="a", hostname="agent-1"), dfs=Mock())
    if cut_off:
        executor.execute((fence,), database())
        fencing.fence.assert_called_once_with(fence)
    else:
        with pytest.raises(EffectFailed) as failure:
            executor.execute((fence,), database())
        assert failure.value.conflict
        fencing.fence.assert_not_called()
