"""Four linters of manifests, over what the charts make of all values files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.charts import openapi
from tests.charts.rendering import Object
from tests.cluster import golang, tools
from tests.cluster.kubernetes import MODULE
from tests.cluster.versions import REPOSITORY
from tests.values import kinds

CHECKOV = REPOSITORY / ".venv/checkov/bin/checkov"
#: kube-score's grade of what is well.
WELL = 10


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """What a linter finds: its name of the check, the values file, and its words."""

    check: str
    file: str
    text: str


def write(rendered: Mapping[str, Sequence[Object]], into: Path) -> None:
    """Write a file of YAML for each name, which may have a directory."""
    for name, objects in rendered.items():
        file = into / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n---\n".join(map(json.dumps, objects)), encoding="utf-8")


def kube_score(rendered: Mapping[str, Sequence[Object]]) -> Iterator[Finding]:
    """Yield what kube-score finds: critical, or a warning. Each release by itself, as they share names."""
    for name, objects in rendered.items():
        command: list[str | Path] = [
            tools.kube_score(),
            "score",
            "--output-format=json",
            "--ignore-container-cpu-limit",
            "-",
        ]
        for item in _json(command, stdin="\n---\n".join(map(json.dumps, objects))):
            for check in item["checks"]:
                if check["grade"] < WELL and not check["skipped"]:
                    words = "; ".join(comment["summary"] for comment in check["comments"] or ())
                    yield Finding(check["check"]["id"], name, f"{item['object_name']}: {words}")


def kubeconform(rendered: Mapping[str, Sequence[Object]], work: Path, version: str) -> Iterator[Finding]:
    """Yield what does not fit the schemas of a release of Kubernetes."""
    write({name: _known(objects) for name, objects in rendered.items()}, work)
    locations = [option for place in openapi.schemas() for option in ("-schema-location", place)]
    options = ["-strict", "-output", "json", "-kubernetes-version", version.removeprefix("v")]
    for item in _json([tools.kubeconform(), *options, *locations, work])["resources"] or ():
        yield Finding(item["status"], _name(item["filename"], work), f"{item['kind']} {item['name']}: {item['msg']}")


def kubectl_validate(rendered: Mapping[str, Sequence[Object]], work: Path, version: str) -> Iterator[Finding]:
    """Yield what an API server of a release of Kubernetes would refuse, rules of CEL and keys of lists included."""
    write({name: _known(objects) for name, objects in rendered.items()}, work / "manifests")
    _schemas(work / "schemas", version)
    (work / "crds").mkdir()
    for path in openapi.definitions():
        shutil.copy(path, work / "crds")
    places = [f"--local-schemas={work / 'schemas'}", f"--local-crds={work / 'crds'}"]
    command: list[str | Path] = [tools.kubectl_validate(), "--output=json", *places, work / "manifests"]
    for file, statuses in _json(command).items():
        for status in statuses:
            if status["status"] != "Success":
                yield Finding(status.get("reason", "Failure"), _name(file, work / "manifests"), status["message"])


def checkov(rendered: Mapping[str, Sequence[Object]], work: Path) -> Iterator[Finding]:
    """Yield the checks of checkov that fail."""
    write(rendered, work)
    options = ["--framework=kubernetes", "--output=json", "--compact", "--quiet", "--skip-download", "--soft-fail"]
    report = _json([CHECKOV, f"--directory={work}", *options])
    assert not report["summary"]["parsing_errors"], report["results"]["parsing_errors"]
    for check in report["results"]["failed_checks"]:
        name = _name(check["file_abs_path"], work)
        yield Finding(check["check_id"], name, f"{check['resource']}: {check['check_name']}")


def _known(objects: Sequence[Object]) -> list[Object]:
    return [item for item in objects if kinds.has_schema(item)]


def _schemas(into: Path, version: str) -> None:
    """Lay out the OpenAPI of a release as kubectl-validate wants it: apis/<group>/<version>.json."""
    place = Path(golang.module_info(MODULE, version)["Dir"]) / "api/openapi-spec/v3"
    for file in place.glob("api*__v*_openapi.json"):
        target = into / (file.name.removesuffix("_openapi.json").replace("__", "/") + ".json")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(file)


def _name(path: str, below: Path) -> str:
    return str(Path(path).resolve().relative_to(below.resolve()).with_suffix(""))


def _json(command: Sequence[str | Path], stdin: str | None = None) -> Any:
    """Run a linter, whatever its exit status, and return its report."""
    told = subprocess.run(
        command,
        input=stdin,
        stdin=None if stdin else subprocess.DEVNULL,
        env=os.environ | {"KUBECONFIG": os.devnull},  # none of them is to ask a cluster
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.stdout, told.stderr
    return json.loads(told.stdout)
