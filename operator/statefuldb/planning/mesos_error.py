"""An ERROR of Mesos ends the operator's subscription for good: what is said then, and what a person does about it."""

from statefuldb.model.conditions import Condition, ConditionType, EventReason, Reason
from statefuldb.model.observed import NOT_SUBSCRIBED_YET, MesosView
from statefuldb.model.plan import Announcement, Waiting
from statefuldb.planning.commands import CHECK_MASTER

_REMEDIES = (
    ("has begun with framework", "stop one of the two, then restart this one"),
    ("failed over", "another operator has subscribed as this framework: stop one of the two, then restart this one"),
    (
        "has been removed",
        "Mesos ended the framework and its tasks; the data stays: take frameworkId out of the ConfigMap "
        "statefuldb-framework where it is there, then restart the operator",
    ),
    ("not authorized", "permit it in the masters' ACLs (docs/mesos.md), then restart the operator"),
    ("roles", "add the operator's role to the masters' --roles, then restart the operator"),
    ("principal", "start the operator with the principal that it had before"),
    ("root", "permit it with --root_submissions, or name another user with --framework-user"),
)


def condition(view: MesosView) -> Condition:
    """Return the condition MesosConnected."""
    if view.connected:
        reason, message = Reason.CONNECTED, f"framework {view.framework_id}"
    elif view.fatal:
        reason, message = Reason.MESOS_ERROR, _said(view)
    else:
        reason, message = Reason.MESOS_DISCONNECTED, view.error
    return Condition(type=ConditionType.MESOS_CONNECTED, status=view.connected, reason=reason, message=message)


def announcements(view: MesosView) -> tuple[Announcement, ...]:
    """Return the Event that an ERROR calls for."""
    return (Announcement(reason=EventReason.MESOS_ERROR, message=_said(view), warning=True),) if view.fatal else ()


def waiting(view: MesosView) -> Waiting | None:
    """Return what keeps every database that is not as it should be, once Mesos has ended the subscription."""
    if not view.fatal:
        return None
    return Waiting(ordinal=None, reason=Reason.MESOS_ERROR, message=_said(view), fix=remedy(view))


def disconnected(view: MesosView, ordinal: int) -> Waiting:
    """Return the wait of a member for a subscription."""
    return Waiting(
        ordinal=ordinal,
        reason=Reason.MESOS_DISCONNECTED,
        message=f"Mesos is not connected: {view.error or NOT_SUBSCRIBED_YET}",
        fix=remedy(view),
        wants_offers=True,
    )


def remedy(view: MesosView) -> str:
    """Return what a person does about a subscription that is not there."""
    if not view.fatal:
        return CHECK_MASTER
    for words, advice in _REMEDIES:
        if words in view.error.lower():
            return advice
    return "remove the cause, then restart the operator"


def _said(view: MesosView) -> str:
    return f"Mesos ended the subscription and it is not tried again: {view.error}; {remedy(view)}"
