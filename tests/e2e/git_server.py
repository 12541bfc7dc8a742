"""A git server over https that wants a login: git's own http-backend behind a certificate of its own."""

import base64
import os
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from serving import serving
from statefuldb.local.api_server.serving.tls import ensure_certificate

USER, PASSWORD = "reader", "s3cret-of-git"


class GitServer(ThreadingHTTPServer):
    """Serves the bare repositories of a folder to who knows the password; counts who did not."""

    daemon_threads = True

    def __init__(self, folder: Path, password: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder, self.password, self.refused = folder, password, 0
        own = folder / "git-server"
        own.mkdir(exist_ok=True)
        self.authority, key = ensure_certificate(own, "127.0.0.1")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.authority, key)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.server_port}"

    def write_login(self, folder: Path, password: str) -> Path:
        """Write the files of a Secret by which git logs in."""
        folder.mkdir(exist_ok=True)
        files = {"username": USER, "password": password, "ca.crt": self.authority.read_text()}
        for name, content in files.items():
            (folder / name).write_text(content)
        return folder


class _Handler(BaseHTTPRequestHandler):
    server: GitServer

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, *_: object) -> None: ...

    def _serve(self, body: bytes) -> None:
        login = base64.b64encode(f"{USER}:{self.server.password}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {login}":
            self.server.refused += 1
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        done = subprocess.run(
            ["git", "http-backend"],
            input=body,
            capture_output=True,
            timeout=60,
            env={
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(self.server.folder),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "REMOTE_USER": USER,
            },
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines() if ": " in line)
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def git_server(folder: Path, password: str = PASSWORD) -> Iterator[GitServer]:
    """Yield a server of the repositories below a folder."""
    with serving(GitServer(folder, password)) as server:
        yield server
