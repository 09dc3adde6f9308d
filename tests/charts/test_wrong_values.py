"""Wrong values, as people bring them from other charts or mistype them: each error names the key and the remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from .generated import CHARTS, NAMES, known_values
from .rendering import Object, Refused, app, operator, refusal, render

APP, OPERATOR = NAMES

#: One mistake in a row: the chart, the values, what the message says of the place, and of the remedy.
ROWS = Path(__file__).with_name("wrong_values.txt")


def _rows() -> list[Any]:
    lines = [line for line in ROWS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    split = [[part.strip() for part in line.split(" | ")] for line in lines]
    return [pytest.param(*parts, id=f"{parts[0]}-{parts[1]}") for parts in split]


@pytest.mark.parametrize(("chart", "text", "place", "remedy"), _rows())
def test_an_error_names_the_key_and_the_remedy(chart: str, text: str, place: str, remedy: str) -> None:
    values = yaml.safe_load(text.replace("\\n", "\n"))
    if chart == APP:
        values = {**values, "image": _with_repository(values.get("image", {}))}
    (line,) = [line for line in refusal(chart, values).splitlines() if place in line]
    assert remedy in line.partition(place)[2]


def _with_repository(image: Any) -> Any:
    return {"repository": "example/chat", **image} if isinstance(image, dict) else image


def foreign(chart: str) -> dict[str, str]:
    """Return the remedies for values of other charts, by the values' names."""
    found: dict[str, str] = yaml.safe_load((CHARTS / chart / "files/foreign.yaml").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("chart", NAMES)
def test_values_of_other_charts_have_a_remedy_each(chart: str) -> None:
    """All problems are named at once, each in a line of its own."""
    values: Object = {}
    for name in foreign(chart):
        *sections, key = name.split(".")
        place = values
        for section in sections:
            place = place.setdefault(section, {})
        place[key] = {"enabled": True}
    lines = refusal(chart, values).splitlines()
    for name, remedy in foreign(chart).items():
        assert f"- {name} is not a value of this chart: {remedy}" in lines


@pytest.mark.parametrize("chart", NAMES)
def test_remedies_are_for_values_that_the_chart_lacks_and_name_values_that_it_has(chart: str) -> None:
    paths = set(known_values(chart)["paths"])
    assert not foreign(chart).keys() & paths
    for name, remedy in foreign(chart).items():
        named = [word.strip(",;").partition("=")[0] for word in remedy.split() if "." in word.strip(".,;")]
        wrong = [word for word in named if word.partition(".")[0] in paths and word not in paths]
        opened = [word for word in wrong if not any(word.startswith(f"{path}.") for path in OPEN)]
        assert not opened, f"{name}: {opened}"


#: Values whose keys are not the chart's.
OPEN = (
    "global",
    "extraPodSpec",
    "resources",
    "route.rule",
    "strategy",
    "oauth",
    "livenessProbe",
    "imagePullSecrets",
    "registry",
)


def test_values_that_parents_give_are_known() -> None:
    for rendered in (app, operator):
        assert rendered({"global": {"anything": 1}, "enabled": True}).objects


@pytest.mark.parametrize("chart", NAMES)
def test_nothing_is_wrong_with_the_defaults(chart: str) -> None:
    try:
        render(chart, {"image": {"repository": "example/chat"}})
    except Refused as refused:
        pytest.fail(str(refused))
