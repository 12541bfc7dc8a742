"""statefuldb: databases that live on Apache Mesos without ever losing data.

`model` holds the nouns, `planning` the pure decisions, `reconcile` the loop and its ports, `adapters` the edges,
`keeper` the main process of every member's task, `local` a cluster in a box, `sync` manifests kept applied from Git.
`operator` wires one operator, as `settings` says; `app` does so on a real machine, for the command line in `cli`, and
`simulation` in worlds of memory.
"""

__version__ = "0.1.0"
