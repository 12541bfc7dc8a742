"""statefuldb: databases that live on Apache Mesos without ever losing data."""
