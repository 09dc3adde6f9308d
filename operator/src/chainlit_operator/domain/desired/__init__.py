"""Objects that the operator creates: their manifests, the steps for them, and their drift."""
