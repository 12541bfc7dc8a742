"""How a database ends: what is stored first, what is given back, and when an entry is forgotten."""

from dataclasses import replace
from unittest.mock import MagicMock

from statefuldb.model.actions import (
    AcceptOffers,
    DeleteSecret,
    ForgetVolume,
    RemoveFinalizer,
    SaveVolume,
)
from statefuldb.model.conditions import Reason
from statefuldb.model.errors import FieldError
from statefuldb.model.identity import FINALIZER, OperationId
from statefuldb.model.observed import Offers, OperationState, OperationStatus, TaskState
from statefuldb.model.operations import Destroy, Unreserve
from statefuldb.model.plan import Plan
from statefuldb.model.resources import AgentOffer
from statefuldb.model.spec import (
    Retention,
    RetentionSpec,
    Strategy,
)
from statefuldb.model.volume import Ending, Intent, VolumePhase, VolumeRecord
from statefuldb.planning.invariants import violations
from statefuldb.planning.planner import plan
from statefuldb.reconcile.decide import decide_among
from statefuldb.reconcile.mesos_port import Excerpt
from unit.planning.test_planner import launch, serving
from unit.planning.world import (
    CLUSTER,
    OPERATOR,
    database,
    desired,
    observed,
    offer,
    remaining,
    spec,
)

EARLIER = "77777777-2222-3333-4444-555555555555"


def test_deletion_stores_the_intent_before_the_object_goes() -> None:
    record = serving()
    wanted = spec(deletion_protection=False, retention=RetentionSpec(when_deleted=Retention.DELETE))
    for want, crd_terminating, intent in (
        (wanted, False, Intent.DELETE),
        (wanted, True, Intent.RETAIN),
        (spec(deletion_protection=False), False, Intent.RETAIN),
        (spec(retention=RetentionSpec(when_deleted=Retention.DELETE)), False, Intent.RETAIN),
    ):
        protection = "Enabled" if want.deletion_protection else "Disabled"
        stored = {"deletionProtection": protection, "retention": {"whenDeleted": str(want.retention.when_deleted)}}
        gone = database(deleting=True, spec=stored)
        seen = observed(database=gone, volumes=(record,), crd_terminating=crd_terminating)
        decided = plan(desired(want), seen, (), OPERATOR)
        saved, finalizer = decided.actions
        assert isinstance(saved, SaveVolume)
        assert saved.volume.intent is intent
        assert isinstance(finalizer, RemoveFinalizer)
        assert not violations(decided, seen, CLUSTER)


def test_data_that_nobody_knew_to_be_of_a_deleted_database_is_retained() -> None:
    """Simulator, seed 37371: data of an earlier life was taken up just after the deletion, and removed with it."""
    record = serving()
    adopted = replace(record, name="orders-0-earlier", identity=replace(record.identity, uid=EARLIER))
    wanted = spec(deletion_protection=False, retention=RetentionSpec(when_deleted=Retention.DELETE))
    for status, intent in (({}, Intent.RETAIN), ({"storage": {"volumes": ["orders-0-earlier"]}}, Intent.DELETE)):
        seen = observed(database=database(deleting=True, status=status), volumes=(adopted,))
        decided = plan(desired(wanted), seen, (), OPERATOR)
        saved, finalizer = decided.actions
        assert isinstance(saved, SaveVolume)
        assert saved.volume.intent is intent
        assert isinstance(finalizer, RemoveFinalizer)
        (told,) = decided.announcements
        assert str(intent).lower() in told.message


def test_deletable_with_mesos_down_and_no_valid_spec() -> None:
    from statefuldb.planning.desired import Desired

    seen = observed(database=database(deleting=True), volumes=(serving(),))
    seen = replace(seen, mesos=replace(seen.mesos, connected=False, error="down"))
    decided = plan(Desired(accepted=None), seen, (), OPERATOR)
    assert isinstance(decided.actions[-1], RemoveFinalizer)


def test_a_refused_edit_is_no_consent_to_destroy_data() -> None:
    wanted = spec(deletion_protection=False, retention=RetentionSpec(when_deleted=Retention.DELETE))
    refused = replace(desired(wanted), errors=(FieldError(path="spec.replicas", value="3", allowed="0 or 1"),))
    seen = observed(database=database(deleting=True), volumes=(serving(),))
    saved, finalizer = plan(refused, seen, (), OPERATOR).actions
    assert isinstance(saved, SaveVolume)
    assert saved.volume.intent is Intent.RETAIN
    assert isinstance(finalizer, RemoveFinalizer)


def test_delete_destroys_then_unreserves_then_forgets() -> None:
    record, accepted, _ = launch(Strategy.PERSISTENT_VOLUME)
    record = replace(
        record,
        intent=Intent.DELETE,
        initialised=True,
        ending=Ending(incarnation=1, state="TASK_KILLED"),
    )
    idle = remaining(offer(), accepted, launched=False)
    seen = observed(database=None, volumes=(record,))
    decided = plan(None, seen, (idle,), OPERATOR)
    saved, release = decided.actions
    assert isinstance(saved, SaveVolume)
    assert isinstance(release, AcceptOffers)
    assert [type(o) for o in release.operations] == [Destroy, Unreserve]
    assert not violations(decided, seen, CLUSTER)
    freed = remaining(idle, release, launched=False)
    assert all(r.unreserved for r in freed.resources)
    later = replace(freed, received_at_seconds=2_000.0)
    done = plan(None, observed(database=None, volumes=(saved.volume,)), (later,), OPERATOR)
    assert isinstance(done.actions[-1], ForgetVolume)


def released() -> tuple[VolumeRecord, AgentOffer, AgentOffer]:
    """Return a member that is given back, and its agent's offers before and after that."""
    record, accepted, _ = launch(Strategy.PERSISTENT_VOLUME)
    ended = Ending(incarnation=1, state="TASK_KILLED")
    record = replace(record, intent=Intent.DELETE, initialised=True, ending=ended)
    idle = remaining(offer(), accepted, launched=False)
    saved, release = plan(None, observed(database=None, volumes=(record,)), (idle,), OPERATOR).actions
    assert isinstance(saved, SaveVolume)
    assert isinstance(release, AcceptOffers)
    return saved.volume, idle, replace(remaining(idle, release, launched=False), received_at_seconds=2_000.0)


def test_the_secret_goes_with_the_last_entry_unless_a_database_is_there_to_stay() -> None:
    """Another finalizer may hold the object for as long as it likes: nobody would look at the Secret again."""
    record, _, freed = released()
    held = database(uid="another", deleting=True, finalizers=("example.org/other",))
    ours = replace(held, finalizers=(FINALIZER,))
    for there, goes in ((None, True), (held, True), (ours, True), (replace(ours, deleting=False), False)):
        seen = observed(database=there, volumes=(record,), reserved=())
        decided = plan(None if there is None else desired(spec()), seen, (freed,), OPERATOR)
        kinds = [type(action) for action in decided.actions]
        assert ForgetVolume in kinds
        assert (DeleteSecret in kinds) is goes


def test_what_somebody_has_removed_before_is_forgotten_by_a_later_offer_of_its_own_agent() -> None:
    """Volume and reservations were removed by hand, or before the API was restored from a backup."""
    released_before, _, freed = released()
    record = replace(released_before, phase=VolumePhase.PENDING, released_at_seconds=0.0)

    def decided(volume: VolumeRecord, shown: AgentOffer, reserved: Offers | None = ()) -> Plan:
        seen = observed(database=None, volumes=(volume,), reserved=reserved)
        found = plan(None, seen, (shown,), OPERATOR)
        assert not violations(found, seen, CLUSTER)
        return found

    (looked,) = decided(record, freed).actions
    assert isinstance(looked, SaveVolume)
    assert looked.volume.phase is VolumePhase.RELEASING
    assert not decided(looked.volume, freed, None).actions, "the master does not say"
    assert isinstance(decided(looked.volume, freed).actions[-1], ForgetVolume)
    # Another agent on its host knows nothing of what its disks hold.
    assert not decided(record, replace(freed, agent_id="another")).actions


def test_hosts_that_never_offer_at_the_same_time_show_one_by_one_that_nothing_is_left() -> None:
    """Simulator, seed 95468: what the first of them showed was not written down, and the entry stayed for ever."""
    record = replace(
        serving(),
        initialised=False,
        intent=Intent.DELETE,
        ending=Ending(incarnation=1, state=TaskState.GONE),
        elsewhere=("agent-2",),
    )
    now = 1_000.0
    for hostname in ("agent-2", "agent-1", "agent-2", "agent-1", "agent-2"):
        now += 60.0
        shown = replace(offer(hostname), received_at_seconds=now)
        seen = observed(database=None, volumes=(record,), reserved=(), at_seconds=now)
        actions = plan(None, seen, (shown,), OPERATOR).actions
        if any(isinstance(action, ForgetVolume) for action in actions):
            return
        record = next((action.volume for action in actions if isinstance(action, SaveVolume)), record)
    raise AssertionError(f"{record.phase}: {record.elsewhere} are still waited for")


def test_a_release_of_the_future_is_looked_at_again_at_once() -> None:
    """The clock was set back since it was sent: no offer would be newer than it for that long."""
    record, _, _ = released()
    ahead = replace(record, released_at_seconds=observed().at_seconds + 3_600.0)
    again, *_ = plan(None, observed(database=None, volumes=(ahead,)), (), OPERATOR).actions
    assert isinstance(again, SaveVolume)
    assert again.volume.released_at_seconds == observed().at_seconds


def test_what_another_framework_of_the_role_runs_on_is_not_forgotten() -> None:
    record, idle, freed = released()

    def decided(reserved: Offers | None) -> Plan:
        return plan(None, observed(database=None, volumes=(record,), reserved=reserved), (freed,), OPERATOR)

    taken = tuple(r for r in idle.resources if r.name == "cpus")
    for reserved in (None, (replace(idle, resources=taken),)):
        assert not decided(reserved).actions
        assert [wait.reason for wait in decided(reserved).waiting] == [Reason.RELEASING]
    assert isinstance(decided(()).actions[-1], ForgetVolume)


def test_what_the_master_shows_released_is_not_forgotten_before_the_agent_has_obeyed() -> None:
    """An agent that is cut off never hears of it, and comes back with all that it had."""
    record, _, freed = released()
    sent = OperationId(uid=record.identity.uid, ordinal=0, offer="o1", position=1, kind="unreserve")

    def decided(state: OperationState, agent_id: str = freed.agent_id) -> Plan:
        status = OperationStatus(id=sent, state=state, agent_id=agent_id)
        return plan(None, observed(database=None, volumes=(record,), operations=(status,)), (freed,), OPERATOR)

    for state in (OperationState.PENDING, OperationState.UNREACHABLE, OperationState.RECOVERING):
        assert not decided(state).actions
        assert [wait.reason for wait in decided(state).waiting] == [Reason.RELEASING]
    assert isinstance(decided(OperationState.FINISHED).actions[-1], ForgetVolume)
    # The host runs an agent of another id by now, which has nothing: the one that was asked exists no more.
    assert isinstance(decided(OperationState.UNREACHABLE, "another").actions[-1], ForgetVolume)


def test_offers_of_a_subscription_that_began_meanwhile_forget_nothing() -> None:
    """Simulator, seed 23996: an UNRESERVE that its agent had yet to obey was not known before that subscription."""
    record, _, freed = released()
    seen = observed(database=None, volumes=(record,))
    looks = MagicMock(return_value=Excerpt(offers=(freed,), whole=True, newest=1))
    decided, _ = decide_among(seen, looks, OPERATOR)
    assert isinstance(decided.actions[-1], ForgetVolume)
    before = replace(seen, mesos=replace(seen.mesos, connected=False))
    decided, excerpt = decide_among(before, looks, OPERATOR)
    assert not decided.actions
    assert (excerpt.offers, excerpt.newest) == ((), 0), "nobody has looked at them"
    looks.assert_called_once()
