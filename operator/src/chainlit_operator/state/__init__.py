"""What is known of the cluster: the store, its indexes, whom a change affects, and the snapshot of one app."""

from chainlit_operator.state.store import State

__all__ = ["State"]
