"""The operator killed with -9 between every two calls to the embedded master.

The table of what was cut, and what it came to, is printed at the end of the run.
"""

from collections.abc import Callable, Iterator

import pytest

from e2e.conftest import Cluster
from e2e.cutting import CASES, Case, Rig, has_one_end_state


@pytest.fixture(scope="module")
def rig(cluster: Cluster) -> Iterator[Rig]:
    one = Rig(cluster)
    yield one
    one.close()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_there_is_one_end_state(rig: Rig, case: Case, record_property: Callable[[str, object], None]) -> None:
    has_one_end_state(rig, case, record_property, "embedded")
