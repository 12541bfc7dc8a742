"""`python -m statefuldb.local.api_server`: the embedded API server as a daemon."""

import argparse
import asyncio
import base64
import os
import secrets
import signal
import ssl
import sys
from pathlib import Path

import yaml
from aiohttp import web

from statefuldb.local.api_server.serving.garbage_collection import spare_what_stays
from statefuldb.local.api_server.serving.server import ApiServer
from statefuldb.local.api_server.serving.tls import ensure_certificate


def main() -> int:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="statefuldb.local.api_server")
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--audit-log-path", type=Path)
    arguments = parser.parse_args()
    os.umask(0o077)
    arguments.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    asyncio.run(_serve(arguments.state_dir, arguments.host, arguments.port, arguments.audit_log_path))
    return 0


async def _serve(state_dir: Path, host: str, port: int, audit_log: Path | None) -> None:
    certificate, key = ensure_certificate(state_dir, host)
    token_file = state_dir / "admin-token"
    if not token_file.exists():
        token_file.write_text(secrets.token_urlsafe(32))
    token = token_file.read_text()
    _write_kubeconfig(state_dir / "kubeconfig", certificate, f"https://{host}:{port}", token)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = ApiServer(state_dir, token, audit_log)
    spare_what_stays(asyncio.get_running_loop().call_later)
    runner = web.AppRunner(server.application(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, host, port, ssl_context=context, reuse_address=True).start()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    await runner.cleanup()
    server.close()


def _write_kubeconfig(path: Path, certificate: Path, url: str, token: str) -> None:
    authority = base64.b64encode(certificate.read_bytes()).decode()
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "statefuldb",
        "clusters": [{"name": "statefuldb", "cluster": {"server": url, "certificate-authority-data": authority}}],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [
            {"name": "statefuldb", "context": {"cluster": "statefuldb", "user": "admin", "namespace": "default"}}
        ],
    }
    path.write_text(yaml.safe_dump(config))


if __name__ == "__main__":
    sys.exit(main())
