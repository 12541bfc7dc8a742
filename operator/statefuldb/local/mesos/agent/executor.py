"""Runs one task and writes down how it ended, so that neither the agent's death nor a lost message hides it.

The agent starts it as a session of its own; everything the task leaves behind in that session is killed before the
end is announced.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from statefuldb.local.mesos.json_files import save_json

Json = dict[str, Any]


def session_members(session: int) -> list[int]:
    """Return the processes of a session, from /proc (proc(5), stat field 6)."""
    members = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[3]) == session and fields[0] != "Z":
                    members.append(int(entry.name))
    return members


def kill_session(session: int, spare: int = 0) -> None:
    """SIGKILL every process of a session but `spare`, until none is left."""
    while rest := [pid for pid in session_members(session) if pid != spare]:
        for pid in rest:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def command_of(command: Json) -> tuple[str, list[str]]:
    """Return the program of a CommandInfo and its argument vector, from `argv[0]` on."""
    if command.get("shell", True):
        return "/bin/sh", ["sh", "-c", command["value"]]
    return command["value"], command.get("arguments") or [command["value"]]


def main() -> int:
    """Run the task described in the folder that the first argument names.

    The second is a descriptor, closed once it is known how the start went.
    """
    folder = Path(sys.argv[1])
    order = json.loads((folder / "task.json").read_text())
    environment = {**os.environ, **order["environment"]}
    program, arguments = command_of(order["command"])
    sandbox = Path(order["sandbox"])
    try:
        with (sandbox / "stdout").open("ab") as out, (sandbox / "stderr").open("ab") as err:
            task = subprocess.Popen(
                arguments,
                executable=program,
                cwd=sandbox,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                process_group=0,
            )
    except OSError as error:
        save_json(folder / "exit.json", {"error": str(error)})
        return 1
    save_json(folder / "pid.json", {"pid": task.pid})
    os.close(int(sys.argv[2]))
    code = task.wait()
    kill_session(os.getsid(0), spare=os.getpid())
    save_json(folder / "exit.json", {"code": code})
    return 0


if __name__ == "__main__":
    sys.exit(main())
