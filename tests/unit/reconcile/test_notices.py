"""Who looks where something is noticed that is not about one database."""

from types import SimpleNamespace

import pytest

from statefuldb.model.identity import DatabaseKey
from statefuldb.reconcile.notices import Notices

SHOP, BLOG = (DatabaseKey(namespace=namespace, name="orders") for namespace in ("shop", "blog"))


class Known:
    """What is there of databases, of which each question is noted."""

    def __init__(self, *keys: DatabaseKey) -> None:
        self._keys = keys
        self.asked: list[str | None] = []

    def keys(self, namespace: str | None = None) -> tuple[DatabaseKey, ...]:
        self.asked.append(namespace)
        return tuple(key for key in self._keys if namespace in (None, key.namespace))

    found_keys = keys


@pytest.mark.parametrize(
    ("namespace", "looking"), [("shop", [SHOP]), ("blog", [BLOG]), ("else", []), (None, [BLOG, SHOP])]
)
def test_of_a_namespace_only_those_look_that_are_in_it_and_no_others_are_asked_for(
    namespace: str | None, looking: list[DatabaseKey]
) -> None:
    kubernetes, mesos, queued = Known(SHOP), Known(BLOG, SHOP), list[DatabaseKey]()
    notices = Notices(
        queue=SimpleNamespace(put=queued.append),  # type: ignore[arg-type]
        kubernetes=kubernetes,  # type: ignore[arg-type]
        mesos=mesos,  # type: ignore[arg-type]
        demand=SimpleNamespace(),  # type: ignore[arg-type]
    )
    notices.look_at_all(namespace)
    assert queued == looking
    assert kubernetes.asked == mesos.asked == [namespace]
