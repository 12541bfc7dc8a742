"""What is documented and what is there are kept in step."""

from pathlib import Path

import pytest
import typer

from statefuldb.cli.root import app
from statefuldb.model.conditions import EventReason, Reason

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("reason", [*Reason, *EventReason])
def test_every_reason_is_explained(reason: str) -> None:
    assert f"**{reason}**" in (ROOT / "docs" / "troubleshooting.md").read_text()


def test_every_command_is_in_the_readme_and_has_an_example() -> None:
    readme = (ROOT / "README.md").read_text()
    group = typer.main.get_command(app)
    commands = getattr(group, "commands", {})
    assert len(commands) > 15
    for name, command in commands.items():
        assert f"`{name}`" in readme, name
        if not hasattr(command, "commands"):
            assert "Example:" in (command.help or ""), name
