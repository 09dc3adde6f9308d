"""What people and Prometheus see of the operator: logs, metrics, health endpoints; and the memory settings."""
