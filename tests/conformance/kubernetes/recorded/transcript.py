"""Reading semantics.txt: what a real kube-apiserver 1.36.2 answered, section by section, in the order of the file.

Times, uids and resourceVersions are tokens there (TIME, uid3, rv12); answers that were too long end in `...[length]`.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

_REQUEST = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (/\S*(?: \S+)*?)(?: \[([a-z0-9.+/-]+)\] (.*))?", re.DOTALL)


@dataclass
class Entry:
    """One exchange. `head` is the request, or a label where the recorder printed a summary; `tail` is what followed."""

    line: int
    head: str
    tail: list[str] = field(default_factory=list)

    @property
    def request(self) -> tuple[str, str, str, str] | None:
        """Method, path, content type and body, where the recording has the request itself."""
        found = _REQUEST.fullmatch(self.head) if self.tail and self.tail[0].startswith("  -> ") else None
        return (found[1], found[2], found[3] or "", (found[4] or "")) if found else None


def sections() -> dict[str, list[Entry]]:
    """Return the entries of each section of the recording."""
    found: dict[str, list[Entry]] = {}
    current: list[Entry] = []
    in_body = False
    text = (Path(__file__).parent / "semantics.txt").read_text()
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("====="):
            current = found.setdefault(line.strip("= "), [])
        elif line.startswith(("  -> ", "    ")):
            current[-1].tail.append(line)
            in_body = False
        elif in_body:
            current[-1].head += "\n" + line
        elif line:
            current.append(Entry(line=number, head=line))
            in_body = "[application/yaml]" in line
    return found
