"""The loop (observe, plan, check, record, execute, report) and the ports through which it reaches the world."""
