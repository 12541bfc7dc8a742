"""Kubernetes: kopf notices, the official client writes, a cache answers."""
