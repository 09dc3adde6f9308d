"""The one exception that stands for a failure which the user can understand."""


class ClusterError(Exception):
    """An expected failure; its text says what is wrong and what to do, and is shown without a traceback."""
