"""The operator's memory of its writes."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace

from chainlit_operator.object_ref import Ref

Basis = tuple[object, ...]
"""The inputs of a write. A second write on an equal basis reverts a change of another manager."""


@dataclass(frozen=True, slots=True)
class FieldConflict:
    """The writes of one object's fields on one basis.

    ``writes`` are their times (monotonic seconds), each with the state of the object before the write. ``manager`` is
    the manager that lost a field last. ``yielded_state`` is the state that the operator does not overwrite, or None.
    """

    basis: Basis
    writes: tuple[tuple[float, Hashable], ...] = ()
    manager: str = ""
    yielded_state: Hashable | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory of the writes for one app: to the workload, and to the created objects."""

    workload: FieldConflict | None = None
    objects: Mapping[Ref, FieldConflict] = field(default_factory=dict)

    def with_object(self, ref: Ref, conflict: FieldConflict) -> Memory:
        """Return the memory with another conflict of a created object."""
        return replace(self, objects={**self.objects, ref: conflict})
