"""What runs is listed before a subscription counts: nothing is decided or sent before."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from statefuldb.adapters.mesos.driver import ConnectionState
from statefuldb.model.actions import KillTask
from statefuldb.model.identity import LABEL_LEDGER, TaskId
from statefuldb.model.spec import RiskClass, Strategy
from statefuldb.model.volume_object import to_label
from statefuldb.reconcile.ports import EffectFailed, NotAnswered
from unit.mesos.adapter import Wired
from unit.planning.world import UID, serving_on

Json = dict[str, Any]
TASK = TaskId(uid=UID, ordinal=0, incarnation=1)


def test_what_runs_is_listed_before_anything_is_decided() -> None:
    wired, connected = Wired(), []

    class Listed(list[Any]):
        def __iter__(self) -> Iterator[Any]:
            connected.append(wired.adapter.view().connected)
            return super().__iter__()

    wired.tasks = Listed()
    wired.subscribe()
    assert connected == [False]
    assert wired.adapter.view().connected


def test_nothing_that_was_decided_before_what_runs_is_listed_is_sent_meanwhile() -> None:
    """The driver has its stream by then: a worker would stop what it takes for a task that nobody needs."""
    wired, refused = Wired(), list[bool]()
    wanted = KillTask(task_id=TASK, agent_id="id-of-agent-1", grace_seconds=60, why="", risk=RiskClass.RESTART)

    class Listed(list[Any]):
        def __iter__(self) -> Iterator[Any]:
            with pytest.raises(EffectFailed):
                wired.adapter.kill(wanted)
            with pytest.raises(EffectFailed):
                wired.adapter.suppress()
            refused.append(True)
            return super().__iter__()

    wired.tasks = Listed()
    wired.subscribe()
    assert refused
    assert {name for name, *_ in wired.driver.calls} == {"launched", "reconcile", "reconcile_operations"}
    wired.adapter.kill(wanted)
    assert len(wired.driver.named("kill")) == 1


@pytest.mark.parametrize(("why", "begun"), [(NotAnswered("no answer"), False), (EffectFailed("403 Forbidden"), True)])
def test_an_operator_that_has_not_yet_heard_what_runs_begins_nothing(why: EffectFailed, begun: bool) -> None:
    wired = Wired()

    class Failing(list[Any]):
        def __iter__(self) -> Iterator[Any]:
            raise why

    wired.tasks = Failing()
    wired.subscribe()
    assert wired.adapter.view().connected is begun
    assert wired.driver.named("resubscribe") == ([] if begun else [("stream-1",)])
    wired.state(ConnectionState(connected=False, error="the stream has ended"))
    assert wired.adapter.view().error == (
        "the stream has ended" if begun else "what runs could not be listed: no answer"
    )
    wired.tasks = []
    wired.subscribe()
    assert wired.adapter.view().connected
    wired.state(ConnectionState(connected=False, error="the master is gone"))
    wired.tasks = Failing()
    wired.subscribe()
    assert wired.adapter.view().connected, "what runs is known since the last time"


def test_a_subscription_that_could_not_be_taken_up_for_whatever_reason_is_begun_anew() -> None:
    """Its stream stays open: nobody else would ever say again what was missed."""
    wired = Wired()

    class Odd(list[Any]):
        def __iter__(self) -> Iterator[Any]:
            raise AttributeError("what nobody had thought of")

    wired.tasks = Odd()
    wired.subscribe()
    assert not wired.adapter.view().connected
    assert wired.driver.named("resubscribe") == [("stream-1",)]
    wired.state(ConnectionState(connected=False, error="the stream has ended"))
    assert wired.adapter.view().error == "a defect in statefuldb: AttributeError"
    wired.tasks = []
    wired.subscribe()
    assert wired.adapter.view().connected


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [("metadata", "namespace", ["default"]), pytest.param("spec", "releasedAtSeconds", 10**400, id="no float")],
)
def test_a_label_of_anybodys_that_holds_no_entry_keeps_nobody_from_subscribing(
    section: str, name: str, value: object
) -> None:
    wired, record = Wired(), serving_on(Strategy.PERSISTENT_VOLUME)[0]
    assert record.launch is not None
    entry = json.loads(to_label(record))
    entry[section][name] = value
    labels = {"labels": [{"key": LABEL_LEDGER, "value": json.dumps(entry)}]}
    wired.tasks = [
        {
            "task_id": {"value": "sleep"},
            "framework_id": {"value": "another"},
            "agent_id": {"value": record.launch.agent.id},
            "labels": labels,
        }
    ]
    wired.subscribe()
    assert wired.adapter.view().connected
