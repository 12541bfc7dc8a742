"""statefuldb: databases that live on Apache Mesos without ever losing data.

`model` holds the nouns, `planning` the pure decisions, `reconcile` the loop and its ports, `adapters` the edges,
`keeper` the main process of every member's task, `local` a cluster in a box, `cli` the command line, `app` the wiring.
"""

__version__ = "0.1.0"
