"""A world in memory around the real operator: seeded time and network, Mesos, API server, hosts, people, faults, laws.

`runs/run.py` makes one run of one seed; docs/simulation.md says what is real in it, and how to add a fault or a law.
"""
