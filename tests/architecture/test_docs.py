"""What is documented and what is there are kept in step."""

import re
from pathlib import Path
from textwrap import indent

import pytest
import typer

from statefuldb.cli.root import app
from statefuldb.model.conditions import EventReason, Reason
from statefuldb.model.permissions import PERMISSIONS
from statefuldb.planning.checkup.agents import agent_findings
from statefuldb.planning.checkup.master import master_findings
from statefuldb.planning.status.health import NEEDS_A_PERSON
from unit.planning.checkup.test_checkup import ASKED, GOOD_AGENTS, MASTER, MOUNT

ROOT = Path(__file__).parents[2]
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")))
OF_THEIR_TIME = ("CHANGELOG.md", "docs/history.md")  # an entry names files as they were called when it was written


@pytest.mark.parametrize("reason", [*Reason, *EventReason])
def test_every_reason_is_explained(reason: str) -> None:
    assert f"**{reason}**" in (ROOT / "docs" / "troubleshooting.md").read_text()


def test_what_a_person_has_to_act_on_is_told_apart() -> None:
    page = (ROOT / "docs" / "troubleshooting.md").read_text()
    section = page.partition("## A person has to act")[2].partition("\n## ")[0]
    assert set(re.findall(r"^- \*\*(\w+)\*\*", section, re.MULTILINE)) == {str(reason) for reason in NEEDS_A_PERSON}


def test_the_administrators_page_and_the_doctor_know_the_same_settings() -> None:
    page = (ROOT / "docs" / "mesos.md").read_text()
    tables = page.partition("## On the masters")[2].partition("## Credentials and addresses")[0]
    first_cells = [line.split("|")[1].partition("(")[0] for line in tables.splitlines() if line.startswith("|")]
    named = {name for cell in first_cells for name in re.findall(r"`(--\w+|[A-Z_]{8,}|[a-z]+_[a-z_]+)", cell)}
    named |= {cell.strip() for cell in first_cells if cell.strip() in ("role", "principal", "quota", "checkpoint")}
    named |= {cell.strip() for cell in first_cells if cell.strip() == "fail-over time-out"}
    found = [*master_findings(MASTER, ASKED), *agent_findings(GOOD_AGENTS, [MOUNT])]
    assert {finding.setting for finding in found if finding.setting} == named


def test_every_right_of_the_operator_is_listed() -> None:
    section = (ROOT / "docs" / "operations.md").read_text().partition("## Rights")[2].partition("\n## ")[0]
    rows = [tuple(cell.strip(" `") for cell in row.split("|")[1:4]) for row in section.splitlines() if "| `" in row]
    assert rows == [(str(p), ", ".join(p.verbs), str(p.scope)) for p in PERMISSIONS]


def test_every_command_is_in_the_readme_and_has_an_example() -> None:
    readme = (ROOT / "README.md").read_text()
    group = typer.main.get_command(app)
    commands = getattr(group, "commands", {})
    assert len(commands) > 15
    for name, command in commands.items():
        assert f"`{name}`" in readme, name
        if not hasattr(command, "commands"):
            assert "Example:" in (command.help or ""), name


def test_the_readme_shows_the_quickstart_as_it_is() -> None:
    manifest = (ROOT / "manifests" / "quickstart.yaml").read_text()
    assert indent(manifest, "    ") in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("page", [page for page in PAGES if page not in OF_THEIR_TIME])
def test_every_file_that_a_document_names_is_there(page: str) -> None:
    named = set(re.findall(r"`((?:[\w-]+/)*[\w-]+\.(?:py|md))`", (ROOT / page).read_text()))
    parts = ("operator", "tests", "docs", "benchmarks")
    there = [path.as_posix() for part in parts for path in (ROOT / part).rglob("*.*")] + [f"/{name}" for name in PAGES]
    assert [name for name in sorted(named) if not any(path.endswith(f"/{name}") for path in there)] == []


def test_every_document_is_in_the_readme() -> None:
    section = (ROOT / "README.md").read_text().partition("## Documents")[2]
    pages = {path.name for path in (ROOT / "docs").iterdir()}
    assert len(pages) > 10
    assert sorted(name for name in pages if f"docs/{name}" not in section) == []


def test_every_thread_of_the_operator_is_listed() -> None:
    section = (ROOT / "docs" / "architecture.md").read_text().partition("## Threads")[2].partition("\n## ")[0]
    package = ROOT / "operator" / "statefuldb"
    sources = [package / "operator.py", *sorted((package / "adapters").rglob("*.py"))]
    started = r"(?:Thread\(|\.lane\(|ThreadPoolExecutor\(|in \(\(\"lease\").*"
    lines = [line for path in sources for line in re.findall(started, path.read_text())]
    named = {name for line in lines for name in re.findall(r"\"([a-z-]+)(?:\{\w+\})?\"", line)}
    assert {"kopf", "mesos-events", "lease-guard", "certificates"} <= named
    assert [name for name in sorted(named) if f"`{name}" not in section] == []
