"""What the machine's apt sources say."""

from pathlib import Path

import pytest
from tests.cluster import apt
from tests.cluster.apt import Source, machine_sources, mirror, parse_deb822, parse_list
from tests.cluster.errors import ClusterError

DEB822 = """\
# a comment
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
 contrib
Signed-By: /usr/share/keyrings/a.gpg

Types: deb
Enabled: no
URIs: http://disabled.example/debian
Suites: bookworm
Components: main

Types: deb-src
URIs: http://source.example/debian
Suites: bookworm
Components: main
"""


def test_a_sources_file_gives_its_enabled_binary_archives() -> None:
    assert list(parse_deb822(DEB822)) == [
        Source("http://mirror.example/debian", ("bookworm", "bookworm-updates"), ("main", "contrib"))
    ]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (
            "deb http://a.example/debian bookworm main contrib",
            [Source("http://a.example/debian", ("bookworm",), ("main", "contrib"))],
        ),
        ("deb [arch=amd64 signed-by=/k.gpg] http://a.example x main", [Source("http://a.example", ("x",), ("main",))]),
        ("deb [arch=amd64] http://a.example x main # why", [Source("http://a.example", ("x",), ("main",))]),
        ("# deb http://a.example/debian bookworm main", []),
        ("deb-src http://a.example/debian bookworm main", []),
        ("deb", []),
        ("", []),
    ],
)
def test_a_list_file_gives_its_lines(line: str, found: list[Source]) -> None:
    assert list(parse_list(line)) == found


def test_the_mirror_is_the_one_of_the_release_and_not_of_its_updates() -> None:
    sources = [
        Source("http://tools.example", ("bookworm",), ("tools",)),
        Source("http://security.example", ("bookworm-security",), ("main",)),
        Source("cdrom:[disc]/", ("bookworm",), ("main",)),
        Source("http://mirror.example/debian", ("bookworm", "bookworm-updates"), ("main",)),
    ]
    assert mirror(sources, "bookworm") == "http://mirror.example/debian"
    assert mirror(sources, "trixie") is None


def test_both_kinds_of_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text("deb http://a.example x main\n")
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / "b.sources").write_text(
        "Types: deb\nURIs: http://b.example\nSuites: x\nComponents: main"
    )
    (tmp_path / "sources.list.d" / "c.list").write_text("deb http://c.example x main")
    (tmp_path / "sources.list.d" / "d.list.save").write_text("deb http://d.example x main")
    assert [source.uri for source in machine_sources(tmp_path)] == [
        "http://a.example",
        "http://b.example",
        "http://c.example",
    ]


def test_a_machine_without_apt_has_no_sources(tmp_path: Path) -> None:
    assert machine_sources(tmp_path) == []


def test_what_cannot_be_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(ClusterError, match=r"needs packages that are not installed: some-package$"):
        apt.require({"no-such-program": "some-package", "sh": "another"}, "This")


def test_os_release_is_read_without_its_quotes(tmp_path: Path) -> None:
    (tmp_path / "os-release").write_text('ID=debian\nVERSION_CODENAME="bookworm"\n')
    assert apt.os_release(tmp_path / "os-release") == {"ID": "debian", "VERSION_CODENAME": "bookworm"}
    assert apt.os_release(tmp_path / "missing") == {}
