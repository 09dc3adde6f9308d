"""Pushing images and charts, and signing them."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.console import run, say
from tests.cluster.engine import Runtime
from tests.cluster.errors import ClusterError
from tests.cluster.versions import REPOSITORY
from tests.release import sbom, tools
from tests.release.home import Home
from tests.release.table import ReleaseImage

#: Who says which job of GitHub has signed.
ISSUER = "https://token.actions.githubusercontent.com"
_PUSHED = re.compile(r"Pushed: (\S+):\S+\s+Digest: (sha256:[0-9a-f]{64})")


@dataclass(frozen=True)
class Signer:
    """Signs what a registry has: with a key of one's own and no transparency log, else with the job's identity."""

    key: Path | None = None

    def sign(self, reference: str) -> None:
        """Sign what a digest names. Raises ClusterError."""
        run([tools.cosign(), "sign", "--yes", *self._options(), reference], env=self._environment(), timeout=120)

    def attest(self, reference: str, document: Path) -> None:
        """Sign the list of an image's packages, and push it beside the image. Raises ClusterError."""
        options = [*self._options(), "--type=cyclonedx", f"--predicate={document}"]
        run([tools.cosign(), "attest", "--yes", *options, reference], env=self._environment(), timeout=120)

    def _options(self) -> list[str]:
        if self.key is None:
            return []
        return [f"--key={self.key}", "--use-signing-config=false", "--tlog-upload=false"]

    def _environment(self) -> dict[str, str]:
        return {} if self.key is None else {"COSIGN_PASSWORD": ""}


def key_pair(into: Path) -> tuple[Path, Path]:
    """Make a private and a public key without a password, and return them. Raises ClusterError."""
    run([tools.cosign(), "generate-key-pair"], cwd=into, env={"COSIGN_PASSWORD": ""})
    return into / "cosign.key", into / "cosign.pub"


def by_key(public: Path) -> list[str]:
    """Return the options that verify signatures of a key of one's own, without a transparency log."""
    return [f"--key={public}", "--insecure-ignore-tlog"]


def by_job(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return the options that verify signatures of this job of GitHub. Raises ClusterError elsewhere."""
    server, workflow = environment.get("GITHUB_SERVER_URL"), environment.get("GITHUB_WORKFLOW_REF")
    if not server or not workflow:
        raise ClusterError("GITHUB_SERVER_URL and GITHUB_WORKFLOW_REF are not set: only a job of GitHub signs")
    return [f"--certificate-identity={server}/{workflow}", f"--certificate-oidc-issuer={ISSUER}"]


def verify(reference: str, trusted: Sequence[str], *, packages: bool = False) -> None:
    """Verify the signature of what a digest names, or that of its list of packages. Raises ClusterError."""
    kind = ["verify-attestation", "--type=cyclonedx"] if packages else ["verify"]
    run([tools.cosign(), *kind, *trusted, reference], timeout=120)


def push_image(engine: Runtime, local: str, reference: str) -> str:
    """Push an image of the engine's store and return its digest. Raises ClusterError."""
    with tempfile.TemporaryDirectory(prefix="push-") as name:
        file = Path(name) / "image.tar"
        engine.run("save", f"--output={file}", local, timeout=300)
        run([tools.crane(), "push", file, reference], timeout=300)
    return run([tools.crane(), "digest", reference]).strip()


def push_chart(home: Home, archive: Path) -> str:
    """Push the archive of a chart and return its name with the digest. Raises ClusterError."""
    plain = ["--plain-http"] if home.registry.startswith("127.0.0.1:") else []
    said = run(["helm", "push", *plain, archive, home.charts])
    if not (found := _PUSHED.search(said)):
        raise ClusterError(f"helm push {archive.name} named no digest:\n{said}")
    say(f"    {found[1]}@{found[2]}")
    return f"{found[1]}@{found[2]}"


def list_packages(image: ReleaseImage, reference: str, into: Path, platforms: Sequence[str] = ("",)) -> Path:
    """Write the list of an image's packages. Raises ClusterError where it is not what its lock file says.

    ``platforms`` are those of the image, such as ``linux/arm64``; they have the same packages.
    """
    lock = sbom.pinned(REPOSITORY / image.lock)
    for platform in platforms:
        found = sbom.installed(reference, platform)
        if differing := sbom.differences(found, lock):
            where = f"{reference} {platform}".strip()
            raise ClusterError(f"{where} is not made of {image.lock}:\n  " + "\n  ".join(differing))
    into.mkdir(exist_ok=True)
    file = into / f"{image.name}.cdx.json"
    file.write_text(sbom.document(image.name, image.built.version(), found), encoding="utf-8")
    return file
