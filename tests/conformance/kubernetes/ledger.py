"""Entries of the ledger as they are stored, and edits of them, good and bad."""

from typing import Any

Json = dict[str, Any]
# Merge patches of the spec that any API server must refuse, each with what it says of it.
REFUSED: tuple[tuple[Json, str], ...] = (
    ({"identity": {"uid": "another"}}, "spec.identity.uid never changes: it is whose data this is"),
    ({"identity": {"ordinal": 1}}, "spec.identity.ordinal never changes"),
    ({"identity": {"ordinal": 65536}}, "less than or equal to 65535"),
    ({"identity": {"cluster": None}}, "spec.identity.cluster: Required value"),
    ({"strategy": "HostPath"}, 'Invalid value: "HostPath": spec.strategy never changes: it is where the data lies'),
    ({"incarnation": 0}, "Invalid value: 0: spec.incarnation never falls"),
    ({"incarnation": None}, "spec.incarnation: Required value"),
    ({"initialised": False}, "spec.initialised stays true: there is data"),
    ({"initialised": None}, "spec.initialised: Required value"),
    ({"directory": "/mnt/other"}, "spec.directory never changes once there is data"),
    ({"directory": None}, "spec.directory never changes once there is data"),
    ({"root": "/"}, "spec.root never changes once there is data"),
    ({"persistenceId": "sdb.other"}, "spec.persistenceId never changes once there is data"),
    ({"launch": {"port": None}}, "spec.launch.port: Required value"),
    ({"launch": "none"}, "spec.launch in body must be of type object"),
    ({"ending": {"state": 3}}, "spec.ending.state in body must be of type string"),
    ({"disk": {"type": "Tape"}}, 'Unsupported value: "Tape"'),
    ({"growth": {"attempts": "two"}}, "spec.growth.attempts in body must be of type integer"),
    ({"dfs": {"mountPoint": None}}, "spec.dfs.mountPoint: Required value"),
    ({"engine": {"type": "Oracle"}}, 'Unsupported value: "Oracle"'),
    ({"phase": "Broken"}, 'Unsupported value: "Broken"'),
)
# What members go through, what people may do, and what a newer operator writes.
TAKEN: tuple[Json, ...] = (
    {"database": {"name": "invoices", "uid": "another"}, "intent": "Retain"},
    {"incarnation": 2, "token": 0, "sizeBytes": 1, "phase": "Retained"},
    {"fencing": {"incarnation": 2, "by": "ada"}, "launch": None, "ending": None, "growth": None},
    {"newerField": {"of": "a newer operator"}, "launch": {"newerField": True}},
)


def entry(name: str, strategy: str) -> Json:
    """Return a `DatabaseVolume` of data that lies on DFS or in a PersistentVolume."""
    dfs = {"type": "GlusterFS", "mountPoint": "/mnt/shared", "subPath": "databases"}
    root = "/mnt/shared/databases"
    places: dict[str, Json] = {
        "DFS": {"dfs": dfs, "root": root, "directory": f"{root}/shop/orders/0"},
        "PersistentVolume": {"persistenceId": "sdb.cluster.uid.0.1", "disk": {"type": "Path", "root": "/data/0"}},
    }
    agent = {"id": "agent-1-S0", "hostname": "agent-1", "address": "127.0.0.1"}
    launch = {"incarnation": 1, "agent": agent, "template": "0123", "cpusMilli": 500, "memoryBytes": 2**29}
    return {
        "apiVersion": "statefuldb.dev/v1alpha1",
        "kind": "DatabaseVolume",
        "metadata": {"name": name, "labels": {"statefuldb.dev/database": "orders"}},
        "spec": {
            "database": {"name": "orders", "uid": "uid"},
            "identity": {"cluster": "cluster", "uid": "uid", "ordinal": 0},
            "engine": {"type": "MariaDB", "version": "10.11"},
            "strategy": strategy,
            **places[strategy],
            "sizeBytes": 2**30,
            "mesosRole": "statefuldb",
            "intent": "Use",
            "agent": agent,
            "reservations": ["sdb.uid.0.1"],
            "incarnation": 1,
            "launch": {**launch, "port": 31000, "keeperPort": 31001, "atSeconds": 1.5},
            "ending": {"incarnation": 1, "state": "TASK_KILLED", "atSeconds": 2.5},
            "growth": {"sizeBytes": 2**31, "attempts": 1},
            "initialised": True,
            "token": 1,
            "failures": 0,
            "phase": "InUse",
        },
    }


def on_what(patch: Json) -> str:
    """Return a strategy whose entries have what a patch changes."""
    return "PersistentVolume" if "persistenceId" in patch else "DFS"
