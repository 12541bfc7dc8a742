"""How to reach the API: from a kubeconfig, or from within a cluster; for the client and for kopf alike."""

import contextlib
import json
import os
from collections.abc import Callable
from http import HTTPStatus
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import kubernetes
import urllib3
from kubernetes.client.rest import should_bypass_proxies

from statefuldb.reconcile.ports import EffectFailed

# Where a pod finds its ServiceAccount: token, authority and namespace. The kubelet replaces them while the pod runs.
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
SERVICE_HOST_VARIABLE = "KUBERNETES_SERVICE_HOST"

# Reads are repeated, at growing intervals, while a server is overloaded or just begins. Writes never are: whether they
# may leave is asked before each of them (FencedClient), and the next pass sees what has become of one.
_PATIENCE = urllib3.Retry(
    total=3,
    connect=0,
    allowed_methods=("GET", "HEAD"),
    status_forcelist=(429, 500, 502, 503, 504),
    backoff_factor=0.2,
    raise_on_status=False,
    respect_retry_after_header=False,
)


class NoCluster(Exception):
    """No API server can be reached with the configuration at hand."""


class FencedClient(kubernetes.client.ApiClient):  # type: ignore[misc]
    """A client whose writes leave only while `may_write`. Others raise EffectFailed."""

    def __init__(self, configuration: Any, may_write: Callable[[], bool]) -> None:
        super().__init__(configuration)
        self._may_write = may_write

    def call_api(self, method: str, *arguments: Any, **more: Any) -> Any:
        """Make one request."""
        if method not in ("GET", "HEAD") and not self._may_write():
            raise EffectFailed(f"{method} not sent: another operator may lead now")
        return super().call_api(method, *arguments, **more)


def api_client(kubeconfig: Path | None, may_write: Callable[[], bool] | None = None) -> Any:
    """Return a client for a kubeconfig, or as the ServiceAccount of the pod that this process runs in.

    With `may_write` nothing is written while that says no. Raises NoCluster.
    """
    configuration = kubernetes.client.Configuration()
    configuration.retries = _PATIENCE
    try:
        if kubeconfig is not None:
            kubernetes.config.load_kube_config(config_file=str(kubeconfig), client_configuration=configuration)
        else:
            _use_account(configuration, SERVICE_ACCOUNT)
    except (kubernetes.config.ConfigException, OSError) as error:
        raise NoCluster(f"cannot use {kubeconfig or 'the in-cluster configuration'}: {error}") from error
    _go_around_proxies(configuration)
    if may_write is not None:
        return FencedClient(configuration, may_write)
    return kubernetes.client.ApiClient(configuration)


def _go_around_proxies(configuration: Any) -> None:
    """Have no proxy asked for what none can reach, or that the environment excepts, as kubectl does.

    The client takes the environment's proxy for this machine itself too; a kubeconfig that names one means it.
    """
    host = urlsplit(configuration.host).hostname or ""
    excepted = should_bypass_proxies(configuration.host, configuration.no_proxy or "")
    if excepted or (_is_this_machine(host) and configuration.proxy in getproxies().values()):
        configuration.proxy = None


def _is_this_machine(host: str) -> bool:
    """Say whether a host of a URL is this machine, by a name or an address that is the same on each."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _use_account(configuration: Any, account: Path) -> None:
    """Have a configuration speak as a pod's ServiceAccount, with the token as it is at each request.

    The authority needs no such care: it is read anew for each connection. Raises ConfigException, OSError.
    """
    token = account / "token"
    kubernetes.config.incluster_config.InClusterConfigLoader(
        token_filename=str(token), cert_filename=str(account / "ca.crt"), try_refresh_token=False
    ).load_and_set(configuration)

    def refresh(held: Any) -> None:
        # For an instant, while it is replaced, the file may be gone: the token of before is good for longer than that.
        with contextlib.suppress(OSError):
            held.api_key["BearerToken"] = f"Bearer {token.read_text().strip()}"

    configuration.refresh_api_key_hook = refresh


Answer = tuple[int, Any]
Exchange = Callable[[str, str, Any, str], Answer]


def client_over(exchange: Exchange) -> Any:
    """Return a client without a network: `exchange` takes method, path with query, body and content type.

    It returns status and body, which was never text and must not be changed, or raises OSError where nothing is
    answered.
    """
    return _Exchanging(exchange)


class _Exchanging(kubernetes.client.ApiClient):  # type: ignore[misc]
    """A client whose requests are calls."""

    HOST = "http://simulated"

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(kubernetes.client.Configuration(host=self.HOST))
        self._exchange = exchange

    def call_api(
        self, method: str, url: str, header_params: Any = None, body: Any = None, *_: Any, **__: Any
    ) -> "_Answered":
        """Exchange one request for its answer."""
        return _Answered(*self._exchange(method, url.removeprefix(self.HOST), body, header_params["Content-Type"]))

    def response_deserialize(self, response_data: "_Answered", response_types_map: Any = None) -> "_Answered":
        """Return an answer, whose `data` needs no reading. Raises ApiException where it is a refusal."""
        if response_data.status < HTTPStatus.BAD_REQUEST:
            return response_data
        said = json.dumps(response_data.data)
        raise kubernetes.client.exceptions.ApiException.from_response(http_resp=response_data, body=said, data=None)


class _Answered:
    """An answer as the client's HTTP layer gives it."""

    def __init__(self, status: int, body: Any) -> None:
        self.status = status
        self.reason = HTTPStatus(status).phrase
        self.headers: dict[str, str] = {}
        self.data = body

    def read(self) -> Any:
        """Return the body."""
        return self.data


def is_in_cluster() -> bool:
    """Say whether this process runs in a pod."""
    return SERVICE_HOST_VARIABLE in os.environ


def context_namespace(kubeconfig: Path | None) -> str:
    """Return the namespace of a kubeconfig's current context, or of this pod; empty where none can be read."""
    try:
        if kubeconfig is None:
            return (SERVICE_ACCOUNT / "namespace").read_text().strip()
        _, current = kubernetes.config.list_kube_config_contexts(config_file=str(kubeconfig))
    except (kubernetes.config.ConfigException, OSError):
        return ""
    return str(current.get("context", {}).get("namespace") or "")
