"""What a pod does before the app starts: packages of app.requirements, tables of the database, and storage in S3."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from .generated import CHARTS
from .rendering import Object, Rendered, app, notes, refusal

FILES = CHARTS / "chainlit/files"
IMAGE: Object = {"image": {"repository": "example/chat"}}
DATABASE: Object = {"database": {"existingSecret": "db", "key": "uri"}}
BUCKET: Object = {"bucket": "files", "existingSecret": "keys"}


def init(release: Rendered, name: str) -> Object:
    found: dict[str, Object] = {item["name"]: item for item in release.pod()["spec"]["initContainers"]}
    return found[name]


def names(release: Rendered) -> list[str]:
    return [item["name"] for item in release.pod()["spec"]["initContainers"]]


def mounts(container: Object) -> dict[str, Object]:
    return {mount["mountPath"]: mount for mount in container["volumeMounts"]}


def test_nothing_of_it_by_default() -> None:
    assert names(app()) == ["app-root"]
    assert not [item for item in app().all("ConfigMap") if item["metadata"]["name"].endswith("-scripts")]


@pytest.mark.parametrize(
    ("given", "text"), [(["openai", "pandas==2.3.3"], "openai\npandas==2.3.3"), ("openai\n# x\n", "openai\n# x")]
)
def test_requirements_as_list_and_as_file(given: object, text: str) -> None:
    release = app({"app": {"requirements": given}})
    assert release.named("ConfigMap", "chat-chainlit-scripts")["data"]["requirements.txt"] == text
    container = init(release, "requirements")
    *_, place, python_path = container["command"]
    assert python_path == ""
    assert release.env()["PYTHONPATH"] == place
    assert mounts(container)["/requirements"] == {"name": "requirements", "mountPath": "/requirements"}
    assert mounts(release.container())["/requirements"]["readOnly"] is True
    assert {"name": "requirements", "emptyDir": {}} in release.pod()["spec"]["volumes"]
    for field in ("image", "securityContext", "resources"):
        assert container[field] == release.container()[field]


@pytest.mark.parametrize(
    "other",
    [
        {"app": {"requirements": ["y"]}},
        {"image": {"tag": "2"}},
        {"chainlit": {"appRoot": {"python": "/venv/bin/python"}}},
    ],
)
def test_other_packages_or_another_image_get_another_directory(other: Object) -> None:
    values: Object = {"app": {"requirements": ["x"]}}
    assert app(values).env()["PYTHONPATH"] != app({**values, **other}).env()["PYTHONPATH"]


def test_python_path_of_the_users_own_stays() -> None:
    release = app({"app": {"requirements": ["x"]}, "env": {"PYTHONPATH": "/app"}})
    place = init(release, "requirements")["command"][-2]
    assert release.env()["PYTHONPATH"] == f"{place}:/app"
    assert init(release, "requirements")["command"][-1] == "/app"
    # There the image's own value shows, which a pod's would hide.
    assert "PYTHONPATH" not in {entry["name"] for entry in init(release, "requirements")["env"]}


def test_packages_are_kept_in_the_volume_of_the_app() -> None:
    values: Object = {"app": {"requirements": ["x"], "keepRequirements": True}, "persistence": {"enabled": True}}
    release = app(values)
    kept = {"name": "data", "mountPath": "/requirements", "subPath": ".requirements"}
    assert mounts(init(release, "requirements"))["/requirements"] == kept
    assert mounts(release.container())["/requirements"] == {**kept, "readOnly": True}
    assert release.one("Deployment")["spec"]["strategy"] == {"type": "Recreate"}  # the claim is ReadWriteOnce
    values["persistence"]["subPath"] = "chat"
    assert mounts(app(values).container())["/requirements"]["subPath"] == "chat/.requirements"


def test_users_init_containers_come_before_what_may_need_them() -> None:
    proxy = {"name": "proxy", "image": "example/proxy", "restartPolicy": "Always"}
    release = app({**DATABASE, "app": {"requirements": ["asyncpg"]}, "initContainers": [proxy]})
    assert names(release) == ["app-root", "proxy", "requirements", "migration"]
    assert mounts(init(release, "migration"))["/requirements"]["name"] == "requirements"
    found = {entry["name"]: entry.get("value") for entry in init(release, "migration")["env"]}
    assert found["PYTHONPATH"] == release.env()["PYTHONPATH"]


def test_migration_by_an_init_container() -> None:
    authorities = {"name": "ca", "mountPath": "/ca"}
    release = app({**DATABASE, "extraVolumeMounts": [authorities], "envFrom": [{"secretRef": {"name": "x"}}]})
    container = init(release, "migration")
    assert container["command"] == ["python3", "/run/scripts/migrate.py"]
    assert container["env"] == release.container()["env"]
    assert container["envFrom"] == release.container()["envFrom"]
    assert authorities in container["volumeMounts"]
    assert release.named("ConfigMap", "chat-chainlit-scripts")["data"].keys() == {"migrate.py"}
    assert not release.all("Job")


def test_migration_by_a_hook() -> None:
    release = app({**DATABASE, "auth": {"secret": "x" * 40}, "database": {**DATABASE["database"], "migration": "hook"}})
    assert names(release) == ["app-root"]
    job, texts = release.one("Job"), release.named("ConfigMap", "chat-chainlit-migration")
    for item in (job, texts):
        assert item["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
        assert item["metadata"]["annotations"]["helm.sh/hook-delete-policy"] == "before-hook-creation,hook-succeeded"
    weights = [int(item["metadata"]["annotations"]["helm.sh/hook-weight"]) for item in (texts, job)]
    assert weights == sorted(weights)
    template = job["spec"]["template"]
    selector = release.one("Deployment")["spec"]["selector"]["matchLabels"]
    assert not selector.items() <= template["metadata"]["labels"].items()  # no Service leads to it
    (container,) = template["spec"]["containers"]
    references = [entry["name"] for entry in container["env"] if "valueFrom" in entry]
    assert references == ["DATABASE_URL"]  # the release's own Secret is not there yet
    assert "serviceAccountName" not in template["spec"]
    assert container["securityContext"] == release.container()["securityContext"]


def test_no_migration() -> None:
    release = app({"database": {**DATABASE["database"], "migration": "none"}})
    assert names(release) == ["app-root"]
    assert not release.all("Job")


@pytest.mark.parametrize(
    ("storage", "modules"),
    [
        ({"s3": BUCKET}, ["boto3"]),
        ({"provider": "s3", "existingSecret": "x"}, ["boto3"]),
        ({"provider": "gcs", "existingSecret": "x"}, ["google.cloud.storage"]),
        ({"provider": "azure", "existingSecret": "x"}, ["azure.storage.filedatalake"]),
    ],
)
def test_migration_looks_for_the_driver_of_the_storage(storage: Object, modules: list[str]) -> None:
    assert init(app({**DATABASE, "storage": storage}), "migration")["command"][2:] == modules


def test_bucket_in_plain_and_keys_in_a_secret() -> None:
    env = app({**DATABASE, "storage": {"s3": {**BUCKET, "endpoint": "https://minio.example.com"}}}).env()
    assert (env["BUCKET_NAME"], env["APP_AWS_REGION"]) == ("files", "us-east-1")
    assert env["DEV_AWS_ENDPOINT"] == "https://minio.example.com"
    for name in ("APP_AWS_ACCESS_KEY", "APP_AWS_SECRET_KEY"):
        assert env[name]["valueFrom"] == {"secretKeyRef": {"name": "keys", "key": name}}
    assert "DEV_AWS_ENDPOINT" not in app({**DATABASE, "storage": {"s3": BUCKET}}).env()


def test_links_to_files_are_signed_as_s3_demands() -> None:
    """Without the setting boto3 takes the older signature in us-east-1 and others, and S3 refuses the link."""
    release = app({"database": {**DATABASE["database"], "migration": "none"}, "storage": {"s3": BUCKET}})
    file = release.env()["AWS_CONFIG_FILE"]
    assert mounts(release.container())["/run/scripts"] == {
        "name": "scripts",
        "mountPath": "/run/scripts",
        "readOnly": True,
    }
    scripts = release.named("ConfigMap", "chat-chainlit-scripts")
    assert {"name": "scripts", "configMap": {"name": "chat-chainlit-scripts"}} in release.pod()["spec"]["volumes"]
    assert "signature_version = s3v4" in scripts["data"][file.removeprefix("/run/scripts/")]
    assert "/run/scripts" not in mounts(app(DATABASE).container())


@pytest.mark.parametrize(
    ("values", "containers"),
    [
        ({}, []),
        (DATABASE, ["migration"]),
        ({"app": {"requirements": ["x"]}}, ["requirements"]),
        ({**DATABASE, "app": {"requirements": ["x"]}}, ["migration", "requirements"]),
        ({"database": {**DATABASE["database"], "migration": "hook"}}, []),
    ],
)
def test_notes_show_the_logs(values: Object, containers: list[str]) -> None:
    text = notes("chainlit", {**IMAGE, **values})
    shown = [line.partition("--container=")[2] for line in text.splitlines() if "--container=" in line]
    assert shown == containers
    assert "\n\n\n" not in text


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        ({"storage": {"s3": BUCKET}}, ["storage.s3 has no effect", "set database.existingSecret"]),
        ({**DATABASE, "storage": {"s3": {"bucket": "x"}}}, ["storage.s3.existingSecret", "APP_AWS_ACCESS_KEY"]),
        ({**DATABASE, "storage": {"s3": {"existingSecret": "x"}}}, ["set storage.s3.bucket"]),
        ({**DATABASE, "storage": {"s3": {"endpoint": "http://x"}}}, ["set storage.s3.bucket"]),
        ({**DATABASE, "storage": {"s3": {**BUCKET, "region": ""}}}, ["storage.s3.region", "us-east-1"]),
        (
            {**DATABASE, "storage": {"s3": BUCKET, "provider": "s3", "existingSecret": "x"}},
            ["only one storage", "remove storage.provider"],
        ),
        ({"app": {"keepRequirements": True}}, ["app.keepRequirements", "set app.requirements"]),
        ({"app": {"keepRequirements": True, "requirements": ["x"]}}, ["set persistence.enabled"]),
        (
            {"app": {"requirements": ["x"]}, "extraEnv": [{"name": "PYTHONPATH", "value": "/a"}]},
            ["PYTHONPATH", "move it to env"],
        ),
        (
            {"app": {"requirements": ["x"]}, "env": {"PYTHONPATH": {"valueFrom": {"x": {}}}}},
            ["env.PYTHONPATH", "write the value itself"],
        ),
        (
            {
                "app": {"requirements": ["x"], "keepRequirements": True},
                "persistence": {"enabled": True},
                "replicaCount": 2,
                "route": {"controller": "traefik"},
            },
            ["ReadWriteMany", "one pod only"],
        ),
    ],
)
def test_refused_with_the_remedy(values: Object, parts: list[str]) -> None:
    (line,) = [line for line in refusal("chainlit", {**IMAGE, **values}).splitlines() if "execution error" in line]
    for part in parts:
        assert part in line


# ------------------------------------------------------------------------------------------------------- the scripts


def run(script: str, *arguments: object, **env: str) -> tuple[int, str]:
    """Run a script of the chart as a pod does. Returns its exit code and all that it says."""
    command = [sys.executable, str(FILES / script), *map(str, arguments)]
    kept = {name: text for name, text in os.environ.items() if name not in ("PYTHONPATH", "DATABASE_URL")}
    done = subprocess.run(command, env={**kept, **env}, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def wheel(directory: Path, name: str, version: str) -> Path:
    """A package with one module."""
    made = directory / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(f"{name}.py", f"version = {version!r}\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return made


@pytest.fixture
def packages(tmp_path: Path) -> dict[str, str]:
    """Environment of pip with two packages, one of them in a version that the image has not."""
    (tmp_path / "index").mkdir()
    wheel(tmp_path / "index", "told", "1.0")
    wheel(tmp_path / "index", "pytest", "0.1")
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path / "index")}


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "requirements.txt"
    file.write_text(text, encoding="utf-8")
    return file


def test_packages_are_installed_once(tmp_path: Path, packages: dict[str, str]) -> None:
    requirements, into = written(tmp_path, "told\npytest\n"), tmp_path / "volume" / "abc"
    code, said = run("requirements.py", requirements, into, "", **packages)
    assert (code, said.splitlines()[-1]) == (0, "The packages of app.requirements are installed.")
    assert "told" in said  # progress
    assert not (into / "pytest.py").exists()  # the image has it
    assert [item.name for item in into.parent.iterdir()] == ["abc"]
    found = subprocess.run(
        [sys.executable, "-c", "import told; print(told.version)"],
        env={**os.environ, "PYTHONPATH": str(into)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout == "1.0\n"
    assert run("requirements.py", requirements, into, "") == (0, "The packages of app.requirements are there.\n")


@pytest.mark.parametrize("text", ["absent-package\n", "pytest==0.1\n"])
def test_packages_that_cannot_be_had(tmp_path: Path, packages: dict[str, str], text: str) -> None:
    into = tmp_path / "volume" / "abc"
    code, said = run("requirements.py", written(tmp_path, text), into, "", **packages)
    assert code == 1
    assert text.partition("=")[0].strip() in said
    assert "env.PIP_INDEX_URL" in said and "Traceback" not in said
    assert not list(into.parent.iterdir())  # the next try begins with nothing


def test_an_installation_that_was_cut_off_is_not_taken_for_complete(tmp_path: Path, packages: dict[str, str]) -> None:
    (tmp_path / "volume" / ".new-1").mkdir(parents=True)
    code, _ = run("requirements.py", written(tmp_path, "told\n"), tmp_path / "volume" / "abc", "", **packages)
    assert code == 0 and (tmp_path / "volume" / "abc" / "told.py").exists()


def test_python_path_of_the_image_is_not_lost_unsaid(tmp_path: Path) -> None:
    arguments = (written(tmp_path, "told"), tmp_path / "volume" / "abc")
    code, said = run("requirements.py", *arguments, "", PYTHONPATH="/srv/app")
    assert code == 1 and "PYTHONPATH=/srv/app" in said and "Set env.PYTHONPATH" in said


def test_image_without_pip(tmp_path: Path) -> None:
    (tmp_path / "pip.py").write_text("raise SystemExit(1)", encoding="utf-8")
    arguments = (written(tmp_path, "told"), tmp_path / "volume" / "abc", str(tmp_path))
    code, said = run("requirements.py", *arguments, PYTHONPATH=str(tmp_path))
    assert code == 1 and "app.requirements needs pip" in said and "Traceback" not in said


#: A driver that plays what a database answers; FAKE names the case.
DRIVER = """
import os
FAKE = os.environ["FAKE"].split()
PostgresError = type("PostgresError", (Exception,), {})
InterfaceError = type("InterfaceError", (Exception,), {})
for name in ("InvalidAuthorizationSpecificationError InvalidCatalogNameError CannotConnectNowError"
             " TooManyConnectionsError InsufficientPrivilegeError").split():
    globals()[name] = type(name, (PostgresError,), {})

class Transaction:
    async def __aenter__(self): pass
    async def __aexit__(self, *_): pass

class Connection:
    done = "complete" in FAKE
    def transaction(self): return Transaction()
    async def fetch(self, query, table):
        import migrate
        columns = ["id", *migrate.TABLES[table.strip('"')]]
        return [{"attname": name} for name in columns if self.done or (name != "props" and "old" in FAKE)]
    async def fetchval(self, *_): return "readonly" not in FAKE
    async def execute(self, sql):
        if "CREATE TABLE" in sql:
            if "weak" in FAKE: raise InsufficientPrivilegeError("permission denied for schema public")
            print("executed", "Element" in sql)
            self.done = True
    async def close(self): pass

async def connect(url, **_):
    if "password" in FAKE: raise InvalidAuthorizationSpecificationError("password authentication failed")
    if "setting" in FAKE: raise PostgresError('unrecognized configuration parameter "schema"')
    if "port" in FAKE: raise ValueError("invalid literal for int(): 's3cret'")
    if "late" in FAKE: FAKE.remove("late"); raise OSError("connection refused")
    return Connection()
"""
URL = "postgresql://ann:s3cret@db.example:5432/chat"


def migrate(tmp_path: Path, case: str, url: str = URL, *modules: str) -> tuple[int, str]:
    (tmp_path / "asyncpg.py").write_text(DRIVER, encoding="utf-8")
    return run("migrate.py", *modules, DATABASE_URL=url, FAKE=case, PYTHONPATH=f"{tmp_path}:{FILES}")


@pytest.mark.parametrize(
    ("case", "code", "parts"),
    [
        ("", 0, ["executed True", "db.example:5432/chat has all tables now; 45 columns were missing."]),
        ("old", 0, ["executed True", "1 columns were missing"]),
        ("complete", 0, ["db.example:5432/chat has all tables.\n"]),
        ("late", 0, ["Waiting for the database at db.example:5432/chat: connection refused", "has all tables now"]),
        ("weak", 1, ["may not make the tables: permission denied for schema public", "Make it the owner"]),
        ("complete readonly", 1, ["may not read and write User, Thread", "Grant it SELECT"]),
        ("password", 1, ["refuses the login: password authentication failed", "Correct user, password"]),
        ("setting", 1, ['DATABASE_URL does not work: unrecognized configuration parameter "schema"']),
        ("port", 1, ["DATABASE_URL is not a URL", "%40"]),
    ],
)
def test_migration_says_what_it_did_and_what_is_wrong(tmp_path: Path, case: str, code: int, parts: list[str]) -> None:
    found, said = migrate(tmp_path, case)
    assert found == code
    for part in parts:
        assert part in said
    assert "s3cret" not in said and "Traceback" not in said
    assert ("executed" in said) is (code == 0 and "complete" not in case)


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("", "DATABASE_URL is empty"),
        ("postgresql+asyncpg://ann:s3cret@h/d", "begins with postgresql+asyncpg://"),
        ("mysql://ann:s3cret@h/d", "begins with mysql://"),
        ("host=h password=s3cret", "has no scheme"),
    ],
)
def test_url_that_chainlit_does_not_read(tmp_path: Path, url: str, part: str) -> None:
    code, said = migrate(tmp_path, "", url)
    assert code == 1
    assert part in said and "database.migration=none" in said and "s3cret" not in said


@pytest.mark.parametrize(
    "url", ["postgresql://ann:s3cret/x@h:1/d", "postgresql://ann:s3cret#x@h:1/d", f"{URL}/@s3cret"]
)
def test_no_part_of_a_password_is_shown(tmp_path: Path, url: str) -> None:
    code, said = migrate(tmp_path, "complete", url)
    assert code == 0 and "the host of DATABASE_URL has all tables." in said and "s3cret" not in said


def test_a_bracket_in_a_password_is_no_address_of_ipv6(tmp_path: Path) -> None:
    code, said = migrate(tmp_path, "complete", "postgresql://ann:s3cret[x@h:1/d")
    assert code == 1 and "DATABASE_URL is not a URL" in said and "%5B" in said
    assert "s3cret" not in said and "Traceback" not in said


def test_a_database_at_an_address_of_ipv6_is_named(tmp_path: Path) -> None:
    code, said = migrate(tmp_path, "complete", "postgresql://ann:s3cret@[fd00::1]:5432/d")
    assert code == 0 and "The database at [fd00::1]:5432/d has all tables." in said and "s3cret" not in said


def test_image_without_a_driver(tmp_path: Path) -> None:
    code, said = run("migrate.py", DATABASE_URL=URL)
    assert code == 1
    assert "cannot import asyncpg" in said and "chainlit[custom-data]" in said and "app.requirements" in said
    code, said = migrate(tmp_path, "complete", URL, "absent_driver")
    assert code == 1 and "cannot import absent_driver" in said


def test_every_script_is_a_file_of_the_chart() -> None:
    data: Any = {}
    for item in app({**DATABASE, "app": {"requirements": ["x"]}}).all("ConfigMap"):
        data |= item["data"]
    for name in ("migrate.py", "requirements.py"):
        assert data[name] == (FILES / name).read_text(encoding="utf-8")
