"""Dockerfile and compose.yaml are held, without building them, by what the project itself knows.

That an image comes of them, and that it runs, .ci/image tries where there is a Docker engine.
"""

from __future__ import annotations

import json
import re
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.apps import apps
from django.core.management import get_commands, load_command_class

from tests.conftest import tool
from tests.site.environment_reads import PAGE, documented
from tests.site.fresh import ROOT, script

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
# What these read themselves, and no setting of ours.
OF_PYTHON = frozenset({"PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"})
OF_POSTGRESQL = frozenset({"POSTGRES_DB", "POSTGRES_USER", "POSTGRES_PASSWORD"})


def instructions() -> list[tuple[str, str]]:
    """Each instruction of the Dockerfile with its arguments, continued lines joined."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    split = (line.partition(" ") for line in lines if line.strip())
    return [(name, " ".join(arguments.split())) for name, _, arguments in split]


def of(name: str) -> list[str]:
    return [arguments for instruction, arguments in instructions() if instruction == name]


def parsed(command: list[str]) -> dict[str, Any]:
    """The options of a command of manage.py; fails where the command or one of its options is unknown."""
    name, *arguments = command
    known = get_commands()
    assert name in known, f"manage.py has no command {name}."
    found = load_command_class(str(known[name]), name)
    return {**vars(found.create_parser("manage.py", name).parse_args(arguments))}


def managed(test: list[str]) -> list[str] | None:
    """The command of manage.py that a health check runs, if it runs one."""
    return test[3:] if test[:3] == ["CMD", "python", "manage.py"] else None


def commands() -> Iterator[tuple[str, list[str]]]:
    yield "Dockerfile, CMD", json.loads(of("CMD")[0])
    for name, service in OURS.items():
        yield f"compose.yaml, {name}", service["command"]
        if command := managed(service.get("healthcheck", {}).get("test", [])):
            yield f"compose.yaml, health of {name}", command


@pytest.mark.parametrize(("where", "command"), [pytest.param(*each, id=each[0]) for each in commands()])
def test_every_command_and_its_options_are_of_manage_py(where: str, command: list[str]) -> None:
    assert parsed(command)


def test_a_command_or_an_option_that_is_gone_is_seen() -> None:
    with pytest.raises(AssertionError, match=r"manage.py has no command serve"):
        parsed(["serve"])
    with pytest.raises(Exception, match=r"unrecognized arguments: --everywhere"):
        parsed(["run_mwl", "--everywhere"])


def test_the_image_runs_manage_py_as_nobody_in_particular() -> None:
    assert json.loads(of("ENTRYPOINT")[0]) == ["python", "manage.py"]
    (user,) = of("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user), "USER is a number, and not that of root."
    assert not any("user" in service for service in OURS.values())
    names = [name for name, _ in instructions()]
    assert "COPY" not in names[names.index("USER") :], "What is copied belongs to root."


@pytest.mark.parametrize(
    "image", [*(argument.split()[0] for argument in of("FROM")), SERVICES["database"]["image"]]
)
def test_what_an_image_is_made_from_is_pinned(image: str) -> None:
    assert re.fullmatch(r"\w+:\d+\.\d+(\.\d+)?(-[\w-]+)?(@sha256:[0-9a-f]{64})?", image)


def test_all_stages_are_of_the_same_python_that_the_linter_is_told() -> None:
    (image,) = {argument.split()[0] for argument in of("FROM")}
    assert image.startswith("python:3.11.")
    assert 'target-version = "py311"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_the_image_holds_every_app_and_no_more_than_is_copied() -> None:
    copied = [arguments.split()[:-1] for arguments in of("COPY") if "--from" not in arguments]
    local = {name for names in copied for name in names}
    ours = {app.name for app in apps.get_app_configs() if (ROOT / app.name).is_dir()}
    assert ours <= local, "The Dockerfile does not copy every app."
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignored.index("*") < min(ignored.index(f"!{name}") for name in local)
    assert {line[1:] for line in ignored if line.startswith("!")} == local
    assert all((ROOT / name).exists() for name in local)


def test_every_variable_is_a_setting_that_the_docs_name() -> None:
    known = documented(PAGE.read_text(encoding="utf-8"))
    of_the_image = re.findall(r"(\w+)=", " ".join(of("ENV")))
    given = {*of_the_image} - OF_PYTHON
    for service in OURS.values():
        given |= {name.removesuffix("_FILE") for name in service["environment"]}
    assert given <= known, f"docs/deployment.md does not name {given - known}."
    assert {name.removesuffix("_FILE") for name in SERVICES["database"]["environment"]} == OF_POSTGRESQL


@pytest.mark.slow
def test_the_secrets_that_the_docs_make_are_good_ones(tmp_path: Path) -> None:
    section = PAGE.read_text(encoding="utf-8").partition("## In containers")[2]
    (block, *_) = re.findall(r"```bash\n(.*?)```", section, re.DOTALL)
    subprocess.run([tool("bash"), "-eu", "-c", block], cwd=tmp_path, check=True, timeout=50)

    folder = tmp_path / "secrets"
    assert {path.name for path in folder.iterdir()} == set(COMPOSE["secrets"])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o444}
    files = {
        name: str(folder / Path(value).name)
        for name, value in SERVICES["web"]["environment"].items()
        if name.endswith("_FILE")
    }
    show = (
        "from django.conf import settings as s; d = s.DATABASES['default']; "
        "print(len(s.SECRET_KEY), len(s.FIELD_ENCRYPTION_KEYS), end=' ')\n"
        "print(d['HOST'], d['NAME'], d['USER'], d['PASSWORD'])"
    )
    result = script(tmp_path, show, DJANGO_SETTINGS_MODULE="pylantir_site.settings", **files)
    password = (folder / "database_password").read_text().strip()
    assert result.stdout.split() == ["64", "1", "database", "pylantir", "pylantir", password], result.stderr
    assert not (tmp_path / "secret_key").exists(), "A key was made although one is given."


def test_what_an_administrator_must_give_is_in_the_docs() -> None:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    section = PAGE.read_text(encoding="utf-8").partition("## In containers")[2].partition("\n## ")[0]
    needed = {*re.findall(r"\$\{(\w+):", text), *COMPOSE["secrets"], "pylantir.env"}
    assert {name for name in needed if name not in section} == set()


def test_ports_are_the_commands_own() -> None:
    web, dicom = parsed(["start"])["api_port"], parsed(["start"])["port"]
    assert of("EXPOSE") == [f"{web} {dicom}"]
    assert SERVICES["web"]["ports"] == [f"127.0.0.1:{web}:{web}"]
    assert SERVICES["dicom"]["ports"] == [f"{dicom}:{dicom}"]
    assert parsed(SERVICES["web"]["command"])["api_port"] == web
    assert parsed(SERVICES["dicom"]["command"])["port"] == dicom
    assert {service["environment"]["MWL_ADDRESS"] for service in OURS.values()} == {f"dicom:{dicom}"}
    assert f"http://127.0.0.1:{web}/health" in of("HEALTHCHECK")[0]
    assert f"('127.0.0.1', {dicom})" in SERVICES["dicom"]["healthcheck"]["test"][-1]
    assert not any("ports" in SERVICES[name] for name in ("database", "worker", "migrate"))


def test_servers_listen_at_every_address_of_their_container() -> None:
    image = parsed(json.loads(of("CMD")[0]))
    assert (image["ip"], image["api_host"]) == ("0.0.0.0", "0.0.0.0")
    assert parsed(SERVICES["web"]["command"])["api_host"] == "0.0.0.0"
    assert parsed(SERVICES["dicom"]["command"])["ip"] == "0.0.0.0"


def test_no_secret_is_written_down_and_each_is_given_to_who_reads_it() -> None:
    secrets = COMPOSE["secrets"]
    for name, service in SERVICES.items():
        environment = service["environment"]
        paths = {value for variable, value in environment.items() if variable.endswith("_FILE")}
        assert paths == {f"/run/secrets/{secret}" for secret in service["secrets"]}, name
        assert set(service["secrets"]) <= set(secrets), name
        assert not environment.keys() & {"SECRET_KEY", "DATABASE_URL", "POSTGRES_PASSWORD"}, name
    assert all(re.fullmatch(r"\./secrets/\w+", secret["file"]) for secret in secrets.values())
    assert "/secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert not re.search(r"PASSWORD|SECRET|TOKEN|KEY", " ".join(of("ENV") + of("ARG")))


def test_one_service_migrates_and_the_others_wait_for_it() -> None:
    migrating = [name for name, service in OURS.items() if service["command"][0] == "migrate"]
    assert migrating == ["migrate"]
    assert SERVICES["migrate"]["restart"] == "no"
    for name in OURS.keys() - {"migrate"}:
        conditions = {on: each["condition"] for on, each in OURS[name]["depends_on"].items()}
        assert conditions == {
            "database": "service_healthy",
            "migrate": "service_completed_successfully",
        }, name


def test_whatever_runs_on_is_looked_after() -> None:
    """The web server's check is the image's."""
    assert of("HEALTHCHECK")
    checked = {name for name, service in SERVICES.items() if service.get("healthcheck", {}).get("test")}
    assert checked == SERVICES.keys() - {"migrate", "web"}
    for name, service in OURS.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["init"], name
        assert int(service["stop_grace_period"].removesuffix("s")) > 30, "Longer than what runs may take."
