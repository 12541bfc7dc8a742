"""Why data that goes has not gone yet, as its entry alone tells: for who asks without a plan at hand."""

from statefuldb.model.volume import VolumePhase, VolumeRecord
from statefuldb.planning.members import asked_back
from statefuldb.planning.removal import erasing


def failure(record: VolumeRecord) -> str:
    """Return what is known of attempts to remove or give back that failed, empty where none did."""
    # What was asked for before that is about what the member did not use.
    held = asked_back.failure(record) if record.phase is VolumePhase.RELEASING else ""
    return erasing.failure(record) or held


def remedy(record: VolumeRecord) -> str:
    """Return what a person does about that."""
    return erasing.remedy(record) if erasing.failure(record) else asked_back.REMEDY
