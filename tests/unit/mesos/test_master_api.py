"""What the operator API is asked for."""

import json
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from serving import serving
from statefuldb.adapters.mesos import master_api
from statefuldb.adapters.mesos.master_api import MasterApi
from statefuldb.adapters.mesos.masters import MasterList
from statefuldb.adapters.mesos.transport import Transport
from statefuldb.cli.cluster import _answers
from statefuldb.reconcile.ports import EffectFailed


def task(name: str) -> dict[str, Any]:
    known = {"task_id": {"value": name}, "agent_id": {"value": "agent-1"}}
    return {**known, "name": name, "framework_id": {"value": "ours"}, "statuses": [{**known, "state": "TASK_RUNNING"}]}


def test_a_task_on_an_agent_out_of_reach_is_among_those_that_may_run(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = {"tasks": [task("runs")], "unreachable_tasks": [task("may run")], "completed_tasks": [task("over")]}

    def send(request: urllib.request.Request, transport: Transport) -> bytes:
        assert isinstance(request.data, bytes)
        assert json.loads(request.data) == {"type": "GET_TASKS"}
        return json.dumps({"type": "GET_TASKS", "get_tasks": listed}).encode()

    monkeypatch.setattr(master_api, "send", send)
    master = MasterApi(masters=MasterList(("nowhere:5050",)), transport=Transport())
    assert master.each_task(lambda found: found) == [task("runs"), task("may run")]
    assert master.each_task(lambda found: found["name"]) == ["runs", "may run"]


def test_no_proxy_is_told_the_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stream of events asks none; the operator API was asked for through that of the environment."""
    heard: list[str] = []

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None: ...

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Answering)) as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.server_port}")
        monkeypatch.delenv("no_proxy", raising=False)
        transport = Transport(credentials=("operator", "its secret"))
        with pytest.raises(EffectFailed):
            master_api.send(urllib.request.Request("http://127.0.0.1:9/api/v1"), transport)
        assert not heard
        assert _answers(f"http://127.0.0.1:{proxy.server_port}/health")
        assert heard == ["/health"], "nor is a proxy asked whether a daemon of this machine is ready"
