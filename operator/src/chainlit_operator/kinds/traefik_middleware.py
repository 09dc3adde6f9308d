"""Traefik's Middlewares as JSON: those that change a path, or redirect to another one."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import field

from chainlit_operator.domain import model, redirects, rewrites
from chainlit_operator.kinds.shared.kind import Kind, plain_decoder
from chainlit_operator.kube.codec import Anything, ApiStruct, Meta
from chainlit_operator.object_ref import Ref


class _StripPrefix(ApiStruct):
    prefixes: list[str] = field(default_factory=list)


class _StripPrefixRegex(ApiStruct):
    regex: list[str] = field(default_factory=list)


class _ReplacePath(ApiStruct):
    path: str = ""


class _ReplacePathRegex(ApiStruct):
    regex: str = ""
    replacement: str = ""


class _RedirectRegex(ApiStruct):
    regex: str = ""
    replacement: str = ""


class _RedirectScheme(ApiStruct):
    scheme: str = ""


class _AddPrefix(ApiStruct):
    prefix: str = ""


class _Member(ApiStruct):
    name: str = ""
    namespace: str = ""


class _Chain(ApiStruct):
    middlewares: list[_Member] = field(default_factory=list)


class _Spec(ApiStruct):
    strip_prefix: _StripPrefix | None = None
    strip_prefix_regex: _StripPrefixRegex | None = None
    replace_path: _ReplacePath | None = None
    replace_path_regex: _ReplacePathRegex | None = None
    redirect_regex: _RedirectRegex | None = None
    redirect_scheme: _RedirectScheme | None = None
    add_prefix: _AddPrefix | None = None
    chain: _Chain | None = None
    plugin: Anything | None = None


class Middleware(ApiStruct):
    """A Middleware (traefik.io/v1alpha1)."""

    metadata: Meta
    spec: _Spec = field(default_factory=_Spec)

    def to_domain(self) -> model.Middleware:
        """Return the domain's record of it."""
        meta = self.metadata
        members = self.spec.chain.middlewares if self.spec.chain is not None else []
        return model.Middleware(
            ref=Ref("Middleware", meta.namespace, meta.name),
            resource_version=meta.resource_version,
            transforms=tuple(self._transforms()),
            chain=tuple(f"{member.namespace or meta.namespace}-{member.name}" for member in members),
        )

    def _transforms(self) -> Iterator[rewrites.Transform]:
        spec = self.spec
        if spec.strip_prefix is not None:
            yield rewrites.StripPrefix(tuple(spec.strip_prefix.prefixes))
        if spec.strip_prefix_regex is not None:
            yield rewrites.StripPrefixRegex(tuple(spec.strip_prefix_regex.regex))
        if spec.replace_path is not None:
            yield rewrites.ReplaceFullPath(spec.replace_path.path)
        if spec.replace_path_regex is not None:
            yield rewrites.ReplaceMatch(spec.replace_path_regex.regex, spec.replace_path_regex.replacement)
        if spec.redirect_regex is not None:
            what = f"Traefik Middleware {self.metadata.name} with redirectRegex"
            yield redirects.RedirectRegex(what, spec.redirect_regex.regex, spec.redirect_regex.replacement)
        if spec.redirect_scheme is not None and spec.redirect_scheme.scheme == "https":
            yield redirects.RedirectScheme(f"Traefik Middleware {self.metadata.name} with redirectScheme")
        if spec.add_prefix is not None:
            yield rewrites.AddPrefix(spec.add_prefix.prefix)
        if spec.plugin is not None:
            yield rewrites.Unknown(f"Traefik Middleware {self.metadata.name} with a plugin")


KIND = Kind(
    kind="Middleware",
    group="traefik.io",
    version="v1alpha1",
    plural="middlewares",
    decode=plain_decoder(Middleware),
    purpose="Traefik's Middlewares may strip a prefix of the path.",
    is_optional=True,
    names_others=True,
)
