"""The home of this software is stated once, and a wrong one is refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cluster.errors import ClusterError
from tests.release import home

URL = "https://example.com/team/operator"


def stated(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "home.env"
    file.write_text(text)
    return file


def test_the_checkout_names_no_registry() -> None:
    found = home.read(environment={})
    assert (found.prefix, found.charts, found.image("x")) == ("", "", "x")


def test_the_environment_replaces_a_line_unless_it_is_empty(tmp_path: Path) -> None:
    file = stated(tmp_path, f"# why\n\nHOME_URL={URL}\nIMAGE_PREFIX=\n")
    found = home.read(file, {"IMAGE_PREFIX": "registry.example.com:5000/team", "HOME_URL": ""})
    assert found == home.Home(URL, "registry.example.com:5000/team")
    assert found.registry == "registry.example.com:5000"
    assert found.charts == "oci://registry.example.com:5000/team/charts"
    assert found.image("chat") == "registry.example.com:5000/team/chat"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("HOME_URL\n", r"home.env:1: write NAME=value"),
        (f"HOME_URL={URL}\nHOME=x\n", r"HOME is not known"),
        ("HOME_URL=\n", r"HOME_URL=: write https://"),
        (f"HOME_URL={URL}/\n", r"without a slash"),
        (f"HOME_URL={URL}\nIMAGE_PREFIX=oci://registry.example.com/team\n", r"without oci://"),
        (f"HOME_URL={URL}\nIMAGE_PREFIX=registry.example.com/Team\n", r"small letters"),
    ],
)
def test_a_wrong_home_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ClusterError, match=says):
        home.read(stated(tmp_path, text), {})
