"""`-o table|wide|json|yaml`: one way to print what a command found. Nothing else goes to standard output with json."""

import json
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer
import yaml
from rich.table import Table
from rich.text import Text

from statefuldb.cli.console import WIDE, out


class Output(StrEnum):
    """The forms of output."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"

    @property
    def is_data(self) -> bool:
        """Whether it is for programs to read."""
        return self in (Output.JSON, Output.YAML)


OutputOption = Annotated[Output, typer.Option("--output", "-o", help="Form of the output.")]


def printed(found: Any, output: Output) -> bool:
    """Print `found` as JSON or YAML where that is asked for, and say whether it was."""
    if output is Output.JSON:
        typer.echo(json.dumps(found, indent=2))
    elif output is Output.YAML:
        typer.echo(_as_yaml(found))
    return output.is_data


def print_one(found: Any, output: Output) -> None:
    """Print one of many as a line of JSON or a document of YAML, where they come one after the other."""
    if output is Output.JSON:
        typer.echo(json.dumps(found))
    else:
        typer.echo(f"---\n{_as_yaml(found)}")


def _as_yaml(found: Any) -> str:
    """Return as YAML what JSON says: of what only is like a text or a mapping, as a name of a closed list, too."""
    return yaml.safe_dump(json.loads(json.dumps(found)), sort_keys=False).rstrip()


def show(found: Any, output: Output, table: Callable[[bool], Table | str]) -> None:
    """Print `found` in the form asked for. `table` is told whether all columns are wanted."""
    if not printed(found, output):
        print_table(table(output is Output.WIDE))


def table_of(columns: Sequence[str], rows: Sequence[Sequence[str | Text]], empty: str = "") -> Table | str:
    """Return a plain table, or the sentence `empty` where there is nothing to show. Cells are shown as they are."""
    if not rows:
        return empty
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    return table


def print_table(table: Table | str) -> None:
    """Print a table as wide as it is: names in it are there to be typed, so a narrow terminal must not shorten them."""
    out.print(table, width=WIDE)


def verdict(word: str, *, good: bool) -> Text:
    """Return a word, green or red on a terminal."""
    return Text(word, style="green" if good else "red")
