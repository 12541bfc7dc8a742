"""Holding a plan back until a person has released exactly it.

What is approved is the whole way to the target, as foreseen: one hash for it, bound to the generation, to the ledger
and to the release before it, so that no hash is good twice. A release says by key what may be done; whatever else turns
out to be called for waits under a hash of its own. `PlanOnly` holds everything, repairs too; otherwise the risk classes
outside `autoApprove` wait. Data that was deleted on request or released by name is given back without a second word.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace

from statefuldb.model.actions import AcceptOffers
from statefuldb.model.canonical import target_of_spec
from statefuldb.model.conditions import EventReason, Reason
from statefuldb.model.identity import DatabaseKey
from statefuldb.model.observed import Observed, TaskState
from statefuldb.model.plan import Announcement, Approval, Plan, ProposedAction, Release, Waiting
from statefuldb.model.spec import ReconcileMode, ReconcileSpec, RiskClass, Strategy
from statefuldb.model.volume import Intent
from statefuldb.planning.approval.foresight import Foresight, asks
from statefuldb.planning.approval.proposals import changes_something, key_of, proposed, risk_of
from statefuldb.planning.commands import command
from statefuldb.planning.context import Step, join
from statefuldb.planning.desired import Desired
from statefuldb.planning.ledger import damage
from statefuldb.planning.published import LISTED_LIMIT

# Mesos knows nothing of such a task: the ACCEPT never left, met an offer that had gone, or did not reach the agent.
_NEVER_RAN = (TaskState.DROPPED, TaskState.GONE)
_FOR_OFFERS = (
    Reason.NO_SUITABLE_OFFER,
    Reason.AWAITING_VOLUME_OFFER,
    Reason.AWAITING_DISK,
    Reason.AWAITING_RESOURCES,
    Reason.RECONCILING,
)


def hold_back(
    steps: list[Step], desired: Desired, observed: Observed, foresee: Callable[[Observed], Foresight]
) -> Plan:
    """Return the joined plan with what needs approval moved to `held_back`, and a wait that says how to approve it.

    A step is held back whole: its ledger entries say what its effects do, and must not be written without them. What it
    has for meanwhile is done instead, as far as that needs no approval. A step that only writes down what was learned
    needs nobody's approval.
    """
    assert desired.accepted is not None
    spec, generation = desired.accepted.spec, desired.accepted.generation
    reconcile, before = spec.reconcile, _published(observed)
    asking = [step for step in steps if _asks(step, reconcile, observed)]
    foreseen = foresee(in_question(observed)) if _looks_ahead(reconcile, before, asking) else Foresight()
    wanted = _wanted(asking, foreseen, reconcile, observed)
    if not wanted and before is None:
        return join(steps)
    target = target_of_spec(spec)
    if before is not None and before.target == target:
        generation = before.generation
    last = before.release if before is not None else None
    plan_hash = _hash(wanted, generation, last, observed)
    release = _in_force(last, generation, reconcile, observed) or _released(plan_hash, wanted, generation, reconcile)
    allowed = frozenset(release.keys) if release is not None else frozenset()

    def waits(step: Step) -> bool:
        return _asks(step, reconcile, observed) and not _keys(step, observed) <= allowed

    held = [step for step in asking if waits(step)]
    shown = [replace(step, actions=(), announcements=()) if step in held else step for step in steps]
    meanwhile = [done for step in held for done in _meanwhile(step, waits)]
    decided = join([*shown, *meanwhile])
    approval = Approval(target=target, generation=generation, release=release or last)
    if all(action.key in allowed for action in wanted):
        awaited = any(not (step.consented and wait.winding_up) for step in steps for wait in step.waiting)
        busy = bool(wanted or foreseen.waiting or decided.actions or awaited or damage.unsure(observed))
        return replace(decided, approval=approval if busy or release is None else _carried_out(approval))
    approval = replace(approval, hash=plan_hash, actions=wanted)
    wait = _wait(approval, desired, observed.key)
    return replace(
        decided,
        held_back=tuple(action for step in held for action in step.actions),
        approval=approval,
        # It comes before what passes by itself meanwhile: a person has to act.
        waiting=(*_still_waiting(shown, wanted), wait, *_still_waiting(meanwhile, wanted)),
        announcements=(*decided.announcements, *_announced(wait, approval, before, desired)),
    )


def in_question(observed: Observed) -> Observed:
    """Return the snapshot without what is given back, which was decided on before and goes on beside any plan.

    What tasks carry and agents hold of it goes with it: of no entry, it would be found again and taken up. An entry
    that is marked for removal under its database is not given back, and stays.
    """
    uid = observed.database.uid if observed.database is not None else None
    goes = [r for r in observed.volumes if r.intent is Intent.DELETE and r.owner_uid != uid]
    return replace(
        observed,
        volumes=tuple(record for record in observed.volumes if record not in goes),
        adopted_away=(*observed.adopted_away, *(record.identity for record in goes)),
    )


def _looks_ahead(reconcile: ReconcileSpec, before: Approval | None, asking: list[Step]) -> bool:
    if reconcile.mode is ReconcileMode.PAUSED or not any(asks(risk, reconcile) for risk in RiskClass):
        return False
    return bool(asking) or reconcile.mode is ReconcileMode.PLAN_ONLY or (before is not None and bool(before.hash))


def _asks(step: Step, reconcile: ReconcileSpec, observed: Observed) -> bool:
    return not step.consented and any(
        changes_something(a, observed.volumes) and asks(risk_of(a), reconcile) for a in step.actions
    )


def _meanwhile(held: Step, waits: Callable[[Step], bool]) -> list[Step]:
    """Return what is done, or only shown where that waits too, while a step waits for approval."""
    step = held.meanwhile
    if step is None or not waits(step):
        return [step] if step is not None else []
    return [replace(step, actions=(), announcements=()), *_meanwhile(step, waits)]


def _keys(step: Step, observed: Observed) -> frozenset[str]:
    return frozenset(key_of(action) for action in step.actions if changes_something(action, observed.volumes))


def _wanted(
    asking: list[Step], foreseen: Foresight, reconcile: ReconcileSpec, observed: Observed
) -> tuple[ProposedAction, ...]:
    """Return what needs approval: what is foreseen, and whatever of this pass that did not foresee."""
    ahead = [action for action in foreseen.actions if asks(action.risk, reconcile)]
    known = {action.key for action in ahead}
    now = [proposed(a) for s in asking for a in s.actions if changes_something(a, observed.volumes)]
    return (*(action for action in now if action.key not in known), *ahead)[:LISTED_LIMIT]


def _hash(wanted: tuple[ProposedAction, ...], generation: int, last: Release | None, observed: Observed) -> str:
    lines = [f"{generation} {last.hash if last is not None else ''}"]
    for record in sorted(in_question(observed).volumes, key=lambda r: r.name):
        end = record.ending.state if record.ending is not None and record.ended else ""
        host = record.agent.hostname if record.agent is not None else ""
        # That of a directory is what the manifest says, and is written down in a pass of its own.
        size = record.size_bytes if record.strategy is Strategy.PERSISTENT_VOLUME else ""
        facts = (record.name, record.owner_uid, record.intent, record.incarnation, end, size, host)
        lines.append(" ".join(map(str, facts)))
    lines += [f"{action.risk} {action.key} {action.description}" for action in wanted]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


def _in_force(last: Release | None, generation: int, reconcile: ReconcileSpec, observed: Observed) -> Release | None:
    """Return the release that was given before, while the spec still names it and asks for the same."""
    if last is None or (last.hash, last.generation) != (reconcile.approved_plan, generation):
        return None
    for record in observed.volumes:
        if record.ending is not None and record.ended and record.ending.state in _NEVER_RAN:
            assert record.task_id is not None
            following = replace(record.task_id, incarnation=record.incarnation + 1)
            last = _repeated(last, str(record.task_id), str(following))
    return last


def _repeated(release: Release, attempt: str, again: str) -> Release:
    """Return the release with a launch that never took place to be made again, as the attempt after it."""
    if f"launch {attempt}" not in release.keys:
        return release
    return replace(release, keys=tuple(key.replace(attempt, again) for key in release.keys))


def _released(
    plan_hash: str, wanted: tuple[ProposedAction, ...], generation: int, reconcile: ReconcileSpec
) -> Release | None:
    if not wanted or reconcile.approved_plan != plan_hash:
        return None
    return Release(hash=plan_hash, generation=generation, keys=tuple(action.key for action in wanted))


def _carried_out(approval: Approval) -> Approval:
    """Return the approval with nothing left of its release: whatever is called for from now on is another plan."""
    assert approval.release is not None
    return replace(approval, release=replace(approval.release, keys=()))


def _still_waiting(steps: list[Step], wanted: tuple[ProposedAction, ...]) -> tuple[Waiting, ...]:
    """Leave out the waits for offers: none is asked for before the plan that needs it is released."""
    waiting = join(steps).waiting
    if not any(action.type == AcceptOffers.__name__ for action in wanted):
        return waiting
    return tuple(w for w in waiting if not (w.wants_offers and w.reason in _FOR_OFFERS))


def _wait(approval: Approval, desired: Desired, key: DatabaseKey) -> Waiting:
    assert desired.accepted is not None
    reconcile = desired.accepted.spec.reconcile
    what = "; ".join(action.description for action in approval.actions)
    message, reason = f"plan {approval.hash} waits for approval: {what}", Reason.APPROVAL_REQUIRED
    if _is_stale(approval, reconcile):
        reason = Reason.APPROVAL_STALE
        message = f"approvedPlan {reconcile.approved_plan} is not the present plan; {message}"
    approve = command(key.namespace, "approve", key.name, approval.hash)
    fix = f"set spec.reconcile.approvedPlan to {approval.hash} ({approve})"
    if desired.errors:
        fix = f"put {desired.errors[0].path} right first, a refused spec approves nothing; then {fix}"
    return Waiting(ordinal=None, reason=reason, message=message, fix=fix)


def _is_stale(approval: Approval, reconcile: ReconcileSpec) -> bool:
    """Say whether the spec approves a plan that is neither the present one nor the one that was released last."""
    last = approval.release.hash if approval.release is not None else None
    return reconcile.approved_plan not in (None, last)


def _announced(
    wait: Waiting, approval: Approval, before: Approval | None, desired: Desired
) -> tuple[Announcement, ...]:
    """Return the Event of a new plan, or of an approval that was refused: once each."""
    stale = wait.reason is Reason.APPROVAL_STALE
    if before is not None and before.hash == approval.hash and not (stale and desired.is_new):
        return ()
    return (Announcement(reason=EventReason.PLANNED, message=wait.message, warning=stale),)


def _published(observed: Observed) -> Approval | None:
    """Read back what was published; what cannot be read is as if nothing had ever been approved."""
    plan = observed.database.status.get("plan") if observed.database is not None else None
    if not isinstance(plan, Mapping) or not isinstance(plan.get("generation"), int):
        return None
    stored = plan.get("release")
    release = None
    if isinstance(stored, Mapping) and isinstance(stored.get("generation"), int):
        keys = stored.get("keys")
        release = Release(
            hash=str(stored.get("hash", "")),
            generation=stored["generation"],
            keys=tuple(map(str, keys)) if isinstance(keys, list | tuple) else (),
        )
    return Approval(
        target=str(plan.get("target", "")),
        generation=plan["generation"],
        hash=str(plan.get("hash", "")),
        release=release,
    )
