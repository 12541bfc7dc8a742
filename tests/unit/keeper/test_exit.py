"""What a keeper ends with that nobody could ask."""

import socket
import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from statefuldb.keeper import __main__, serve
from statefuldb.model.keeper import ENVIRONMENT_VARIABLE, EXIT_CANNOT_LISTEN
from unit.keeper.test_erase import orders


def test_a_keeper_whose_port_is_taken_ends_with_a_status_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(serve, "server_context", lambda *_: (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ""))
    monkeypatch.setattr(serve, "on_end", lambda _: None)
    monkeypatch.setattr(serve, "become_subreaper", lambda: None)
    monkeypatch.setenv("MESOS_SANDBOX", str(tmp_path))
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        for mode in ("Serve", "Erase"):
            told = replace(orders(tmp_path), mode=mode, listen_address="127.0.0.1", keeper_port=port)
            monkeypatch.setenv(ENVIRONMENT_VARIABLE, told.to_json())
            assert __main__.main() == EXIT_CANNOT_LISTEN
            assert f"cannot listen on 127.0.0.1:{port}" in capsys.readouterr().err
