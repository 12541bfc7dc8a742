"""The operator's keys are its user's alone, whatever was in their place."""

import base64
import stat
from pathlib import Path
from typing import Any

import pytest

from statefuldb.adapters.kubernetes.connection import client_over
from statefuldb.adapters.kubernetes.webhook_certificate import WebhookCertificate
from statefuldb.adapters.private_file import write_private
from statefuldb.app import _identity_file


@pytest.mark.parametrize("left", ["nothing", "a file", "a link", "a draft"])
def test_a_key_is_readable_by_its_owner_alone_whatever_was_there(left: str, tmp_path: Path) -> None:
    """A state directory that was restored, or that others may write: the key took the mode that its file had."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("")
    state = tmp_path / "state"
    state.mkdir()
    match left:
        case "a file":
            (state / "identity.pem").write_text("older, and longer than what is written")
            (state / "identity.pem").chmod(0o644)
        case "a link":
            (state / "identity.pem").symlink_to(elsewhere)
        case "a draft":
            (state / ".identity.pem.new").symlink_to(elsewhere)
    path = _identity_file(state, "the key")
    assert path.read_text() == "the key"
    assert stat.S_IMODE(path.lstat().st_mode) == 0o600
    assert stat.S_ISREG(path.lstat().st_mode)
    assert elsewhere.read_text() == ""
    assert [each.name for each in state.iterdir()] == ["identity.pem"]


def test_so_is_that_of_the_webhook_which_follows_its_secret(tmp_path: Path) -> None:
    data = {"ca.crt": "authority", "tls.crt": "certificate", "tls.key": "the key"}

    def exchange(method: str, path: str, body: Any, content_type: str) -> tuple[int, Any]:
        if "/secrets/" in path:
            return 200, {"data": {name: base64.b64encode(text.encode()).decode() for name, text in data.items()}}
        return 200, {"webhooks": []}

    (tmp_path / "webhook.key").write_text("")
    (tmp_path / "webhook.key").chmod(0o644)
    names = {"namespace": "n", "secret": "s", "configuration": "c", "name": "webhook.n.svc"}
    held = WebhookCertificate(
        client_over(exchange), **names, folder=tmp_path, make=lambda _: ("", "", ""), write=write_private
    )
    for renewed in ("the key", "another"):
        data["tls.key"] = renewed
        held.refresh()
        assert held.key.read_text() == renewed
        assert stat.S_IMODE(held.key.stat().st_mode) == 0o600
    assert held.certificate.read_text() == "certificate"
