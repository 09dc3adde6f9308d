"""Every command of the pages runs as it is printed, in the order of the page."""

from __future__ import annotations

import re

import pytest

from tests.docs import installing, packaging
from tests.docs.blocks import PAGES, TOP, Block, blocks_of, everywhere, of_page
from tests.docs.given import GIVEN, Given
from tests.docs.world import CommandFailed, World
from tests.release.home import Home

COMMANDS = [block for block in everywhere() if block.is_commands]


def given(block: Block, former: Block | None) -> Given:
    """Return what a block begins with, after the block above it on its page."""
    section = GIVEN.get(f"{block.page}#{block.section}", Given())
    if former is None:
        page = GIVEN[block.page]
        return Given(section.state or page.state, section.before or page.before)
    return section if former.section != block.section else Given()


@pytest.mark.parametrize("page", sorted({block.page for block in COMMANDS}, key=PAGES.index))
def test_commands_of_a_page_run_as_they_are_printed(world: World, page: str) -> None:
    directory = world.directory()
    former: Block | None = None
    for block in of_page(page):
        if block.file:
            (directory / block.file).write_text(block.text)
        if not block.is_commands:
            continue
        start, former = given(block, former), block
        if start.state:
            world.begin(start.state)
        if start.before:
            world.run(start.before)
        try:
            world.run(block.text)
        except CommandFailed as failed:
            pytest.fail(f"{block.place} ({block.section}): {failed}", pytrace=False)


def test_commands_of_a_home_with_a_registry_install_what_it_would_have(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The charts are those of ``make package``, instead of the same ones from the registry."""
    monkeypatch.setenv("IMAGE_PREFIX", "registry.example.com/team")
    world.begin("new")
    packaging.write(world.directory() / "dist")
    text = installing.commands(Home("https://example.com/team/operator", "registry.example.com/team"))
    (commands,) = [block.text for block in blocks_of("", text) if block.is_commands]
    here = re.sub(r"oci://registry.example.com/team/charts/(\S+) --version (\S+)", r"dist/\1-\2.tgz", commands)
    assert here.count("dist/") == 2
    world.run(here)
    assert world.get("deployment chat")["spec"]["template"]["spec"]["containers"][0]["image"].startswith(
        "registry.example.com/team/chainlit-runtime:"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        "kubectl logs --namespace team-a deployment/chat --container nobody",
        "kubectl rollout status --namespace team-a deployment/nobody",
        "kubectl run probe --attach --rm --image=x -- probe --no-such-option http://chat",
        "helm test chat --namespace team-a",
        "docker build --tag REGISTRY/x docs",
        "docker push REGISTRY/nobody-built-this",
        "make no-such-target",
        "chainlit-operator run --no-such-option",
        "helm install other charts/chainlit --set image.repository=x,no.such=value",
    ],
)
def test_a_wrong_command_fails(world: World, wrong: str) -> None:
    world.begin("chat")
    world.directory()
    with pytest.raises(CommandFailed):
        world.run(wrong)


def test_what_is_given_belongs_to_a_page() -> None:
    sections = {f"{block.page}#{block.section}" for block in COMMANDS} | {block.page for block in COMMANDS}
    assert not [name for name in GIVEN if name not in sections]
    assert all((TOP / page).exists() for page in PAGES)
