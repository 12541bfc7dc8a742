"""What a member's data was made with, by its marker: the server itself tells of some of it too late, or never."""

from collections.abc import Mapping

from statefuldb.keeper.directory import MemberDirectory
from statefuldb.keeper.files import read_json
from statefuldb.keeper.refusal import MadeOtherwise
from statefuldb.model.keeper import MADE_WITH, KeeperConfig
from statefuldb.planning.engines import made_otherwise


def check(config: KeeperConfig, directory: MemberDirectory) -> None:
    """Refuse data that was made with something else than is asked for. Raises MadeOtherwise.

    Called once the marker is known to be this member's.
    """
    made = of_marker(read_json(directory.folder / "identity.json"))
    if made is not None and (wrong := made_otherwise(config.engine, made, config.config)):
        why = f"the data in {directory.path} does not fit: {'; '.join(wrong)}"
        begin_anew = "if nobody ever wrote to it, delete the database and its data, and apply it again"
        raise MadeOtherwise(f"{why}; have the manifest ask for what it was made with; or, {begin_anew}", made_with=made)


def of_marker(marker: Mapping[str, object]) -> dict[str, str] | None:
    """Return what a marker says that data was made with, None where an earlier keeper wrote it."""
    made = marker.get(MADE_WITH)
    return {str(option): str(value) for option, value in made.items()} if isinstance(made, dict) else None
