"""What agents have installed and mounted, as a task on each of them told."""

from collections.abc import Mapping

from statefuldb.model.machine_facts import MachineFacts
from statefuldb.model.spec import DFS_ATTRIBUTE
from statefuldb.planning.checkup.findings import Finding, Verdict, judged
from statefuldb.planning.engines.engine import Engine


def machine_findings(
    host: str, facts: MachineFacts, attributes: Mapping[str, str], *, version: str, engines: Mapping[str, Engine]
) -> list[Finding]:
    """Return what is to be said of one agent. `version` is the operator's, `engines` what it can run."""
    fits = any(engine.runs_version(wanted, facts.server) for engine in engines.values() for wanted in engine.versions)
    wanted = ", ".join(f"{name} {series}" for name, engine in engines.items() for series in engine.versions)
    server = f"database server {facts.server}" if facts.server else "there is no database server"
    findings = [
        judged(
            host,
            f"the keeper is of version {facts.keeper}",
            facts.keeper == version,
            f"install {version}, as here; members use it from their next start on",
            otherwise=Verdict.WARN,
        ),
        judged(host, facts.trouble or server, fits and not facts.trouble, f"install one of: {wanted}"),
    ]
    mount_point = attributes.get(DFS_ATTRIBUTE)
    if mount_point is not None:
        shared = facts.shared_mounts.get(mount_point.rstrip("/"))
        what = f"{mount_point} is a {shared} mount" if shared else f"{mount_point} is no mount of a shared file system"
        remedy = f"mount it, or take {DFS_ATTRIBUTE} from --attributes"
        findings.append(judged(host, what, shared is not None, remedy))
    return findings
