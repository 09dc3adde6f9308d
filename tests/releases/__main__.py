"""Print ``docs/versions.md``."""

from tests.releases import page

print("\n".join(page()))
