"""Commands that messages tell people to type can be typed."""

import ast
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import statefuldb
from statefuldb.cli.root import app
from statefuldb.cli.session import KUBECONFIG_VARIABLE, STATE_VARIABLE, Session
from statefuldb.model.plan import Plan
from statefuldb.model.spec import ReconcileMode, ReconcileSpec, Strategy
from statefuldb.model.volume import Ending, Intent
from statefuldb.planning.planner import plan
from unit.cli.ledger_api import LedgerApi
from unit.cli.test_commands import COMMANDS
from unit.planning.members.test_fencing import lost
from unit.planning.members.test_strays import serving
from unit.planning.world import OPERATOR, database, desired, observed, offer, spec

PACKAGE = Path(statefuldb.__file__).parent
SOURCES = [path for top in ("cli", "planning", "reconcile") for path in sorted((PACKAGE / top).rglob("*.py"))]
# All but `apply` look at the namespace that they are given; a manifest names its own.
NAMESPACED = (
    *("approve", "delete", "describe", "events", "explain", "fence", "get", "logs", "plan", "restart", "sql", "wait"),
    *("volumes adopt", "volumes list", "volumes release", "volumes scan"),
)
_COMMAND = re.compile(r"statefuldb -n [^`);]+")
_BY_HAND = re.compile(rf"(statefuldb|`)\s*({'|'.join(NAMESPACED)})\b")


def parsed(words: list[str]) -> dict[str, object]:
    """Return what a command is given; what the command line does not know, or misses, is an error."""
    path = max((path for path in COMMANDS if words[: len(path.split())] == path.split()), key=len)
    command = COMMANDS[path]
    given, left, _ = command.make_parser(typer.Context(command)).parse_args(words[len(path.split()) :])
    arguments = [p.name for p in command.params if p.param_type_name == "argument" and p.required]
    assert not left
    assert all(given[name] for name in arguments)
    return dict(given)


def composed() -> Iterator[tuple[str, list[str]]]:
    """Yield where a command is composed, and its words: `x` stands for what is filled in."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Name(id="command"), args=[_, first, *rest]):
                    words = [first, *rest]
                case ast.Call(func=ast.Attribute(attr="hint"), args=words):
                    pass
                case _:
                    continue
            said = [str(word.value) if isinstance(word, ast.Constant) else "x" for word in words]
            yield f"{path.relative_to(PACKAGE)}: {' '.join(said)}", said


COMPOSED = dict(composed())


def prose(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield what is not said by a message: descriptions of modules and commands."""
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str()) as described):
                yield described
            case ast.keyword(arg="help" | "epilog" | "prompt", value=value):
                yield from ast.walk(value)


@pytest.mark.parametrize("words", COMPOSED.values(), ids=COMPOSED)
def test_what_is_composed_for_a_person_to_type_can_be_typed(words: list[str]) -> None:
    parsed(words)


def test_there_is_much_to_type() -> None:
    assert {"explain", "plan", "approve", "logs", "restart", "fence", "volumes"} <= {w[0] for w in COMPOSED.values()}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_message_names_a_command_without_its_namespace(path: Path) -> None:
    tree = ast.parse(path.read_text())
    described = set(map(id, prose(tree)))
    texts = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and id(n) not in described]
    assert not [text for text in texts if isinstance(text, str) and _BY_HAND.search(text)]


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
    wanted = spec(Strategy.HOST_PATH)
    assert wanted.storage.host_path is not None
    spaced = replace(wanted.storage, host_path=replace(wanted.storage.host_path, path="/srv/my data"))
    return plan(desired(replace(wanted, storage=spaced)), observed(database=stored), (offer(),), OPERATOR)


def to_be_approved() -> Plan:
    wanted = replace(spec(), reconcile=ReconcileSpec(mode=ReconcileMode.PLAN_ONLY))
    return plan(desired(wanted), observed(), (offer(),), OPERATOR)


@pytest.mark.parametrize("decide", [fencing, backing_off, unfit, missing, to_be_approved])
def test_a_command_that_a_message_names_can_be_typed(decide: Callable[[], Plan]) -> None:
    (said,) = _COMMAND.findall(" ".join(wait.fix for wait in decide().waiting))
    program, option, namespace, *words = shlex.split(said)
    assert (program, option, namespace) == ("statefuldb", "-n", "shop")
    given = parsed(words)
    assert given["root" if words[:2] == ["volumes", "scan"] else "name"]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Session, "client", LedgerApi("shop"))
    for variable in (KUBECONFIG_VARIABLE, STATE_VARIABLE):
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ((), ()),
        (("--kubeconfig", "nowhere/my config"), ("--kubeconfig", "nowhere/my config")),
        (("--state-dir", "elsewhere"), ("--state-dir", "elsewhere")),
    ],
)
def test_a_hint_keeps_to_what_was_looked_at(options: tuple[str, ...], kept: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, [*options, "-n", "shop", "sql", "orders", "-e", "SELECT 1"], env={"COLUMNS": "200"})
    (said,) = re.findall(r"see `([^`]*)`", done.output)
    program, *words = shlex.split(said)
    assert Path(program).name == "statefuldb"
    assert words == [*kept, "-n", "shop", "explain", "orders"]
