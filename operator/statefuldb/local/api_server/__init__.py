"""An embedded Kubernetes API server: enough for kopf, the Python client and kubectl, unmodified.

`serving.server` puts sockets around a pure state machine, and `serving.persistence` a SQLite file under it. A request
comes in at `serving`, `service` carries it out, `storing` surrounds that with checks and consequences. Below lie
`changes` (patches and applies), `admission`, `rights`, `objects` and `schemas`; each imports only what is below it.

Codes, reasons and rules follow the answers recorded from a real kube-apiserver 1.36.
"""
