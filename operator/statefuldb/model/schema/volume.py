"""The schema of `DatabaseVolume.spec`, one entry of the ledger, and what may never change in it.

Whatever the operator always writes is required: where it were missing, something would have to be guessed about data.
Fields that are not listed are kept, since a newer operator may have written them. There are no rules about the token
and the sizes: what is on the disk decides about those, and the ledger only follows it.
"""

from statefuldb.model.identity import ORDINAL_MAX
from statefuldb.model.schema.build import Schema, array, boolean, integer, mapping, number, obj, rule, text
from statefuldb.model.spec import DiskType, EngineType, Strategy
from statefuldb.model.volume import Intent, VolumePhase

PORT_MAX = 65_535
_PATH_MAX_LENGTH = 4096
# A role below the user's, named by the cluster's UUID (`--refine-static`), is longer than the user's may be.
_ROLE_MAX_LENGTH = 512
# Much more than is written now: an earlier operator kept whatever Mesos said, however long.
_SAID_MAX_LENGTH = 2**20
# As many, and as long, as a manifest may have.
_OPTIONS_MAX = 200
_OPTION_MAX_LENGTH = 1024
_PLACES = ("persistenceId", "directory", "root")
_HAD_DATA = "has(oldSelf.initialised) && oldSelf.initialised"


def _kept(name: str) -> str:
    return f"!has(oldSelf.{name}) || (has(self.{name}) && self.{name} == oldSelf.{name})"


_IDENTITY = obj(
    {
        "cluster": text(),
        "uid": text(),
        "ordinal": integer(minimum=0, maximum=ORDINAL_MAX),
    },
    required=("cluster", "uid", "ordinal"),
    rules=tuple(
        rule(_kept(name), f"spec.identity.{name} never changes: it is whose data this is", field=f".{name}")
        for name in ("cluster", "uid", "ordinal")
    ),
    open_=True,
)

_AGENT = obj({"id": text(), "hostname": text(), "address": text()}, required=("id", "hostname"), open_=True)

_DFS = obj(
    {
        "type": text(),
        "mountPoint": text(max_length=_PATH_MAX_LENGTH),
        "subPath": text(max_length=_PATH_MAX_LENGTH),
        "source": text(max_length=_PATH_MAX_LENGTH),
        "agentAttribute": obj({"name": text(), "value": text(max_length=_PATH_MAX_LENGTH)}, open_=True),
    },
    required=("type", "mountPoint"),
    open_=True,
    description="The shared file system, as it was accepted.",
)

_LAUNCH = obj(
    {
        "incarnation": integer(minimum=0),
        "agent": _AGENT,
        "template": text("Digest of what it was launched with."),
        "cpusMilli": integer(minimum=0),
        "memoryBytes": integer(minimum=0),
        "port": integer(minimum=0, maximum=PORT_MAX),
        "keeperPort": integer(minimum=0, maximum=PORT_MAX),
        "erase": boolean("It empties the directory instead of serving."),
        "leavesSurplus": boolean("More was reserved than it uses."),
        "short": boolean("It got what the launch before it had."),
        "restartedAt": text("The request for a restart that it answered."),
        "refusal": text("Why its keeper would not open the data.", max_length=_SAID_MAX_LENGTH),
        "frameworkId": text("The framework that launched it."),
        "atSeconds": number(),
    },
    required=("incarnation", "agent", "template", "cpusMilli", "memoryBytes", "port", "keeperPort"),
    open_=True,
    description="The last launch attempt, written before it was made.",
)

_ENDING = obj(
    {
        "incarnation": integer(minimum=0),
        "state": text(),
        "reason": text(),
        "message": text(max_length=_SAID_MAX_LENGTH),
        "atSeconds": number(),
    },
    required=("incarnation", "state"),
    open_=True,
    description="Proof that it is over.",
)

VOLUME_SPEC: Schema = obj(
    {
        "database": obj({"name": text(), "uid": text()}, required=("name", "uid"), open_=True),
        "identity": _IDENTITY,
        "engine": obj(
            {"type": text(enum=tuple(map(str, EngineType))), "version": text()},
            required=("type", "version"),
            open_=True,
        ),
        "strategy": text(
            enum=tuple(map(str, Strategy)),
            rules=(rule("self == oldSelf", "spec.strategy never changes: it is where the data lies"),),
        ),
        "sizeBytes": integer(minimum=0),
        "mesosRole": text(max_length=_ROLE_MAX_LENGTH),
        "intent": text("What is to become of the data.", enum=tuple(map(str, Intent))),
        "agent": _AGENT,
        "persistenceId": text(),
        "directory": text(max_length=_PATH_MAX_LENGTH),
        "root": text(max_length=_PATH_MAX_LENGTH),
        "dfs": _DFS,
        "reservations": array(text(), max_items=1000),
        "elsewhere": array(text("A host where an earlier attempt may have left reservations."), max_items=1000),
        "superseded": array(text("A host where an earlier attempt left a volume."), max_items=1000),
        "incarnation": integer(
            minimum=0,
            rules=(rule("self >= oldSelf", "spec.incarnation never falls: a task id used twice can kill an agent"),),
        ),
        "launch": _LAUNCH,
        "ending": _ENDING,
        "fencing": obj(
            {
                "incarnation": integer(minimum=0),
                "by": text(),
                "lostAtSeconds": number("Which loss of its agent this is about, as Mesos told of it."),
            },
            required=("incarnation",),
            open_=True,
            description="Proof that an incarnation can write no more: a person's word, or the fence command's success.",
        ),
        "disk": obj(
            {
                "type": text(enum=tuple(map(str, DiskType))),
                "root": text(max_length=_PATH_MAX_LENGTH),
                "staticRole": text("What the agent has set it aside for.", max_length=_ROLE_MAX_LENGTH),
            },
            required=("type",),
            open_=True,
            description="The disk that the volume lies on: only more of the same makes it larger.",
        ),
        "growth": obj(
            {"sizeBytes": integer(minimum=0), "restartedAt": text(), "attempts": integer(minimum=0)},
            required=("sizeBytes",),
            open_=True,
            description="How often Mesos was asked to make the volume larger.",
        ),
        "unheard": obj(
            {
                "after": integer(minimum=0),
                "until": integer(minimum=0),
                "byHand": boolean("One of them has opened the data, and a person says when it is over."),
            },
            required=("after", "until"),
            open_=True,
            description="Of launches numbered above the one, up to the other, this entry may not know: the API was "
            "restored from a backup, or the entry was lost and found again.",
        ),
        "madeWith": mapping(
            text(max_length=_OPTION_MAX_LENGTH),
            max_properties=_OPTIONS_MAX,
            description="Options of the server that the data was made with; absent where that is not known.",
        ),
        "givingBack": obj(
            {
                "attempts": integer(minimum=0),
                "atSeconds": number(),
                "refusal": text("What Mesos said to it.", max_length=_SAID_MAX_LENGTH),
            },
            required=("attempts",),
            open_=True,
            description="How often in a row it was asked to give back what is held for the member, and when last.",
        ),
        "initialised": boolean("There is data."),
        "token": integer(minimum=0),
        "failures": integer(minimum=0),
        "phase": text(enum=tuple(map(str, VolumePhase))),
        "releasedAtSeconds": number("When it was asked, or looked, last whether all is given back."),
        "releasedByFramework": text("The framework that asked: what agents answer to that is told to no other."),
    },
    required=(
        *("database", "identity", "engine", "strategy", "sizeBytes", "mesosRole", "intent"),
        *("incarnation", "initialised", "token", "failures", "phase"),
    ),
    rules=(
        rule(
            f"!({_HAD_DATA}) || self.initialised",
            "spec.initialised stays true: there is data, and nothing may be begun in its place",
            field=".initialised",
        ),
        *(
            rule(
                f"!({_HAD_DATA}) || {_kept(name)}",
                f"spec.{name} never changes once there is data: it is where that lies",
                field=f".{name}",
            )
            for name in _PLACES
        ),
        rule(
            "!self.initialised"
            " || (self.strategy == 'PersistentVolume' ? has(self.persistenceId) : has(self.directory))",
            "there is data, so its place must be set: spec.persistenceId, or spec.directory",
        ),
    ),
    open_=True,
)
