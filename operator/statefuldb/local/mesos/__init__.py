"""An embedded Apache Mesos 1.11: master and agents behind the v1 HTTP APIs, tasks as real processes.

`master.master` and `master.allocation` are pure state machines; `master.master_server`, `agent.agent` and
`agent.executor` put sockets and processes around them. Master and agent share nothing but `resources` and the wire.
What they answer follows exchanges recorded from a real Mesos 1.11.0.
"""
