"""An embedded Apache Mesos 1.11: master and agents behind the v1 HTTP APIs, tasks as real processes.

`master` and `allocation` are pure state machines; `master_server`, `agent` and `executor` put sockets and processes
around them. What they answer follows exchanges recorded from a real Mesos 1.11.0.
"""
