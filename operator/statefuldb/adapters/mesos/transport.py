"""How masters and agents are reached: plain or TLS, IPv4 or IPv6, with Basic credentials or without."""

import http.client
import ssl
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from statefuldb.adapters.mesos.credentials import Credentials, authorization
from statefuldb.reconcile.ports import EffectFailed

DEFAULT_PORT = 5050


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """PEM files. Without `authority` the machine's own authorities are trusted; host names are always checked."""

    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Return what a client's sockets are wrapped with. Raises EffectFailed, naming the file."""
        authority = str(self.authority) if self.authority is not None else None
        try:
            context = ssl.create_default_context(cafile=authority)
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key)
        except OSError as error:  # ssl.SSLError is one too
            named = ", ".join(str(f) for f in (self.authority, self.certificate, self.key) if f is not None)
            raise EffectFailed(f"TLS to Mesos cannot be used ({named}): {error}; give readable PEM files") from error
        return context


def direct_opener(context: ssl.SSLContext | None) -> urllib.request.OpenerDirector:
    """Return what opens URLs without the environment's proxies; TLS by `context`, or by the machine's own rules."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))


class Transport:
    """Makes connections. `tls` None means plain HTTP."""

    def __init__(self, *, credentials: Credentials | None = None, tls: TlsFiles | None = None) -> None:
        self.context = tls.context() if tls is not None else None
        self._headers = authorization(credentials)
        self.opener = direct_opener(self.context)

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers that carry the credentials; none without credentials."""
        return dict(self._headers)

    def url(self, address: str, path: str) -> str:
        """Return the URL of `path` (with its slash) at `host:port`."""
        return f"{'http' if self.context is None else 'https'}://{address}{path}"

    def connection(self, address: str, timeout_seconds: float) -> http.client.HTTPConnection:
        """Return a connection, not yet open, to `host:port`; an IPv6 address stands in brackets. Raises ValueError."""
        parts = urlsplit(f"//{address}")
        host, port = parts.hostname, parts.port or DEFAULT_PORT
        if not host:
            raise ValueError(f"{address!r} is not host:port")
        if self.context is None:
            return http.client.HTTPConnection(host, port, timeout=timeout_seconds)
        return http.client.HTTPSConnection(host, port, timeout=timeout_seconds, context=self.context)
