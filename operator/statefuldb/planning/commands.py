"""Commands that a message tells a person to type, as they can be typed."""

import shlex

from statefuldb.model.identity import DatabaseKey

CHECK_MASTER = "check the master and the operator's --mesos setting (statefuldb doctor)"


def command(namespace: str, *words: str) -> str:
    """Return `statefuldb <words>` for a namespace: the option stands before the command."""
    return shlex.join(("statefuldb", "-n", namespace, *words))


def see_output(key: DatabaseKey) -> str:
    """Return how a person sees what a member wrote."""
    return f"look at the member's output with `{command(key.namespace, 'logs', key.name)}`"


def edit_entry(namespace: str, name: str) -> str:
    """Return how a person puts an entry of the ledger right."""
    return f"kubectl edit databasevolume {name} -n {namespace}"


def delete_entry(namespace: str, name: str) -> str:
    """Return how a person deletes an entry of the ledger, which touches no data."""
    return f"kubectl delete databasevolume {name} -n {namespace}"
