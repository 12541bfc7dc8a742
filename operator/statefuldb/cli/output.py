"""`-o table|wide|json|yaml`: one way to print what a command found."""

import json
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer
import yaml
from rich.markup import escape
from rich.table import Table

from statefuldb.cli.console import out


class Output(StrEnum):
    """The forms of output."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"


OutputOption = Annotated[Output, typer.Option("--output", "-o", help="Form of the output.")]


def printed(found: Any, output: Output) -> bool:
    """Print `found` as JSON or YAML where that is asked for, and say whether it was."""
    if output is Output.JSON:
        typer.echo(json.dumps(found, indent=2))
    elif output is Output.YAML:
        typer.echo(yaml.safe_dump(found, sort_keys=False).rstrip())
    else:
        return False
    return True


def show(found: Any, output: Output, table: Callable[[bool], Table | str]) -> None:
    """Print `found` in the form asked for. `table` is told whether all columns are wanted."""
    if not printed(found, output):
        out.print(table(output is Output.WIDE), markup=False)


def table_of(columns: Sequence[str], rows: Sequence[Sequence[str]], empty: str) -> Table | str:
    """Return a plain table, or the sentence `empty` where there is nothing to show."""
    if not rows:
        return empty
    table = Table(*columns, box=None)
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    return table
