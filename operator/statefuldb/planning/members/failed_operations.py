"""Saying what became of a member's last operations, where it waits. What there is, offers alone say."""

from dataclasses import replace

from statefuldb.model.observed import Observed, OperationState, OperationStatus
from statefuldb.planning.context import Context, Step


def explained(context: Context, ordinal: int, uid: str, step: Step) -> Step:
    """Return `step` with the operations that Mesos refused or cannot tell of named in what the member waits for."""
    said = [
        _sentence(status)
        for status in _of_member(context.observed, ordinal, uid)
        if status.state.failed or status.state is OperationState.UNREACHABLE
    ]
    if not said:
        return step
    waiting = tuple(
        replace(wait, message="; ".join((wait.message, *said))) if wait.ordinal == ordinal else wait
        for wait in step.waiting
    )
    meanwhile = explained(context, ordinal, uid, step.meanwhile) if step.meanwhile is not None else None
    return replace(step, waiting=waiting, meanwhile=meanwhile)


def refusal(observed: Observed, ordinal: int, uid: str, kinds: frozenset[str]) -> str:
    """Return what Mesos said of the last operations of these kinds that failed, empty where it said nothing."""
    failed = [s for s in _of_member(observed, ordinal, uid) if s.state.failed and s.id.kind in kinds]
    return "; ".join(dict.fromkeys(status.message for status in failed if status.message))


def _of_member(observed: Observed, ordinal: int, uid: str) -> tuple[OperationStatus, ...]:
    return tuple(status for status in observed.operations if (status.id.uid, status.id.ordinal) == (uid, ordinal))


def _sentence(status: OperationStatus) -> str:
    word = str(status.state).removeprefix("OPERATION_").lower()
    return f"the last {status.id.kind} is {word}: {status.message or 'Mesos does not say why'}"
