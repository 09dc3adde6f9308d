"""A package has the home, the links and the images of its release; the packages of an image are its lock file's."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
import yaml
from tests.cluster.errors import ClusterError
from tests.cluster.versions import REPOSITORY
from tests.release import plan, sbom, stamp
from tests.release.home import Home
from tests.release.table import CHARTS, IMAGES

HOME = Home("https://example.com/team/operator", "registry.example.com/team")
DIGEST = "sha256:" + "a" * 64


def made(home: Home = HOME) -> stamp.Stamp:
    return stamp.Stamp(home, "1.2.3", {image.name: DIGEST for image in IMAGES})


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_has_links_and_images_of_its_release(name: str, tmp_path: Path) -> None:
    chart = stamp.chart(made(), name, tmp_path)
    metadata = yaml.safe_load((chart / "Chart.yaml").read_text())
    assert metadata["home"] == HOME.url and metadata["sources"] == [HOME.url]
    links = yaml.safe_load(metadata["annotations"]["artifacthub.io/links"])
    assert links[0]["url"] == f"{HOME.url}/tree/v1.2.3/charts/{name}"
    readme = (chart / "README.md").read_text()
    assert "](../" not in readme
    assert "docker build" not in readme
    assert f"helm install chainlit-operator {HOME.charts}/" in readme or name == "chainlit"


def test_values_name_the_images(tmp_path: Path) -> None:
    values = {
        name: yaml.safe_load((stamp.chart(made(), name, tmp_path) / "values.yaml").read_text()) for name in CHARTS
    }
    operator = (f"{HOME.prefix}/chainlit-operator", DIGEST)
    for image in (values["chainlit-operator"]["image"], values["chainlit"]["tests"]["image"]):
        assert (image["repository"], image["digest"]) == operator
    app = values["chainlit"]["image"]
    assert (app["repository"], app["tag"], app["digest"]) == (f"{HOME.prefix}/chainlit-runtime", "1.2.3", "")


@pytest.mark.parametrize("name", CHARTS)
def test_without_a_registry_none_is_named(name: str, tmp_path: Path) -> None:
    chart = stamp.chart(made(Home(HOME.url, "")), name, tmp_path)
    assert "oci://" not in (chart / "README.md").read_text().replace("oci://…", "")
    source = REPOSITORY / "charts" / name / "values.yaml"
    assert (chart / "values.yaml").read_text() == source.read_text()


def test_a_value_that_is_not_there_is_refused() -> None:
    with pytest.raises(ClusterError, match=r"no image\.name"):
        stamp.set_value("image:\n  tag: x\n", "image.name", "y")


def test_a_tag_of_another_version_is_refused() -> None:
    with pytest.raises(ClusterError, match="is not v"):
        plan.outputs(HOME, "v0.0.1")
    with pytest.raises(ClusterError, match="IMAGE_PREFIX is empty"):
        plan.outputs(Home(HOME.url, ""), f"v{plan.version()}")


def test_packages_are_read_from_the_files_of_an_image() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for place in (
            "opt/venv/lib/python3.11/site-packages/A_b.dist-info",
            "usr/lib/python3/dist-packages/C.dist-info",
        ):
            text = b"Name: A.b\nVersion: 1.0\n\n"
            member = tarfile.TarInfo(f"{place}/METADATA")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
    assert sbom.packages(io.BytesIO(out.getvalue())) == {"a-b": "1.0"}


def test_every_difference_from_the_lock_file_is_named() -> None:
    assert sbom.differences({"a": "1", "pip": "23"}, {"a": "1"}) == []
    assert len(sbom.differences({"a": "2", "b": "1"}, {"a": "1", "c": "1"})) == 3
