"""A state directory on a full disk: what is only noted there is done without, what is needed is named."""

import errno
import json
import os
import threading
from pathlib import Path

import pytest

from statefuldb.adapters.kubernetes import webhook
from statefuldb.adapters.kubernetes.webhook import Webhook
from statefuldb.adapters.metrics import Metrics
from statefuldb.app import CannotBegin, _identity_file, _work
from statefuldb.settings import OperatorSettings

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def away(folder: Path) -> Path:
    """Return a kubeconfig of an API server that does not answer."""
    path = folder / "kubeconfig"
    context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
    cluster = {"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}
    user = {"name": "u", "user": {}}
    held = {"current-context": "c", "contexts": [context], "clusters": [cluster], "users": [user]}
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **held}))
    return path


def test_an_operator_that_cannot_note_what_it_waits_for_waits_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = OperatorSettings(
        kubeconfig=away(tmp_path),
        mesos=("127.0.0.1:1",),
        namespace="n",
        principal="p",
        secret_file=None,
        mesos_role="r",
        framework_user="u",
        keeper_command=(),
        state_dir=tmp_path,
    )
    stopping = threading.Event()

    def full(*_: object) -> int:
        stopping.set()
        raise FULL

    monkeypatch.setattr(Path, "write_text", full)
    _work(settings, Metrics(), stopping, (1024, 1024))
    assert stopping.is_set()


def test_an_operator_that_cannot_write_its_identity_names_the_directory(tmp_path: Path) -> None:
    with pytest.raises(CannotBegin, match=f"--state {tmp_path / 'gone'} cannot be had: No such file"):
        _identity_file(tmp_path / "gone", "the key")


def test_the_webhook_is_served_once_its_certificate_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Certificate:
        certificate = key = tmp_path / "none"
        times = 0

        def refresh(self) -> None:
            self.times += 1
            if self.times < 3:
                raise FULL

    monkeypatch.setattr(webhook, "BEGIN_AGAIN_SECONDS", 0.01)
    served = Webhook(None, lambda *_: [], Certificate(), host="", port=0)  # type: ignore[arg-type]
    threading.Thread(target=served._keep_certificate, daemon=True).start()
    assert served._served.wait(10.0)
