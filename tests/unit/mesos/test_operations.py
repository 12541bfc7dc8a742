"""Operations that carry ids: sent where the agent can tell, followed, told to the planner, then acknowledged."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from statefuldb.adapters.mesos.calls import CallFailed
from statefuldb.adapters.mesos.driver import ConnectionState
from statefuldb.adapters.mesos.operation_book import OperationBook
from statefuldb.model.actions import AcceptOffers, SaveVolume
from statefuldb.model.identity import OperationId
from statefuldb.model.observed import OperationState, OperationStatus
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import VolumeRecord
from statefuldb.planning.planner import plan
from statefuldb.reconcile.ports import EffectFailed
from unit.mesos.adapter import CAPABLE, Wired
from unit.planning.members.test_strays import serving
from unit.planning.world import KEY, OPERATOR, UID, desired, observed, offer, spec

RESERVE = f"sdb.{UID}.0.offer-of-agent-1.0-RESERVE"
CREATE = f"sdb.{UID}.0.offer-of-agent-1.1-CREATE"
AGENT = {"agent_id": {"value": "id-of-agent-1"}}
SUBSCRIBED = {"type": "SUBSCRIBED", "subscribed": {"framework_id": {"value": "framework-1"}}}


class Answering(dict[str, tuple[str, ...]]):
    """Agents as a master lists them that looks before it answers, and calls `meanwhile` in between."""

    def __init__(self, agents: Mapping[str, tuple[str, ...]], meanwhile: Callable[[], None]) -> None:
        super().__init__(agents)
        self._meanwhile = meanwhile

    def items(self) -> Any:
        seen = list(super().items())
        self._meanwhile()
        return seen


def launched(wired: Wired) -> VolumeRecord:
    wired.subscribe()
    wired.offer("offer-of-agent-1")
    saved, accepted = plan(desired(spec()), observed(), (offer(),), OPERATOR).actions
    assert isinstance(saved, SaveVolume)
    assert isinstance(accepted, AcceptOffers)
    assert saved.volume.task_id is not None
    wired.adapter.accept(accepted)
    wired.adapter.expect(KEY, saved.volume.task_id, "id-of-agent-1")
    return saved.volume


def sent_ids(wired: Wired) -> dict[str, Any]:
    ((_, operations, _),) = wired.driver.named("acceptOffers")
    return {o["type"]: o.get("id", {}).get("value") for o in operations}


def test_what_an_operator_before_this_one_sent_and_is_not_over_is_known_from_the_beginning() -> None:
    """Simulator, seed 10669: an entry was forgotten by offers that showed what an agent, cut off, had yet to do."""
    wired = Wired()
    info, shown = {"id": {"value": RESERVE}}, {"latest_status": {"state": "OPERATION_PENDING"}, **AGENT}
    over = {"info": {"id": {"value": CREATE}}, "latest_status": {"state": "OPERATION_FINISHED"}, **AGENT}
    wired.pending = [{"info": info, **shown}, over, {"info": {}, **shown}]
    wired.subscribe()
    (seen,) = wired.adapter.operations(UID)
    assert (str(seen.id), seen.state, seen.agent_id) == (RESERVE, OperationState.PENDING, "id-of-agent-1")
    wired.operation(RESERVE, "OPERATION_DROPPED", **AGENT)
    assert not wired.adapter.operations(UID)[0].state.open


def test_ids_go_to_agents_that_give_feedback_and_never_on_a_launch() -> None:
    wired = Wired()
    launched(wired)
    assert sent_ids(wired) == {"RESERVE": RESERVE, "CREATE": CREATE, "LAUNCH": None}


@pytest.mark.parametrize("able", [(), ("RESOURCE_PROVIDER",), ("AGENT_OPERATION_FEEDBACK",)])
def test_no_ids_go_to_agents_that_lack_a_capability(able: tuple[str, ...]) -> None:
    wired = Wired({"id-of-agent-1": able})
    launched(wired)
    assert sent_ids(wired) == {"RESERVE": None, "CREATE": None, "LAUNCH": None}


def test_ids_round_trip() -> None:
    parsed = OperationId.parse(RESERVE)
    assert parsed is not None
    assert str(parsed) == RESERVE
    assert OperationId.parse("somebody-else") is None


def test_a_status_is_acknowledged_only_by_the_worker_and_then_forgotten() -> None:
    wired = Wired()
    launched(wired)
    wired.operation(RESERVE, "OPERATION_FINISHED", uuid={"value": "dXVpZA=="}, **AGENT)
    assert wired.enqueued == [KEY]
    assert not wired.driver.named("acknowledge_operation")
    (reserve, create) = wired.adapter.operations(UID)
    assert (reserve.state, create.state) == (OperationState.FINISHED, OperationState.PENDING)
    wired.adapter.acknowledge_operation(reserve)
    ((body,),) = wired.driver.named("acknowledge_operation")
    assert body == {"operation_id": {"value": RESERVE}, "uuid": {"value": "dXVpZA=="}, **AGENT}
    assert [str(s.id) for s in wired.adapter.operations(UID)] == [CREATE]


def test_nothing_is_acknowledged_to_an_agent_that_is_gone() -> None:
    wired = Wired()
    launched(wired)
    wired.operation(RESERVE, "OPERATION_FINISHED", uuid={"value": "dXVpZA=="}, **AGENT)
    wired.agents = {"another": CAPABLE}
    wired.say({"type": "FAILURE", "failure": AGENT})
    wired.adapter.acknowledge_operation(wired.adapter.operations(UID)[0])
    assert not wired.driver.named("acknowledge_operation")


@pytest.mark.parametrize("lost_by", ["its agent", "the master"])
def test_nothing_is_acknowledged_to_an_agent_that_was_lost_while_a_list_with_it_was_on_its_way(lost_by: str) -> None:
    """MESOS-10011: the acknowledgement would crash the master. Another thread asks for the list all the time."""
    wired = Wired()
    launched(wired)
    wired.operation(RESERVE, "OPERATION_FINISHED", uuid={"value": "dXVpZA=="}, **AGENT)

    def lost_now() -> None:
        wired.agents = {}
        wired.say({"type": "FAILURE", "failure": AGENT} if lost_by == "its agent" else SUBSCRIBED)

    wired.agents = Answering(wired.agents, lost_now)
    wired.adapter.sighting(serving(Strategy.PERSISTENT_VOLUME))
    assert not wired.agents
    wired.adapter.acknowledge_operation(wired.adapter.operations(UID)[0])
    assert not wired.driver.named("acknowledge_operation")


def test_nothing_is_acknowledged_to_another_master_before_it_is_known_which_agents_it_has() -> None:
    wired = Wired()
    launched(wired)
    wired.operation(RESERVE, "OPERATION_FINISHED", uuid={"value": "dXVpZA=="}, **AGENT)
    wired.saving = lambda: wired.adapter.acknowledge_operation(wired.adapter.operations(UID)[0])
    wired.state(ConnectionState(connected=False, error="the master is gone"))
    wired.subscribe()
    assert not wired.driver.named("acknowledge_operation")


def test_what_one_agent_has_yet_to_do_is_known_after_an_accept_on_another() -> None:
    """Simulator, seed 626: an entry was forgotten by offers that showed what an agent, cut off, had yet to do."""
    wired = Wired({"id-of-agent-1": CAPABLE, "id-of-agent-2": CAPABLE})
    launched(wired)
    wired.operation(RESERVE, "OPERATION_FAILED", **AGENT)
    wired.offer("offer-of-agent-2", "agent-2")
    accepted = plan(desired(spec()), observed(), (offer("agent-2"),), OPERATOR).actions[1]
    assert isinstance(accepted, AcceptOffers)
    wired.adapter.accept(accepted)
    known = [(status.id.kind, status.agent_id) for status in wired.adapter.operations(UID)]
    assert known == [("CREATE", "id-of-agent-1"), ("RESERVE", "id-of-agent-2"), ("CREATE", "id-of-agent-2")]


def test_an_operation_without_an_answer_is_asked_for_with_its_agent_until_it_has_one() -> None:
    wired = Wired()
    launched(wired)
    wired.operation(RESERVE, "OPERATION_FINISHED", uuid={"value": "dXVpZA=="}, **AGENT)
    wired.driver.calls.clear()
    wired.subscribe()
    assert wired.driver.named("reconcile_operations") == [({},), ({CREATE: "id-of-agent-1"},)]
    wired.time.pass_by(15.1)
    assert wired.driver.named("reconcile_operations")[2:] == [({CREATE: "id-of-agent-1"},)]
    wired.operation(CREATE, "OPERATION_UNKNOWN", **AGENT)
    wired.adapter.acknowledge_operation(wired.adapter.operations(UID)[1])
    wired.time.pass_by(200)
    assert len(wired.driver.named("reconcile_operations")) == 3
    assert CREATE not in {str(s.id) for s in wired.adapter.operations(UID)}


@pytest.mark.parametrize("told", ["OPERATION_RECOVERING", "OPERATION_UNREACHABLE"])
def test_an_operation_whose_agent_was_away_is_asked_for_again_once_that_makes_offers(told: str) -> None:
    """A master that died amid an ACCEPT: the next one knows nothing of the rest, and says so only where it is asked."""
    wired = Wired()
    launched(wired)
    wired.operation(RESERVE, "OPERATION_FINISHED", **AGENT)
    wired.subscribe()
    wired.operation(CREATE, told, **AGENT)
    wired.driver.calls.clear()
    wired.offer("offer-of-agent-2", "agent-2")
    wired.time.pass_by(15.1)
    assert not wired.driver.named("reconcile_operations")
    wired.offer("another-of-agent-1")
    wired.time.pass_by(15.1)
    assert wired.driver.named("reconcile_operations") == [({CREATE: "id-of-agent-1"},)]


def test_an_operator_that_has_just_begun_learns_what_is_still_open() -> None:
    wired = Wired()
    wired.owners[UID] = KEY
    wired.subscribe()
    assert wired.driver.named("reconcile_operations") == [({},)]
    destroy = CREATE.replace("CREATE", "DESTROY")
    wired.operation(RESERVE, "OPERATION_FINISHED", **AGENT)
    wired.operation(destroy, "OPERATION_PENDING", **AGENT)
    (open_one,) = wired.adapter.operations(UID)
    assert (str(open_one.id), open_one.agent_id) == (destroy, "id-of-agent-1")
    assert KEY in wired.enqueued
    wired.time.pass_by(900.1)
    assert wired.driver.named("reconcile_operations")[-1] == ({destroy: "id-of-agent-1"},)
    wired.operation(destroy, "OPERATION_FINISHED", uuid={"value": "dXVpZA=="}, **AGENT)
    wired.adapter.acknowledge_operation(wired.adapter.operations(UID)[0])
    assert not wired.adapter.operations(UID)


def test_operations_of_data_that_nobody_looks_after_are_acknowledged_at_once() -> None:
    wired = Wired()
    wired.subscribe()
    wired.operation(RESERVE, "OPERATION_FINISHED", uuid={"value": "dXVpZA=="}, **AGENT)
    assert len(wired.driver.named("acknowledge_operation")) == 1
    assert not wired.enqueued


def test_of_members_that_are_gone_few_operations_are_kept_and_whatever_is_open_is() -> None:
    """A failed one stays to be shown, and nobody tells when there is nobody left to be shown it."""
    book = OperationBook(failed_limit=2)
    ids = [OperationId(uid=f"uid-{number}", ordinal=0, offer="o", position=0, kind="RESERVE") for number in range(5)]
    for operation_id in ids:
        book.sent([operation_id], "agent-1")
    for operation_id in ids[:4]:
        for _ in range(2):
            failed = OperationStatus(id=operation_id, state=OperationState.ERROR, agent_id="agent-1", uuid="u")
            book.update(failed)
            book.acknowledged(failed)
    assert [len(book.statuses(operation_id.uid)) for operation_id in ids] == [0, 0, 1, 1, 1]
    book.sent([OperationId(uid="uid-3", ordinal=0, offer="p", position=0, kind="RESERVE")], "agent-1")
    book.update(OperationStatus(id=ids[0], state=OperationState.ERROR, agent_id="agent-1", uuid="u"))
    assert [len(book.statuses(operation_id.uid)) for operation_id in ids] == [1, 0, 1, 1, 1]


def test_an_operation_that_was_refused_is_named_where_the_member_waits() -> None:
    wired = Wired()
    record = launched(wired)
    wired.operation(RESERVE, "OPERATION_ERROR", message="Not authorized")
    seen = observed(volumes=(record,), operations=wired.adapter.operations(UID))
    decided = plan(desired(spec()), seen, (), OPERATOR)
    assert "the last RESERVE is error: Not authorized" in decided.waiting[0].message
    assert any("Not authorized" in condition.message for condition in decided.conditions)
    mine = OperationId.parse(RESERVE.replace(".0.offer", ".7.offer"))
    assert mine is not None
    other = OperationStatus(id=mine, state=OperationState.ERROR, agent_id=None, message="elsewhere")
    decided = plan(desired(spec()), observed(volumes=(record,), operations=(other,)), (), OPERATOR)
    assert "elsewhere" not in decided.waiting[0].message


@pytest.mark.parametrize("call", ["acceptOffers", "declineOffer", "suppressOffers"])
def test_a_call_that_gives_offers_up_and_failed_is_made_good_by_a_new_subscription(call: str) -> None:
    wired = Wired()
    wired.subscribe()
    wired.offer("offer-of-agent-1")
    accepted = plan(desired(spec()), observed(), (offer(),), OPERATOR).actions[1]
    assert isinstance(accepted, AcceptOffers)

    def unanswered(*arguments: Any, **named: Any) -> None:
        raise CallFailed("unanswered", unanswered=True)

    setattr(wired.driver, call, unanswered)
    giving_up = {
        "acceptOffers": lambda: wired.adapter.accept(accepted),
        "declineOffer": lambda: wired.adapter.decline(["offer-of-agent-1"], 5.0),
        "suppressOffers": wired.adapter.suppress,
    }
    with pytest.raises(EffectFailed):
        giving_up[call]()
    assert wired.driver.named("resubscribe") == [("stream-1",)]
