"""Faults between the operator and its API server, planted one by one while routes are edited."""
