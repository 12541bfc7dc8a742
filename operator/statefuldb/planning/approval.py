"""Holding actions back until a person has released them.

`PlanOnly` holds everything; otherwise only the risk classes outside `autoApprove` wait. An approval names the hash of
exactly one plan, so a plan that has changed since is not released by it.
"""

import hashlib
from dataclasses import replace
from typing import assert_never

from statefuldb.model.actions import (
    AcceptOffers,
    Action,
    AddFinalizer,
    DeleteSecret,
    EnsureSecret,
    FenceAgent,
    ForgetVolume,
    KillTask,
    RemoveFinalizer,
    SaveVolume,
    SendCredentials,
)
from statefuldb.model.conditions import Reason
from statefuldb.model.plan import Plan, Waiting
from statefuldb.model.spec import ReconcileMode, ReconcileSpec, RiskClass
from statefuldb.planning.context import Step, join


def risk_of(action: Action) -> RiskClass:
    """Return how much an action can hurt."""
    match action:
        case AcceptOffers() | KillTask() | FenceAgent():
            return action.risk
        case _:
            return RiskClass.NON_DISRUPTIVE


def describe(action: Action) -> str:
    """Return one action in a line, without what changes from pass to pass (offers, times)."""
    match action:
        case AcceptOffers():
            return action.what
        case KillTask() | SaveVolume():
            return action.why
        case FenceAgent(agent=agent, dfs=dfs):
            return f"cut {agent.hostname} off from {dfs.mount_point} by the fence command"
        case AddFinalizer():
            return "have the object's deletion wait for its data to be looked after"
        case RemoveFinalizer():
            return "let the object go"
        case ForgetVolume(volume=volume):
            return f"forget {volume.name}: its data is gone"
        case EnsureSecret(name=name):
            return f"keep Secret {name} current"
        case DeleteSecret(name=name):
            return f"remove Secret {name}"
        case SendCredentials(secret_name=name):
            return f"set the application's account from Secret {name}"
        case _:
            assert_never(action)


def hash_of(actions: tuple[Action, ...]) -> str:
    """Return the hash by which these actions are approved; empty for none."""
    if not actions:
        return ""
    text = "\n".join(f"{risk_of(action)} {describe(action)}" for action in actions)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def hold_back(steps: list[Step], reconcile: ReconcileSpec) -> Plan:
    """Return the joined plan with what needs approval moved to `held_back`, and a wait that says how to approve it.

    A step is held back whole: its ledger entries say what its effects do, and must not be written without them.
    """
    held = tuple(action for step in steps if _needs_approval(step, reconcile) for action in step.actions)
    if not held or reconcile.approved_plan == hash_of(held):
        return join(steps)
    free = [replace(step, actions=(), announcements=()) if _needs_approval(step, reconcile) else step for step in steps]
    wait = Waiting(
        ordinal=None,
        reason=Reason.APPROVAL_REQUIRED,
        message="; ".join(describe(action) for action in held),
        fix=f"set spec.reconcile.approvedPlan to {hash_of(held)} (statefuldb approve)",
    )
    plan = join(free)
    return replace(plan, held_back=held, waiting=(*plan.waiting, wait))


def _needs_approval(step: Step, reconcile: ReconcileSpec) -> bool:
    if reconcile.mode is ReconcileMode.PLAN_ONLY:
        return bool(step.actions)
    return any(risk_of(action) not in reconcile.auto_approve for action in step.actions)
