"""How fast and how large the operator is, beside a controller-runtime operator that does the same."""
