"""What surrounds one writing request."""

from dataclasses import dataclass

from statefuldb.local.api_server.rights.rbac import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """What surrounds one writing request. `twice` are fields that its body has twice; `user` None is the server.

    `of_many` says that it is one of all that a deletion of a collection is about.
    `reviewed` is what webhooks have agreed to (NeedsReview): that write is stored, any other is asked about.
    """

    now: str
    manager: str
    dry_run: bool = False
    validation: str = "Warn"
    force: bool = False
    subresource: str = ""
    suffix: str = ""
    twice: tuple[str, ...] = ()
    user: User | None = None
    reviewed: str = ""
    of_many: bool = False
