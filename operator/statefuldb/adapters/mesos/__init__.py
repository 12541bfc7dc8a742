"""Apache Mesos through pymesos: one driver with its defects repaired, one translation, one port."""
