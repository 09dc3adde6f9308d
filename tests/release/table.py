"""The images that a release has. One line here adds an image to the release, the rehearsal and the workflow."""

from __future__ import annotations

from dataclasses import dataclass

from tests.cluster import images
from tests.cluster.images import AppImage
from tests.cluster.versions import REPOSITORY

CHARTS = ("chainlit", "chainlit-operator")


@dataclass(frozen=True)
class ReleaseImage:
    """An image by its published name, and the values of charts that a package fills with it.

    A value is written as chart and path, such as ``chainlit/tests.image``.
    """

    name: str
    built: AppImage
    values: tuple[str, ...]

    @property
    def context(self) -> str:
        """The directory that it is built from, from the top of the repository."""
        return self.built.context.relative_to(REPOSITORY).as_posix()

    @property
    def lock(self) -> str:
        """The file that pins its packages, from the top of the repository."""
        return self.built.requirements.relative_to(REPOSITORY).as_posix()

    def by_tag(self, path: str) -> bool:
        """Whether a value gets the tag and not the digest: a digest would also hold for the image of a user.

        The app's own image is the one that users replace.
        """
        return path == "image" and "chainlit/image" in self.values


IMAGES = (
    ReleaseImage("chainlit-operator", images.OPERATOR, ("chainlit-operator/image", "chainlit/tests.image")),
    ReleaseImage("chainlit-runtime", images.RUNTIME, ("chainlit/image",)),
)
