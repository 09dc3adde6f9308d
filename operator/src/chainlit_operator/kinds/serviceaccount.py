"""ServiceAccounts as JSON."""

from __future__ import annotations

from chainlit_operator.domain import model
from chainlit_operator.kinds.shared.kind import Kind, plain_decoder
from chainlit_operator.kube.codec import ApiStruct, Meta
from chainlit_operator.object_ref import Ref


class ServiceAccount(ApiStruct):
    """A ServiceAccount."""

    metadata: Meta

    def to_domain(self) -> model.ServiceAccount:
        """Return the domain's record of it."""
        ref = Ref("ServiceAccount", self.metadata.namespace, self.metadata.name)
        return model.ServiceAccount(ref, self.metadata.resource_version)


KIND = Kind(
    kind="ServiceAccount",
    group="",
    version="v1",
    plural="serviceaccounts",
    decode=plain_decoder(ServiceAccount),
    purpose="spec.workload.template creates a ServiceAccount, without a role and without a token.",
    is_created=True,
)
