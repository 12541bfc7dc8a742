"""Publishing a decision: status before its effects, Events after them, and a line in the journal.

Status is written before the effects (record), so the accepted spec and the plan are durable when the first of them
leaves; it is written only where it differs, and times change only with what they belong to.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace

from statefuldb.model.canonical import canonical, digest_of
from statefuldb.model.conditions import Condition, ConditionType, EventReason, Reason
from statefuldb.model.identity import DatabaseKey, connection_secret_name
from statefuldb.model.instant import instant
from statefuldb.model.observed import Observed, Offers
from statefuldb.model.plan import Announcement, Approval, MemberReport, Plan, Waiting
from statefuldb.model.recording import Recording, to_json
from statefuldb.model.settings import OperatorIdentity
from statefuldb.planning.approval.proposals import describe, proposed, risk_of
from statefuldb.planning.ledger import remembered
from statefuldb.planning.published import CONDITION_LIMIT, LISTED_LIMIT, TEXT_LIMIT, published, published_waits
from statefuldb.planning.storage import capabilities_of
from statefuldb.reconcile.ports import Journal, KubernetesPort
from statefuldb.reconcile.warm_up import WarmUp


class Reporter:
    """Writes what was decided where users look."""

    def __init__(self, *, kubernetes: KubernetesPort, journal: Journal, operator: OperatorIdentity) -> None:
        self._kubernetes = kubernetes
        self._journal = journal
        self._operator = operator
        self._refused: dict[DatabaseKey, str] = {}
        self._warm_up = WarmUp()

    def record(self, observed: Observed, offers: Offers, decided: Plan) -> Plan:
        """Make the decision durable before its effects; return what is left to do. Raises EffectFailed.

        Where too little was heard yet, nothing is published or announced, and it is looked at again soon.
        """
        left = self._warm_up.left_seconds(observed, decided)
        if left is not None:
            again = min(left, decided.look_again_after_seconds or left)
            return replace(decided, announcements=(), look_again_after_seconds=again)
        if observed.database is not None and decided.conditions:
            self._kubernetes.write_status(observed.key, observed.database.uid, status_of_plan(observed, decided))
        refused_anew = self._newly_refused(observed.key, decided)
        if decided.actions or refused_anew:
            recording = Recording(observed=observed, offers=offers, operator=self._operator, plan=decided)
            self._journal.append(journal_entry(recording))
        return decided

    def _newly_refused(self, key: DatabaseKey, decided: Plan) -> bool:
        """Say whether the plan was refused, and not the last time too: such a pass belongs into a report."""
        said = "; ".join(w.message for w in decided.waiting if w.reason is Reason.PLAN_VIOLATES_LAW)
        before = self._refused.pop(key, "")
        if said:
            self._refused[key] = said
        return said not in ("", before)

    def announce(self, observed: Observed, decided: Plan) -> None:
        """Send the Events that the decision calls for."""
        for announcement in decided.announcements:
            self._kubernetes.announce(observed.key, announcement)

    def failed(self, key: DatabaseKey, message: str) -> None:
        """Say that an effect failed again; it is tried ever more rarely."""
        self._kubernetes.announce(
            key, Announcement(reason=EventReason.EFFECT_FAILED, message=f"{message}; it is tried again", warning=True)
        )


def journal_entry(recording: Recording) -> dict[str, object]:
    """Return the line of a pass: first what people read, then all that it takes to decide it again."""
    observed, decided = recording.observed, recording.plan
    return {
        "at": instant(observed.at_seconds),
        "key": str(observed.key),
        "generation": observed.database.generation if observed.database else None,
        "actions": [
            {"type": type(action).__name__, "risk": str(risk_of(action)), "description": describe(action)}
            for action in decided.actions
        ],
        "waiting": [{"reason": str(wait.reason), "message": wait.message} for wait in decided.waiting],
        "pass": to_json(recording),
    }


def status_of_plan(observed: Observed, decided: Plan) -> dict[str, object]:
    """Return `status` as it should be published."""
    assert observed.database is not None
    previous = observed.database.status
    before = {entry.get("type"): entry for entry in published(previous, "conditions")}
    now = instant(observed.at_seconds)
    generation = observed.database.generation
    ready = [member for member in decided.members if member.ready]
    status: dict[str, object] = {
        "observedGeneration": generation,
        "summary": _summary(decided)[:CONDITION_LIMIT],
        "conditions": [
            _condition(condition, generation, before.get(condition.type, {}), now) for condition in decided.conditions
        ],
        "members": [_member(member) for member in decided.members],
        "replicas": len([m for m in decided.members if m.task_id and m.phase != "Stopped"]),
        "readyReplicas": len(ready),
        "plan": _plan(decided, previous, now),
    }
    if ready:
        first = ready[0]
        status["endpoints"] = {
            "primary": {"host": first.address, "port": first.port},
            "secretName": connection_secret_name(observed.key.name),
        }
        status["primary"] = first.ordinal
    kept = {"volumes": remembered.names(observed), "data": remembered.data(observed)}
    if decided.accepted is None and kept["volumes"]:
        # Known whatever becomes of the spec: it is all that tells of an entry that is lost.
        status["storage"] = kept
    if decided.accepted is not None:
        spec = decided.accepted.spec
        status["storage"] = {
            "strategy": str(spec.storage.strategy),
            "capabilities": asdict(capabilities_of(spec.storage)),
            **kept,
        }
        written = canonical(spec)
        status["accepted"] = {
            "generation": decided.accepted.generation,
            "hash": digest_of(written),
            "spec": written,
        }
    return status


def _summary(decided: Plan) -> str:
    for condition in decided.conditions:
        if condition.type is ConditionType.ACCEPTED and condition.status is False:
            return f"{condition.reason}: {condition.message}"
    for condition in decided.conditions:
        if condition.type is ConditionType.READY:
            return condition.message if condition.status else f"{condition.reason}: {condition.message}"
    return ""


def _condition(condition: Condition, generation: int, previous: Mapping[str, object], now: str) -> dict[str, object]:
    changed = previous.get("status") != condition.status_text
    return {
        "type": str(condition.type),
        "status": condition.status_text,
        "reason": str(condition.reason),
        "message": condition.message[:CONDITION_LIMIT],
        "observedGeneration": generation,
        "lastTransitionTime": now if changed else previous.get("lastTransitionTime", now),
    }


def _member(member: MemberReport) -> dict[str, object]:
    fields = {
        "ordinal": member.ordinal,
        "phase": member.phase,
        "ready": member.ready,
        "taskId": member.task_id,
        "incarnation": member.incarnation,
        "agent": member.agent,
        "address": member.address,
        "port": member.port,
        "restarts": member.restarts,
        "reason": member.reason,
        "message": member.message[:TEXT_LIMIT],
    }
    return {name: value for name, value in fields.items() if value not in ("", None)}


def _plan(decided: Plan, previous: Mapping[str, object], now: str) -> dict[str, object]:
    approval = decided.approval
    waits = approval is not None and approval.hash
    shown = approval.actions if approval is not None and waits else [proposed(action) for action in decided.actions]
    return {
        **(_approval(approval) if approval is not None else {}),
        "actions": [
            {"type": action.type, "risk": str(action.risk), "description": action.description[:TEXT_LIMIT]}
            for action in shown[:LISTED_LIMIT]
        ],
        "waiting": [_waiting(wait, previous, now) for wait in published_waits(decided.waiting)],
    }


def _approval(approval: Approval) -> dict[str, object]:
    """Return what tells a plan that may be approved, and the release that was given last."""
    entry: dict[str, object] = {"target": approval.target, "generation": approval.generation}
    if approval.hash:
        entry["hash"] = approval.hash
    if approval.release is not None:
        given = approval.release
        entry["release"] = {"hash": given.hash, "generation": given.generation, "keys": list(given.keys)}
    return entry


def _waiting(wait: Waiting, previous: Mapping[str, object], now: str) -> dict[str, object]:
    entry: dict[str, object] = {
        "reason": str(wait.reason),
        "message": wait.message[:TEXT_LIMIT],
        "since": _since(wait, previous, now),
    }
    if wait.ordinal is not None:
        entry["member"] = wait.ordinal
    if wait.fix:
        entry["fix"] = wait.fix[:TEXT_LIMIT]
    if wait.refusals:
        entry["refusals"] = dict(wait.refusals)
    return entry


def _since(wait: Waiting, previous: Mapping[str, object], now: str) -> object:
    for entry in published(previous, "plan", "waiting"):
        if (entry.get("member"), entry.get("reason")) == (wait.ordinal, str(wait.reason)):
            return entry.get("since", now)
    return now
