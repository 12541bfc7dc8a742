"""The options that the installed server has are all somebody's; and no account puts rows beside the data directory."""

import re
import subprocess
from pathlib import Path

import pytest

from integration.keeper.member import Member, set_account
from statefuldb.planning.engines.mariadb_names import OWNED, OWNED_BEGINNING, USERS


def test_whose_each_option_is_has_been_decided() -> None:
    listed = subprocess.run(["mariadbd", "--no-defaults", "--verbose", "--help"], capture_output=True, text=True).stdout
    names = {name.lower().replace("-", "_") for name in re.findall(r"^ +(?:-\S, )?--([A-Za-z0-9-]+)", listed, re.M)}
    assert len(names) > 500
    assert {name for name in names - USERS - OWNED.keys() if not name.startswith(OWNED_BEGINNING)} == set()


@pytest.mark.parametrize("engine", ["InnoDB", "Aria"])
def test_a_table_lies_in_the_data_directory_whatever_is_asked(member: Member, tmp_path: Path, engine: str) -> None:
    """With DATA DIRECTORY its rows lay outside of the volume, or in another member's directory."""
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o777)
    outside.chmod(0o777)
    member.start(member.config)
    client, _ = member.serving(member.config)
    set_account(client)
    member.sql(member.config, f"CREATE TABLE t (a INT) ENGINE={engine} DATA DIRECTORY='{outside}'")
    assert list(outside.rglob("*")) == []
