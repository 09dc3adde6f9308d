"""Print ``docs/reference/compatibility.md``."""

from tests.releases import page

print("\n".join(page()))
