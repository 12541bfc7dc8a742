"""What the embedded server may answer differently from the recorded one, each with its reason.

No client can act on any of it: it is text for people, identity of the server, or a form that no client asks for alone.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Allowed:
    """Differences at some lines of semantics.txt, at paths that begin so."""

    lines: tuple[int, ...]
    path: str
    reason: str

    def covers(self, line: int, path: str) -> bool:
        """Say whether a difference is this one."""
        return line in self.lines and path.startswith(self.path)


_TEXTS = "the text of Go's own parsers is for people; code and reason are the same"
_TWICE = "the real server lists this cause twice; the message has it once in both"
_DESCRIBED = "descriptions of columns are documentation; kubectl prints none of them"
_DEFINED = "the embedded server accepts a definition within the call; clients wait for Established in both"
_VERSION = "which server this is; kubectl reads major and minor, and 1.32 is what it is written after"

ALLOWED: tuple[Allowed, ...] = (
    *(
        Allowed((3, 65), field, _VERSION)
        for field in ("compiler", "emulation", "gitCommit", "gitVersion", "goVersion", "minCompatibility", "minor")
    ),
    Allowed((5,), "serverAddressByClientCIDRs", "one address for all clients: that of the kubeconfig"),
    Allowed((9, 11), "resources.0.storageVersionHash", "only the storage migrator of a real cluster reads it"),
    Allowed((41,), "", "no protobuf answers: kubectl's Accept lists JSON behind it, and gets that"),
    Allowed((42,), "1", "a refusal in JSON where protobuf alone was asked for: no protobuf answers"),
    Allowed(
        (47,), "0.1", "the index of OpenAPI comes as application/json: kubectl reads it without a look at the type"
    ),
    Allowed((48,), "2", "schemas of kinds that nothing here refers to are left out of OpenAPI"),
    Allowed((49,), "0.x-kubernetes-selectable-fields", "documentation in OpenAPI; the fields are selectable"),
    Allowed((51, 52), "0", "no OpenAPI v2: kubectl 1.27 and later works from v3 alone"),
    Allowed((73,), "metadata.managedFields", "a review is answered and never stored, so nobody manages its fields"),
    Allowed((117,), "details.causes", "one cause more, without a field, for a number that is no integer"),
    Allowed((117,), "message", "the same one cause more in the text"),
    Allowed((129,), "details.causes", "a rule that fails in itself because defaulting went by the wrong kind"),
    Allowed((129,), "message", "the same in the text"),
    Allowed((131,), "warnings", "a warning beside the error that says what is wrong"),
    Allowed((137, 234, 299), "message", _TEXTS),
    Allowed((184, 212, 259), "details.causes", _TWICE),
    Allowed((206,), "message", "the real text has the key in etcd, which is not there"),
    Allowed((282,), "", "foreground deletion ends within the call where nothing depends on the object"),
    Allowed((324, 326, 487, 507), "columnDefinitions", _DESCRIBED),
    Allowed((416,), "0.object.columnDefinitions", _DESCRIBED),
    Allowed((458, 460, 470, 471, 472), "acceptedNames", _DEFINED),
    Allowed((458, 460, 470, 471, 472), "conditions", _DEFINED),
    Allowed((461,), "", "one cause more, about selectable fields of a version without a schema"),
    Allowed(
        (464,), "details.causes", "one cause more, on a status that clients do not write; Go structures in the text"
    ),
    Allowed((466,), "details.causes.0.message", "the real text quotes structures of Go"),
    Allowed((503,), "", "more causes for the same empty field"),
    Allowed((515,), "", "no pods are served"),
)

# What another real server may answer differently from the recorded one: which build it is, and who asks it.
OF_OTHERS: tuple[Allowed, ...] = (
    Allowed((3, 65), "", _VERSION),
    Allowed((75,), "status.userInfo", "a token and a certificate tell different things of their bearer"),
)
