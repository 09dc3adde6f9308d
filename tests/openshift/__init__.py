"""What OpenShift's router does with Routes, tried on a real HAProxy with the configuration that the router writes."""
