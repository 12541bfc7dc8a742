"""Where the command line writes: colours and live views on a terminal only; errors on standard error."""

from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from statefuldb.cli.exit_codes import ExitCode

WIDE = 1000

# Whatever is said holds paths, resources and words of others: brackets and colons in it are no markup and no emoji.
_AS_IT_IS: dict[str, Any] = {"soft_wrap": True, "highlight": False, "markup": False, "emoji": False}
out = Console(**_AS_IT_IS)
if not out.is_terminal:
    # Nothing is shortened for a pipe: scripts read what comes out of it.
    out = Console(**_AS_IT_IS, width=WIDE)
errors = Console(stderr=True, **_AS_IT_IS)


def fail(message: str, code: ExitCode = ExitCode.FAILED, fix: str = "") -> NoReturn:
    """Say what went wrong and what to do, and end."""
    errors.print(Text("error:", style="red"), message)
    if fix:
        errors.print(f"  {fix}")
    raise typer.Exit(code)
