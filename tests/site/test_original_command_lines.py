"""The command lines of the original's README are typed here, on a wheel in an empty folder.

Left out is what another project's code or a clone of it needs: `git clone`, `pip install` from the index.
The scripts of its folder `tests` are commands here: `python query-db.py` is `pylantir query-db`.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests import once
from tests.conftest import free_port, wait_until
from tests.site import wheels
from tests.site.fresh import ROOT
from tests.site.test_start import answers

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
PASSWORD = "your-new-passw0rd"
STUDY_UID = "1.2.840.10008.3.1.2.3.4.55635351412689303463019139483773956632"
SOP_UID = "1.2.840.10008.3.1.2.3.4.187176383255263644225774937658729238426"
START = (
    "pylantir start --ip 127.0.0.1 --port 4242 "
    "--AEtitle MWL_SERVER --pylantir_config Path/to/your/config.json"
)
MPPS = (
    "python test-mpps.py --AEtitle MWL_SERVER --mpps_action {} --callingAEtitle MWL_TESTER "
    f"--ip 127.0.0.1 --port 4242 --study_uid {STUDY_UID} --sop_uid {SOP_UID}"
)
# What each must print, one after another; those that ask for a password read it.
LINES = (
    ("pylantir admin-password --username admin", "The password of admin was changed."),
    (
        "pylantir create-user --username newuser --role write --email user@example.com",
        "User newuser with the role write was created.",
    ),
    ("pylantir list-users", "user@example.com"),
    ("python query-db.py", "SCHEDULED"),
    ("pylantir test-client --AEtitle MWL_SERVER --ip 127.0.0.1 --port 4242", STUDY_UID),
    (MPPS.format("create"), "The performed step is IN PROGRESS."),
    ("python query-db.py", "IN_PROGRESS"),
    (MPPS.format("set --mpps_status COMPLETED"), "The performed step is COMPLETED."),
    ("pylantir query-db", "COMPLETED"),
)
STARTS_API = (
    "pylantir start-api --api-host 0.0.0.0 --api-port 8000",
    "pylantir start-api --pylantir_config /path/to/config.json --api-port 8080",
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the wheel and the virtual environment that it is installed in."""

    def fill(folder: Path) -> None:
        wheels.build(folder)
        wheels.install(folder)

    return once.folder(tmp_path_factory, "wheel", fill)


class Site(NamedTuple):
    """A server runs from the wheel, on the databases of a configuration file."""

    installed: Path
    home: Path
    config: Path
    web: int
    dicom: int
    printed: Path

    def words(self, line: str) -> list[str]:
        """Return the README's line with this site's ports and paths."""
        line = re.sub(r"^python ([a-z]+-[a-z]+)\.py", r"pylantir \1", line)
        line = line.replace("--port 4242", f"--port {self.dicom}")
        line = line.replace("Path/to/your/config.json", str(self.config))
        program, *options = shlex.split(line.replace("/path/to/config.json", str(self.config)))
        return [str(self.installed / "venv" / "bin" / program), *options]

    def type(self, line: str) -> subprocess.CompletedProcess[str]:
        """Type the line, and which configuration is meant, which the README's lines leave out."""
        return subprocess.run(
            [*self.words(line), "--pylantir_config", str(self.config)],
            env=wheels.environment(self.home),
            cwd=self.home,
            input=f"{PASSWORD}\n",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def site(installed: Path, tmp_path: Path) -> Iterator[Site]:
    """Type the README's `pylantir start`, its environment variables set, and stop it as it says."""
    home = tmp_path
    site = Site(installed, home, home / "config.json", free_port(), free_port(), home / "printed")
    site.config.write_text(json.dumps(configuration(home)), encoding="utf-8")
    redcap = {"REDCAP_API_URL": "https://127.0.0.1:1/api/", "REDCAP_API_TOKEN": "A" * 32}
    with site.printed.open("w") as printed:
        process = subprocess.Popen(
            [*site.words(START), "--api-port", str(site.web)],
            env=wheels.environment(home, **redcap, PYLANTIR_ADMIN_PASSWORD=PASSWORD),
            cwd=home,
            stdout=printed,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_until(lambda: process.poll() is not None or (answers(site.web) and answers(site.dicom)), 90)
            assert process.poll() is None, site.printed.read_text()
            yield site
        finally:
            process.terminate()
            process.wait(timeout=60)
    assert process.returncode == 0, site.printed.read_text()


def configuration(home: Path) -> dict[str, object]:
    """Return the README's first example, with this site's paths, and without a pull during the tests."""
    never = {"start_time": [3, 0], "end_time": [3, 1]}
    return {
        "db_path": str(home / "data" / "worklist.db"),
        "users_db_path": str(home / "data" / "users.db"),
        "db_echo": "False",
        "allowed_aet": [],
        "data_sources": [
            {
                "name": "main_redcap",
                "type": "redcap",
                "enabled": True,
                "sync_interval": 60,
                "operation_interval": never,
                "config": {"site_id": "792", "protocol": "BRAIN_MRI_3T"},
                "field_mapping": {"study_id": "study_id", "mri_date": "scheduled_start_date"},
            }
        ],
        "protocol": {"792": "BRAIN_MRI_3T", "mapping": "GEHC"},
    }


def post(site: Site, path: str, body: dict[str, str], token: str = "") -> dict[str, str]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{site.web}{path}",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: dict[str, str] = json.load(answer)
    return found


def make_item(site: Site) -> None:
    """Sign in as the README does, and make the item of its study."""
    token = post(site, "/auth/login", {"username": "admin", "password": PASSWORD})["access_token"]
    wanted = {
        "patient_name": "Doe^John",
        "patient_id": "PATIENT001",
        "patient_birth_date": "19900101",
        "patient_sex": "M",
        "modality": "MR",
        "scheduled_start_date": "20991231",
        "scheduled_start_time": "090000",
        "performed_procedure_step_status": "SCHEDULED",
        "study_instance_uid": STUDY_UID,
    }
    post(site, "/worklist", wanted, token)


@pytest.mark.acceptance("RC184", "RC185")
def test_the_lines_of_the_readme_do_what_they_say(site: Site) -> None:
    printed = site.printed.read_text()
    assert "First admin: user name admin, password as in PYLANTIR_ADMIN_PASSWORD." in printed
    assert "main_redcap" in printed
    assert "Traceback" not in printed
    assert "AAAA" not in printed  # of the token
    make_item(site)

    for line, expected in LINES:
        done = site.type(line)
        assert done.returncode == 0, f"{line}: {done.stderr}"
        assert expected in done.stdout, line

    for path in ("admin/css/base.css", "pylantir/admin.css", "pylantir/whose_id.js"):
        with urllib.request.urlopen(f"http://127.0.0.1:{site.web}/static/{path}", timeout=30) as answer:
            assert answer.status == 200


@pytest.mark.acceptance("RC184")
@pytest.mark.parametrize("line", STARTS_API)
def test_the_api_starts_alone(installed: Path, migrated: Path, line: str) -> None:
    """The users' database is named by the environment, as the README has it."""
    port, config = free_port(), migrated / "config.json"
    config.write_text(json.dumps({"db_path": str(migrated / "worklist.db")}), encoding="utf-8")
    shutil.copyfile(migrated / "worklist.db", migrated / "users.db")
    paths = {"DB_PATH": str(migrated / "worklist.db"), "USERS_DB_PATH": str(migrated / "users.db")}
    site = Site(installed, migrated, config, port, 4242, migrated / "printed")
    process = subprocess.Popen(
        site.words(re.sub(r"--api-port \d+", f"--api-port {port}", line)),
        env=wheels.environment(migrated, **paths),
        cwd=migrated,
    )
    try:
        wait_until(lambda: process.poll() is not None or answers(port), 60)
        for path in ("/docs", "/redoc", "/health"):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
                assert answer.status == 200
    finally:
        process.terminate()
        assert process.wait(timeout=60) == 0


@pytest.mark.acceptance("RC185")
def test_the_wheel_holds_what_runs_and_nothing_else(installed: Path) -> None:
    (wheel,) = installed.glob("pylantir-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())

    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.startswith("pylantir-")} == set(wheels.PACKAGES)
    for package in wheels.PACKAGES:
        for path in (ROOT / package).rglob("*"):
            is_source_of_another = path.suffix == ".po" or "__pycache__" in path.parts
            if path.is_file() and not is_source_of_another:
                assert path.relative_to(ROOT).as_posix() in names
    assert any(name.endswith("share/pylantir/mwl_config_multi_source_example.json") for name in names)
    (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
    told = zipfile.ZipFile(wheel).read(metadata).decode()
    assert set(re.findall(r"^Provides-Extra: (\w+)$", told, re.MULTILINE)) == {
        *("api", "monitoring", "oidc", "spark", "test")
    }
    assert "Requires-Dist: Django==" in told


@pytest.mark.acceptance("RC185")
def test_without_a_setting_data_are_at_home_whatever_the_folder(installed: Path, tmp_path: Path) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    program = str(installed / "venv" / "bin" / "pylantir")
    before = sorted(installed.glob("venv/lib/python*/site-packages/*"))

    for folder in (home, elsewhere):
        done = subprocess.run(
            [program, "list-users"],
            env=wheels.environment(home),
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.stderr == (
            f"CommandError: The database {home}/.local/share/pylantir/worklist.db has no tables yet. "
            "To make them, run: pylantir migrate\n"
        )
    assert list(elsewhere.iterdir()) == []
    assert sorted(installed.glob("venv/lib/python*/site-packages/*")) == before
