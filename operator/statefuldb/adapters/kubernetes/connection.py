"""How to reach the API: from a kubeconfig, or from within a cluster; for the client and for kopf alike."""

import base64
from pathlib import Path
from typing import Any

import kopf
import kubernetes


class NoCluster(Exception):
    """No API server can be reached with the configuration at hand."""


def api_client(kubeconfig: Path | None) -> Any:
    """Return a client for a kubeconfig, or for the cluster this process runs in. Raises NoCluster."""
    configuration = kubernetes.client.Configuration()
    try:
        if kubeconfig is not None:
            kubernetes.config.load_kube_config(config_file=str(kubeconfig), client_configuration=configuration)
        else:
            kubernetes.config.load_incluster_config(client_configuration=configuration)
    except (kubernetes.config.ConfigException, OSError) as error:
        raise NoCluster(f"cannot use {kubeconfig or 'the in-cluster configuration'}: {error}") from error
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
