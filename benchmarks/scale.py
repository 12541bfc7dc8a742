"""Thousands of databases under one operator: at rest, and while one of them is edited; and bare kopf beside it.

The API server and the Mesos master are the embedded ones, in processes of their own; agents, tasks and keepers are
scripted (`scripted_agents.py`). `python scale.py [COUNT] [--ours]`, the last without bare kopf.
"""

import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import yaml
from cloning import Sample, clone_stored
from measuring import percentile, table, write
from processes import cpu_seconds, memory_mib
from statuses import Statuses, is_ready

from statefuldb.adapters.kubernetes.cli_client import CliClient
from statefuldb.cli.cluster import NAMESPACE, EmbeddedCluster
from statefuldb.local.supervisor import free_port

HERE = Path(__file__).parent
DATABASES = "/apis/statefuldb.dev/v1alpha1/statefuldatabases"
MEMBERS_PER_AGENT = 30
RESOURCES = "cpus:256;mem:1048576;disk:4194304;ports:[31000-31999]"
NETWORK = "127.251.7"
# As long as a keeper at rest takes to answer: all of them do within.
REST_SECONDS = 300.0
SAMPLE = "zzsample"
PATIENCE_SECONDS = 300.0
EDITS = 40
SAID = (
    "Embedded API server and Mesos master in processes of their own; agents, tasks and keepers are "
    "scripted and answer over the same HTTP and TLS. One database is made in earnest and cloned {count} "
    "times while the operator is away; then each operator is started on them. CPU is that of the "
    "operator's process, in percent of one core, over {rest:g} s; the reaction is the time from the "
    "answer to a PATCH of `spec.resources.cpus` to the written status, one edit after the other, {edits} "
    "of them. Bare kopf has handlers for resume, create and update that write two fields of the status.\n"
)
BOUND = (
    "\nWhat bounds it: at rest, the keepers' signs of life, one in 4 s each, and their answers, one in five minutes. "
    "The reaction is the watch event, one pass and one write to the API. Memory: what is imported takes 82 MiB (kopf "
    "and the client of Kubernetes above all); a database takes a TLS connection to its keeper, 28 KiB with its task, "
    "of which 17 are OpenSSL's, its object and its ledger entry as compressed text, 2 KiB, and 7 KiB in caches, books "
    "and kopf's own memory; the rest, some 20 KiB each, was freed and is kept by the allocators, for beside it lies "
    "what stays. Until all is settled, each database takes a look at its Secret, a certificate through its agent and "
    "a handshake.\n"
)
SEED = 7


def manifest(name: str) -> dict[str, object]:
    return {
        "apiVersion": "statefuldb.dev/v1alpha1",
        "kind": "StatefulDatabase",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "engine": {"type": "MariaDB", "version": "10.11"},
            "resources": {"cpus": "500m", "memory": "512Mi"},
            "storage": {"strategy": "PersistentVolume", "size": "1Gi"},
        },
    }


@contextmanager
def cluster(count: int) -> Iterator[tuple[EmbeddedCluster, int]]:
    """An embedded API server and master, and scripted agents for `count` members; and the port of those."""
    state = Path(tempfile.mkdtemp(prefix="statefuldb-scale-"))
    embedded = EmbeddedCluster(state)
    agents: subprocess.Popen[bytes] | None = None
    try:
        embedded.plan(agents=0, dfs=(), agent_timeout_seconds=86_400.0)
        for daemon in embedded.daemons():
            if daemon.name != "operator":
                embedded.start_one(daemon)
        client = CliClient(embedded.kubeconfig)
        for path in sorted((HERE.parent / "crds").glob("*.yaml")):
            for body in yaml.safe_load_all(path.read_text()):
                client.apply(body, "")
        client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}, "")
        hosts = -(-count // MEMBERS_PER_AGENT)
        port = free_port(f"{NETWORK}.1")
        arguments = [embedded.mesos, str(hosts), NETWORK, str(port), RESOURCES]
        agents = subprocess.Popen([sys.executable, str(HERE / "scripted_agents.py"), *arguments])
        wait_for(embedded, "master/slaves_active", hosts)
        yield embedded, port
    finally:
        if agents is not None:
            agents.kill()
            agents.wait()
        for name in ("operator", "mesos-master", "api-server"):
            embedded.supervisor.stop(name)
        shutil.rmtree(state)


def wait_for(embedded: EmbeddedCluster, gauge: str, least: int) -> None:
    """Wait until the master tells of so many. Raises TimeoutError."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with urllib.request.urlopen(f"http://{embedded.mesos}/metrics/snapshot") as answer:
            if json.load(answer)[gauge] >= least:
                return
        time.sleep(1.0)
    raise TimeoutError(f"{gauge} stays below {least}")


def at_rest(pid: int) -> float:
    """Return the share of one core that a process uses while nothing happens, in percent."""
    before, began = cpu_seconds(pid), time.perf_counter()
    time.sleep(REST_SECONDS)
    return 100 * (cpu_seconds(pid) - before) / (time.perf_counter() - began)


def reactions(
    client: CliClient, statuses: Statuses, count: int, cpus: str, settled: Callable[[str], object]
) -> list[float]:
    """Edit one database after the other has settled; return the seconds from the PATCH's answer to the written status.

    The status is written before the KILL leaves, so it is the first that is seen of a reaction.
    """
    found = []
    for number in random.Random(SEED).sample(range(count), min(EDITS, count)):
        name = f"orders-{number}"
        patched = client.merge("StatefulDatabase", "default", name, {"spec": {"resources": {"cpus": cpus}}})
        answered = time.perf_counter()
        found.append(max(0.0, statuses.answered(name, patched["metadata"]["generation"]) - answered))
        settled(name)
    return found


def row(name: str, pid: int, rest: float, found: list[float], begun: float) -> tuple[str, ...]:
    return (
        name,
        f"{rest:.2f} %",
        f"{1e3 * statistics.median(found):.0f} ms",
        f"{1e3 * percentile(found, 99):.0f} ms",
        f"{memory_mib(pid, 'VmRSS'):.0f} MiB",
        f"{memory_mib(pid, 'VmHWM'):.0f} MiB",
        f"{begun:.0f} s",
    )


def ours(embedded: EmbeddedCluster, client: CliClient, agents_port: int, count: int) -> tuple[str, ...]:
    make_clones(embedded, client, agents_port, count)
    began = time.perf_counter()
    operator = embedded.daemons()[-1]
    embedded.start_one(operator)
    pid = embedded.supervisor.pid("operator")
    assert pid is not None
    statuses = Statuses(embedded.kubeconfig)
    statuses.ready(count + 1, seconds=600)
    settle(pid)
    begun = time.perf_counter() - began
    say(f"our operator is at rest after {begun:.0f} s, {cpu_seconds(pid):.0f} s of CPU")
    rest = at_rest(pid)
    found = reactions(client, statuses, count, "600m", lambda name: statuses.until(name, is_ready, 60))
    measured = row("statefuldb", pid, rest, found, begun)
    say(" | ".join(measured))
    embedded.supervisor.stop("operator")
    return measured


def make_clones(embedded: EmbeddedCluster, client: CliClient, agents_port: int, count: int) -> None:
    """Have one database made by the operator, and add its clones while nobody looks."""
    operator = embedded.daemons()[-1]
    embedded.start_one(operator)
    statuses = Statuses(embedded.kubeconfig)
    client.create(manifest(SAMPLE))
    statuses.until(SAMPLE, is_ready, 120)
    embedded.supervisor.stop("operator")
    stored = client.get("StatefulDatabase", "default", SAMPLE)
    secret = client.get("Secret", "default", f"{SAMPLE}-connection")
    assert stored is not None
    assert secret is not None
    with urllib.request.urlopen(asking(f"http://{embedded.mesos}/api/v1", '{"type": "GET_AGENTS"}')) as answer:
        agents = json.load(answer)["get_agents"]["agents"]
    infos = [(agent["agent_info"], agent["pid"].partition("@")[2].rpartition(":")[0]) for agent in agents]
    places = tuple((info["id"]["value"], info["hostname"], address) for info, address in infos)
    (member,) = stored["status"]["members"]
    sample = Sample(
        name=SAMPLE,
        uid=stored["metadata"]["uid"],
        agent=next(place for place in places if place[1] == member["agent"]),
        port=member["port"],
        agents=places,
        per_agent=MEMBERS_PER_AGENT,
        secret_uid=secret["metadata"]["uid"],
        version=100_000,
    )
    with urllib.request.urlopen(asking(f"http://{NETWORK}.1:{agents_port}/clone?count={count}", sample.to_json())):
        say(f"{count} tasks and keepers run")
    wait_for(embedded, "master/tasks_running", count)
    embedded.supervisor.stop("api-server")
    (file,) = (embedded.state_dir / "api").glob("*.sqlite*")
    clone_stored(file, sample, count)
    embedded.start_one(embedded.daemons()[0])


def asking(url: str, body: str) -> urllib.request.Request:
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    return urllib.request.Request(url, body.encode(), headers)


def settle(pid: int) -> None:
    """Wait until a process has used next to nothing for ten seconds."""
    while True:
        before = cpu_seconds(pid)
        time.sleep(10.0)
        if cpu_seconds(pid) - before < 0.2:
            return


def bare(embedded: EmbeddedCluster, client: CliClient, count: int) -> tuple[str, ...]:
    statuses = Statuses(embedded.kubeconfig)
    command = [sys.executable, "-m", "kopf", "run", "--all-namespaces", "--quiet", str(HERE / "bare_kopf.py")]
    process = subprocess.Popen(command, env={**os.environ, "KUBECONFIG": str(embedded.kubeconfig)})
    try:
        began = time.perf_counter()
        statuses.everyone(lambda status: str(status.get("summary")).startswith("cpus"), count, PATIENCE_SECONDS)
        settle(process.pid)
        begun = time.perf_counter() - began
        say(f"bare kopf is at rest after {begun:.0f} s, {cpu_seconds(process.pid):.0f} s of CPU")
        rest = at_rest(process.pid)
        found = reactions(client, statuses, count, "700m", lambda _: None)
        return row("bare kopf", process.pid, rest, found, begun)
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(10.0)
        process.kill()


def say(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")


def main(count: int, *, with_bare: bool = True) -> None:
    """Measure ours, and bare kopf where it is asked for, and write the results down."""
    with cluster(count) as (embedded, port):
        client = CliClient(embedded.kubeconfig)
        rows = [ours(embedded, client, port, count)]
        if with_bare:
            rows.append(bare(embedded, client, count))
    header = ("operator", "CPU at rest", "reaction", "reaction p99", "memory", "its peak", "all settled after")
    write(
        "scale",
        f"{count:,} databases under one operator",
        [SAID.format(count=count, rest=REST_SECONDS, edits=EDITS), table(header, rows), BOUND],
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3_000, with_bare="--ours" not in sys.argv)
