"""Where the command line writes: colours and live views on a terminal only; errors on standard error."""

from typing import NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from statefuldb.cli.exit_codes import ExitCode

WIDE = 1000

out = Console(soft_wrap=True, highlight=False)
if not out.is_terminal:
    # Nothing is shortened for a pipe: scripts read what comes out of it.
    out = Console(soft_wrap=True, highlight=False, width=WIDE)
errors = Console(stderr=True, soft_wrap=True, highlight=False)


def fail(message: str, code: ExitCode = ExitCode.FAILED, fix: str = "") -> NoReturn:
    """Say what went wrong and what to do, and end."""
    errors.print(f"[red]error:[/red] {escape(message)}")
    if fix:
        errors.print(f"  {fix}", markup=False)
    raise typer.Exit(code)
