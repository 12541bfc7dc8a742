"""The agent: its checkpoints, tasks as processes, sandboxes and volumes."""
