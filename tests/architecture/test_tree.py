"""Rules about the repository itself."""

import ast
import importlib.util
import operator
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "operator").rglob("*.py"))
LINES_LIMIT = 400
BANNED = re.compile(r"manager|helper|util|common|misc", re.IGNORECASE)


def test_operator_is_a_source_root_and_never_a_package() -> None:
    assert not (ROOT / "operator" / "__init__.py").exists()
    assert operator.__file__ is not None
    assert not operator.__file__.startswith(str(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_are_short_and_well_named(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LINES_LIMIT
    assert not BANNED.search(path.stem)
    assert not re.search(r"class \w*(Manager|Helper|Util|Impl)\b", path.read_text())


def test_the_three_central_files_are_short_together() -> None:
    package = ROOT / "operator" / "statefuldb"
    central = ("model/actions.py", "planning/planner.py", "reconcile/loop.py")
    assert sum(len((package / name).read_text().splitlines()) for name in central) < 300


@pytest.mark.skipif(shutil.which("git") is None or not (ROOT / ".git").exists(), reason="needs git and a clone")
def test_nothing_names_a_machine() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    suspicious = re.compile(r"/work/|/root/|https?://[\w.-]*(pypi|debian|npmjs)\.")
    found = [
        name
        for name in tracked
        if (ROOT / name).is_file()
        and Path(name) != Path("tests/architecture/test_tree.py")
        and suspicious.search((ROOT / name).read_text(errors="replace"))
    ]
    assert not found


def test_crds_are_in_step_with_the_model() -> None:
    spec = importlib.util.spec_from_file_location("generate_crds", ROOT / "tools" / "generate_crds.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    for name, content in tool.rendered().items():
        assert (ROOT / "crds" / name).read_text() == content


@pytest.mark.parametrize(
    "path", sorted((ROOT / "tests/conformance").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT))
)
def test_conformance_tests_know_a_server_by_its_wire_protocol_only(path: Path) -> None:
    tree = ast.parse(path.read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not {name for name in imported if name.split(".")[0] in ("statefuldb", "e2e", "integration", "unit")}
