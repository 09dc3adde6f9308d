"""Set-ups that people run, as a table: each runs against a real API server with the operator as a process."""
