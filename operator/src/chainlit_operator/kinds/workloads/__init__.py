"""One file for each kind of workload: how its JSON becomes a ``Workload``."""
