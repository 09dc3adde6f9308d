"""The controller: the runtime, the reconciler and the writers."""
