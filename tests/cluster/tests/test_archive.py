"""Images written as archives."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

from tests.cluster.archive import Image, write


def test_the_archive_holds_what_an_engine_checks(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"code")
    program.chmod(0o755)
    image = Image(
        ["localhost/a:1", "localhost/b:1"], {"/usr/bin/program": program}, {"/usr/bin/p": "program"}, user="1:1"
    )
    write(image, tmp_path / "image.tar")
    with tarfile.open(tmp_path / "image.tar") as archive:

        def content(name: str) -> bytes:
            member = archive.extractfile(name)
            assert member is not None
            return member.read()

        (manifest,) = json.loads(content("manifest.json"))
        config = content(manifest["Config"])
        layer = content(manifest["Layers"][0])
    assert manifest["RepoTags"] == ["localhost/a:1", "localhost/b:1"]
    assert manifest["Config"] == hashlib.sha256(config).hexdigest() + ".json"
    assert json.loads(config)["rootfs"]["diff_ids"] == ["sha256:" + hashlib.sha256(layer).hexdigest()]
    assert json.loads(config)["config"]["User"] == "1:1"
    with tarfile.open(fileobj=io.BytesIO(layer)) as files:
        assert files.getnames() == ["tmp", "usr", "usr/bin", "usr/bin/program", "usr/bin/p"]
        assert files.getmember("tmp").mode == 0o1777
        assert files.getmember("usr/bin/program").mode == 0o755
        assert files.getmember("usr/bin/p").linkname == "program"


def test_the_same_files_give_the_same_archive(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"code")
    for name in ("one.tar", "two.tar"):
        write(Image(["localhost/a:1"], {"/program": program}), tmp_path / name)
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()
