"""ReferenceGrants of the Gateway API as JSON: the routes of other namespaces that may use Services of their own."""

from __future__ import annotations

from msgspec import field

from chainlit_operator.domain import model
from chainlit_operator.kinds.shared.kind import Kind, plain_decoder
from chainlit_operator.kube.codec import ApiStruct, Meta
from chainlit_operator.object_ref import Ref

GROUP = "gateway.networking.k8s.io"


class _From(ApiStruct):
    group: str = ""
    kind: str = ""
    namespace: str = ""


class _To(ApiStruct):
    group: str = ""
    kind: str = ""
    name: str = ""


class _Spec(ApiStruct):
    from_: list[_From] = field(default_factory=list, name="from")
    to: list[_To] = field(default_factory=list)


class ReferenceGrant(ApiStruct):
    """A ReferenceGrant (gateway.networking.k8s.io/v1beta1)."""

    metadata: Meta
    spec: _Spec = field(default_factory=_Spec)

    def to_domain(self) -> model.ReferenceGrant:
        """Return the domain's record of it: only what concerns routes and Services."""
        sources = ((found.kind, found.namespace) for found in self.spec.from_ if found.group == GROUP)
        services = (found.name for found in self.spec.to if (found.group, found.kind) == ("", "Service"))
        return model.ReferenceGrant(
            ref=Ref("ReferenceGrant", self.metadata.namespace, self.metadata.name),
            resource_version=self.metadata.resource_version,
            sources=tuple(sources),
            services=tuple(services),
        )


KIND = Kind(
    kind="ReferenceGrant",
    group=GROUP,
    version="v1beta1",
    plural="referencegrants",
    decode=plain_decoder(ReferenceGrant),
    purpose="A ReferenceGrant allows an HTTPRoute of another namespace to lead to a Service.",
    is_optional=True,
)
