"""A wait for offers keeps saying what was seen: offers come and go every few seconds, and no offer is no news.

Without this the status of what waits would be written back and forth for as long as it waits (law `eventually_stable`).
"""

from collections.abc import Mapping
from dataclasses import replace

from statefuldb.model.conditions import Reason
from statefuldb.model.observed import Observed
from statefuldb.model.plan import Plan, Waiting
from statefuldb.planning.published import TEXT_LIMIT, published

FOR_OFFERS = frozenset({Reason.NO_SUITABLE_OFFER, Reason.AWAITING_VOLUME_OFFER, Reason.AWAITING_RESOURCES})


def steadied(plan: Plan, observed: Observed) -> Plan:
    """Return the plan with what was published of a wait before, where fewer offers are there to look at now.

    Such a wait says no more than is published of it, or its conditions would say more the first time.
    """
    if not any(wait.reason in FOR_OFFERS for wait in plan.waiting):
        return plan
    plan = replace(plan, waiting=tuple(map(_cut, plan.waiting)))
    database = observed.database
    if database is None or database.status.get("observedGeneration") != database.generation:
        return plan
    return replace(plan, waiting=tuple(_steadied(wait, database.status) for wait in plan.waiting))


def _cut(wait: Waiting) -> Waiting:
    if wait.reason not in FOR_OFFERS:
        return wait
    return replace(wait, message=wait.message[:TEXT_LIMIT], fix=wait.fix[:TEXT_LIMIT])


def _steadied(wait: Waiting, status: Mapping[str, object]) -> Waiting:
    if wait.reason not in FOR_OFFERS:
        return wait
    for entry in published(status, "plan", "waiting"):
        before = entry.get("refusals")
        if (entry.get("member"), entry.get("reason")) != (wait.ordinal, str(wait.reason)) or not before:
            continue
        if (
            isinstance(before, Mapping)
            and sum(before.values()) > sum(wait.refusals.values())
            and before.keys() >= (wait.refusals.keys())
        ):
            said, fix = str(entry.get("message", "")), str(entry.get("fix", ""))
            return replace(wait, message=said, fix=fix, refusals=dict(before))
    return wait
