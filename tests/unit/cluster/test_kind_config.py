"""kind-config.yaml, as it stands and as it is rendered for a cluster."""

from pathlib import Path

import pytest
from tests.cluster.errors import ClusterError
from tests.cluster.kindcluster import CONFIG, render


def test_the_file_is_rendered_with_the_port_and_absolute_paths_of_a_cluster() -> None:
    text = CONFIG.read_text()
    rendered = render(text, 8123, Path("/checkout"))
    assert "hostPort: 8123" in rendered
    assert "hostPath: /checkout/tests/cluster/files/audit-policy.yaml" in rendered
    assert "hostPath: /etc/kubernetes/audit/policy.yaml" in rendered  # inside the node: as it is
    assert rendered.replace("8123", "8080").replace("/checkout/", "") == text


def test_the_file_names_what_is_there() -> None:
    assert (CONFIG.parent / "tests/cluster/files/audit-policy.yaml").is_file()


@pytest.mark.parametrize("text", ["", "- hostPort: 1\n- hostPort: 2\n"])
def test_a_file_without_exactly_one_port_is_refused(text: str) -> None:
    with pytest.raises(ClusterError, match="one hostPort is expected"):
        render(text, 8080, Path("/"))
