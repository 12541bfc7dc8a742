"""Bare pymesos, in a process of its own: it takes the process with it (signals, the main thread, shared headers)."""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

PROGRAM = """
import json, logging, sys, threading, time
orders = json.loads(sys.argv[1])
log = open(orders["log"], "w")
logging.basicConfig(stream=log, level=logging.DEBUG, force=True)
from pymesos import MesosSchedulerDriver, Scheduler

class Consumer(Scheduler):
    def __init__(self):
        self.subscribed, self.updated, self.offered = threading.Event(), threading.Event(), threading.Event()
    def registered(self, *_):
        self.subscribed.set()
    def reregistered(self, *_):
        self.subscribed.set()
    def resourceOffers(self, driver, offers):
        found["cpu_seconds"] = time.process_time()
        self.offered.set()
        if orders.get("clumsy"):
            raise ValueError("a defect of the consumer")
    def statusUpdate(self, *_):
        self.updated.set()
    def operationStatusUpdate(self, *_):
        self.updated.set()

found = {}
try:
    info = {"user": "root", "name": "t", "roles": ["r"], **orders.get("info", {})}
    drivers = []
    for one in orders["masters"]:
        consumer = Consumer()
        driver = MesosSchedulerDriver(consumer, dict(info), one["address"], principal=one.get("principal"),
                                      secret=one.get("secret"), failover=orders.get("failover", False))
        drivers.append(driver)
        driver.start()
        if orders.get("await", True):
            found["subscribed"] = consumer.subscribed.wait(5)
        if orders.get("leak"):
            driver.suppressOffers()
    if orders.get("calls"):
        time.sleep(0.2)
    for call, arguments in orders.get("calls", []):
        try:
            getattr(driver, call)(*arguments)
        except Exception as error:
            found["error"] = f"{type(error).__name__}: {error}"
    consumer.offered.wait(orders.get("patience", 0.0))
    time.sleep(orders.get("seconds", 0.5))
    found["alive"] = not driver.aborted
    found["connected"] = driver.connected
except KeyboardInterrupt:
    found["interrupted"] = True
    # Its thread interrupts this one before it has left the master.
    driver.join()
except Exception as error:
    found["error"] = f"{type(error).__name__}: {error}"
print(json.dumps(found), flush=True)
import os
os._exit(0)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    found: dict[str, Any]
    log: str


def run_bare(directory: Any, address: str | list[dict[str, str]], **orders: Any) -> Outcome:
    """Run pymesos on a master for a moment (`seconds`), with `calls` made on it; return what became of it."""
    masters = [{"address": address}] if isinstance(address, str) else address
    log = directory / "bare.log"
    told = json.dumps({"masters": masters, "log": str(log), **orders})
    done = subprocess.run([sys.executable, "-c", PROGRAM, told], capture_output=True, text=True, timeout=60)
    assert done.stdout, done.stderr
    return Outcome(found=json.loads(done.stdout), log=log.read_text())
