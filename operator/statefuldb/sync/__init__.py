"""`statefuldb sync`: what a directory or a git repository holds, kept applied. Knows no Mesos and no database."""
