"""Carrying out: what is looked at once more before it is done."""

from typing import Any
from unittest.mock import Mock

import pytest

from statefuldb.model.actions import KillTask
from statefuldb.model.identity import TaskId
from statefuldb.model.spec import RiskClass
from statefuldb.reconcile.execute import Executor
from statefuldb.reconcile.ports import EffectFailed
from unit.planning.world import UID, database


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
