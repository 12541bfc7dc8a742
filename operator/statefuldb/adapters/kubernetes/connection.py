"""How to reach the API: from a kubeconfig, or from within a cluster; for the client and for kopf alike."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kopf
import kubernetes

from statefuldb.reconcile.ports import EffectFailed


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
    """Return a client for a kubeconfig, or for the cluster this process runs in. Raises NoCluster.

    With `may_write` nothing is written while that says no.
    """
    configuration = kubernetes.client.Configuration()
    try:
        if kubeconfig is not None:
            kubernetes.config.load_kube_config(config_file=str(kubeconfig), client_configuration=configuration)
        else:
            kubernetes.config.load_incluster_config(client_configuration=configuration)
    except (kubernetes.config.ConfigException, OSError) as error:
        raise NoCluster(f"cannot use {kubeconfig or 'the in-cluster configuration'}: {error}") from error
    if may_write is not None:
        return FencedClient(configuration, may_write)
    return kubernetes.client.ApiClient(configuration)


def kopf_connection(client: Any) -> kopf.ConnectionInfo:
    """Return the same connection for kopf."""
    configuration = client.configuration
    header = configuration.get_api_key_with_prefix("BearerToken") or ""
    authority = Path(configuration.ssl_ca_cert).read_bytes() if configuration.ssl_ca_cert else None
    return kopf.ConnectionInfo(
        server=configuration.host,
        ca_data=base64.b64encode(authority).decode() if authority else None,
        insecure=not configuration.verify_ssl,
        token=header.removeprefix("Bearer ") or None,
        certificate_path=configuration.cert_file,
        private_key_path=configuration.key_file,
    )
