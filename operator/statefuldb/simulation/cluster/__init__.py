"""What the operator talks to, simulated: Mesos with its agents and hosts, keepers with their servers, the API."""
