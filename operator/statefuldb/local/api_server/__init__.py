"""An embedded Kubernetes API server: enough for kopf, the Python client and kubectl, unmodified.

`store` is a pure state machine; `server` puts sockets around it and `persistence` a SQLite file under it. Codes,
reasons and rules follow the answers recorded from a real kube-apiserver 1.36.
"""
