"""The keeper: main process of every member's task, and the only one that opens its data directory (docs/keeper.md).

It knows no Mesos and no Kubernetes. It checks the mount and the identity marker, takes the exclusive claim, starts the
database server, and answers the operator.
"""
