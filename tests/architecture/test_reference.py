"""docs/reference.md and the code name the same things."""

import re
from pathlib import Path

import pytest

from statefuldb.cli.exit_codes import ExitCode
from statefuldb.model import identity
from statefuldb.model.keeper import CERTIFICATE_FILE, ENVIRONMENT_VARIABLE
from statefuldb.planning.engines.mariadb import MariaDb

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / "docs" / "reference.md").read_text()
SOURCES = [p for folder in ("operator", "tests") for p in sorted((ROOT / folder).rglob("*.py"))]
CODE = "".join(path.read_text() for path in SOURCES if path.name != Path(__file__).name)


def section(title: str) -> str:
    return REFERENCE.partition(f"## {title}")[2].partition("\n## ")[0]


def first_cells(title: str) -> list[str]:
    """Return the names in the first column of a section's table."""
    rows = [line.split("|")[1] for line in section(title).splitlines() if line.startswith("| `")]
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row)]


@pytest.mark.parametrize("constant", [n for n in dir(identity) if n.startswith(("LABEL_", "ANNOTATION_", "FINALIZER"))])
def test_every_label_is_listed(constant: str) -> None:
    value = getattr(identity, constant)
    assert value == identity.LABEL_PREFIX or value in first_cells("Labels and annotations")


def test_every_listed_label_is_used() -> None:
    for name in first_cells("Labels and annotations"):
        bare = name.removeprefix(identity.LABEL_PREFIX)
        assert f'"{name}"' in CODE or f'LABEL_PREFIX + "{bare}"' in CODE, name


def test_every_variable_is_listed_and_used() -> None:
    used = set(re.findall(r"\bSTATEFULDB_[A-Z_]*[A-Z]\b", CODE))
    assert ENVIRONMENT_VARIABLE in used
    assert used == set(first_cells("Environment variables"))


def test_every_file_is_used() -> None:
    listed = first_cells("Files")
    assert CERTIFICATE_FILE in listed
    for name in listed:
        assert f'"{Path(name).name}"' in CODE, name


def test_objects_are_named_as_in_the_code() -> None:
    for name in (identity.FRAMEWORK_CONFIG_MAP, identity.OPERATOR_IDENTITY_SECRET, identity.OPERATOR_LEASE):
        assert f"`{name}`" in section("Objects")


def test_exit_codes_are_those_of_the_code() -> None:
    rows = re.findall(r"\| (\d+) \| `(\w+)` \|", section("Exit codes"))
    assert [(int(code), name) for code, name in rows] == [(code.value, code.name) for code in ExitCode]


@pytest.mark.parametrize("option", first_cells("Engine options that are not the user's (MariaDB)"))
def test_every_listed_option_is_refused(option: str) -> None:
    assert MariaDb().option_errors({option: "1"})


def test_no_other_option_is_refused() -> None:
    assert not MariaDb().option_errors({"max_connections": "200"})
