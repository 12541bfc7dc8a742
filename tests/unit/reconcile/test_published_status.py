"""What is published fits its definition: a status that is refused would keep its database from being looked after."""

from dataclasses import replace

import pytest

from statefuldb.model.check import check
from statefuldb.model.conditions import Reason
from statefuldb.model.errors import FieldError
from statefuldb.model.observed import Observed
from statefuldb.model.plan import Plan, Waiting
from statefuldb.model.schema.status import DATABASE_STATUS
from statefuldb.model.spec import Strategy
from statefuldb.planning.desired import Desired
from statefuldb.planning.planner import plan
from statefuldb.reconcile.report import status_of_plan
from unit.planning.world import KEY, OPERATOR, database, decide, observed, running, serving_on, spec


def misfits(seen: Observed, decided: Plan) -> list[str]:
    """Return what the API would refuse in the status of a plan."""
    return [str(error) for error in check(status_of_plan(seen, decided), DATABASE_STATUS, "status")]


def test_a_manifest_in_which_much_is_wrong_is_told_as_far_as_there_is_room() -> None:
    errors = tuple(
        FieldError(path=f"spec.engine.config.option_{number}", value='"1"', allowed="whatever " * 20, fix="remove it")
        for number in range(200)
    )
    seen = observed()
    decided = plan(Desired(accepted=None, errors=errors), seen, (), OPERATOR)
    assert not misfits(seen, decided)


@pytest.mark.parametrize("strategy", [Strategy.HOST_PATH, Strategy.DFS])
def test_a_directory_is_published_however_deep_it_lies(strategy: Strategy) -> None:
    record, beside, _ = serving_on(strategy)
    root = "/srv" + "/deep" * 200
    deep = replace(record, root=root, directory=f"{root}/{KEY.namespace}/{KEY.name}/0")
    seen = running(deep)
    decided = decide(spec(strategy), seen, beside)
    assert not misfits(seen, decided)


def test_of_very_many_waits_the_first_are_published_and_its_own() -> None:
    seen = observed(database=database())
    waits = tuple(
        Waiting(ordinal=0, reason=Reason.RELEASING, message=f"orders-0-{number:08x} waits", winding_up=True)
        for number in range(150)
    )
    own = Waiting(ordinal=0, reason=Reason.NO_SUITABLE_OFFER, message="no offer fits")
    decided = Plan(waiting=(*waits, own))
    assert not misfits(seen, decided)
    assert own.message in str(status_of_plan(seen, decided)["plan"])
