"""ServiceAccounts as JSON."""

from __future__ import annotations

from chainlit_operator.domain import model
from chainlit_operator.engine.wire.base import Meta, Wire


class ServiceAccount(Wire):
    """A ServiceAccount."""

    metadata: Meta

    def to_domain(self) -> model.ServiceAccount:
        """Return the domain's record of it."""
        ref = model.Ref("ServiceAccount", self.metadata.namespace, self.metadata.name)
        return model.ServiceAccount(ref, self.metadata.resource_version)
