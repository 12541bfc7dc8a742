"""Whether the API server answers is found out when somebody asks, and not more often than every few seconds."""

from typing import Any

from statefuldb.adapters.kubernetes.connection import client_over
from statefuldb.adapters.kubernetes.objects import DATABASES, Objects
from statefuldb.adapters.kubernetes.reach import PERIOD_SECONDS, Reach
from unit.mesos.test_task_book import Clock


def test_a_server_that_vanishes_and_comes_back_is_noticed() -> None:
    asked: list[str] = []
    answers = [True]

    def exchange(method: str, path: str, body: Any, content_type: str) -> tuple[int, Any]:
        asked.append(f"{method} {path}")
        if not answers[0]:
            raise ConnectionRefusedError(111, "Connection refused")
        return 200, {"metadata": {"resourceVersion": "1"}, "items": []}

    clock = Clock()
    reach = Reach(Objects(client_over(exchange), DATABASES, ("shop",)).peek, clock)
    assert reach.lost() == ""
    answers[0] = False
    assert reach.lost() == "", "it was asked a moment ago"
    assert asked == [f"GET /apis/statefuldb.dev/v1alpha1/namespaces/shop/{DATABASES}?limit=1"]
    clock.seconds += PERIOD_SECONDS
    assert "the API server does not answer: Connection refused" in reach.lost()
    answers[0] = True
    clock.seconds -= 3_600
    assert reach.lost() == "", "a clock that was set back is not waited for"
    assert len(asked) == 3
