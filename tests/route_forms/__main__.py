"""Print the page."""

from tests.route_forms import page

print("\n".join(page()))
