"""One file for each kind of route: how its JSON becomes a ``Route``."""
