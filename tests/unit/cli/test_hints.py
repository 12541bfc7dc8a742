"""Commands that messages tell people to type can be typed."""

import re
import shlex
from collections.abc import Callable
from dataclasses import replace

import pytest
import typer

from statefuldb.model.plan import Plan
from statefuldb.model.spec import Strategy
from statefuldb.model.volume import Ending, Intent
from statefuldb.planning.planner import plan
from unit.cli.test_commands import COMMANDS
from unit.planning.test_fencing import lost
from unit.planning.test_strays import serving
from unit.planning.world import OPERATOR, database, desired, observed, offer, spec

_COMMAND = re.compile(r"statefuldb -n [^`);]+")


def fencing() -> Plan:
    return plan(desired(spec(Strategy.DFS)), lost(), (), OPERATOR)


def backing_off() -> Plan:
    ended = Ending(incarnation=1, state="TASK_FAILED", at_seconds=999.0)
    record = replace(serving(Strategy.DFS), failures=4, ending=ended)
    return plan(desired(spec(Strategy.DFS)), observed(volumes=(record,)), (offer(),), OPERATOR)


def unfit() -> Plan:
    record = serving(Strategy.DFS)
    identity = replace(record.identity, uid="earlier")
    record = replace(record, intent=Intent.RETAIN, owner_uid="earlier", identity=identity)
    return plan(desired(spec()), observed(volumes=(record,)), (offer(),), OPERATOR)


def missing() -> Plan:
    stored = database(status={"storage": {"volumes": [serving(Strategy.HOST_PATH).name]}})
    return plan(desired(spec(Strategy.HOST_PATH)), observed(database=stored), (offer(),), OPERATOR)


@pytest.mark.parametrize("decide", [fencing, backing_off, unfit, missing])
def test_a_command_that_a_message_names_can_be_typed(decide: Callable[[], Plan]) -> None:
    (said,) = _COMMAND.findall(" ".join(wait.fix for wait in decide().waiting))
    program, option, namespace, *words = shlex.split(said)
    assert (program, option, namespace) == ("statefuldb", "-n", "shop")
    path = max((path for path in COMMANDS if words[: len(path.split())] == path.split()), key=len)
    # Parsing ends with an error for an option that is not there.
    parser = COMMANDS[path].make_parser(typer.Context(COMMANDS[path]))
    given, *_ = parser.parse_args(words[len(path.split()) :])
    assert given["root" if words[:2] == ["volumes", "scan"] else "name"]
