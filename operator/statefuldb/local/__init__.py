"""A cluster in a box: an embedded Kubernetes API server and an embedded Mesos. Knows nothing of databases."""
