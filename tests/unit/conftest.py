"""Settings of Hypothesis for all unit tests."""

from hypothesis import settings

# What an example takes depends on what else the machine does; how fast the operator is, is measured elsewhere.
settings.register_profile("unit", deadline=None)
settings.load_profile("unit")
