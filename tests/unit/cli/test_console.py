"""What commands print is printed as it is: it holds paths, resources and words of others."""

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from statefuldb.cli import console, doctor
from statefuldb.cli.root import app
from statefuldb.planning.checkup.findings import Finding, judged

SAID = "the keeper refused: [/srv/[data]]: cpus(reservations: [(DYNAMIC,svc)]):4, host:key:port [red]"


@pytest.mark.parametrize("printed_to", [console.out, console.errors])
def test_no_brackets_and_no_colons_are_taken_for_more_than_they_are(printed_to: Console) -> None:
    with printed_to.capture() as held:
        printed_to.print(SAID)
    assert held.get() == f"{SAID}\n"


def test_an_error_is_told_as_it_is() -> None:
    with console.errors.capture() as held, pytest.raises(typer.Exit):
        console.fail(SAID)
    assert held.get() == f"error: {SAID}\n"


def test_doctor_does_not_break_down_on_what_it_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[Finding] = [judged("the ledger", SAID, False, SAID)]
    monkeypatch.setattr(doctor, "_look", lambda *_: iter(found))
    shown = CliRunner().invoke(app, ["doctor"], env={"COLUMNS": "200"})
    assert shown.exit_code == 1
    assert shown.output.count(SAID) == 2
