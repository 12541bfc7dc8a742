"""What an installation of ours left in Mesos, as an operator without a record finds it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Remains:
    """`seen` says to people what there is; `cluster` is its UUID, empty where there are several.

    `framework_id` is empty where Mesos knows its framework no more: with that its tasks have ended, and its volumes
    have not.
    """

    seen: str
    cluster: str
    framework_id: str = ""
