"""Settings are read from an environment: nonsense is refused by name, data kept to its owner."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from pylantir_site.environment import oidc
from tests.conftest import free_port
from tests.site.fresh import ROOT, environment, manage, settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "maybe"),
        ("TIME_ZONE", "Mars/Olympus"),
        ("TIME_ZONE", "../etc/passwd"),
        ("DATABASE_URL", "mysql://root@127.0.0.1/pylantir"),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "postgres://user@host:port/name"),
        ("DB_PATH", "/dev/null/worklist.db"),
        ("USERS_DB_PATH", "/dev/null/users.db"),
        ("PYLANTIR_CONFIG", "/no/such/file.json"),
        ("PYLANTIR_UID_ROOT", "1.02"),
        ("MWL_MAXIMUM_ASSOCIATIONS", "many"),
        ("MPPS_STRICTNESS", "severe"),
        ("MPPS_DISCONTINUED", "gone"),
        ("MPPS_STALE_HOURS", "0"),
        ("MPPS_WEIGHT_TOLERANCE_KG", "half"),
        ("MPPS_WEIGHT_TOLERANCE_KG", "-1"),
        ("MPPS_WEIGHT_TOLERANCE_KG", "100.5"),
        ("MPPS_WEIGHT_TOLERANCE_KG", "0.125"),
        ("ATTENTION_INTERVAL", "often"),
        ("MWL_NETWORK_TIMEOUT", "0"),
        ("MWL_PROXY_PROTOCOL", "balancer.example.org"),
        ("MWL_PROXY_PROTOCOL", "10.0.0.1/8"),
        ("MWL_PROXY_PROTOCOL", "0.0.0.0/0"),
        ("MWL_AETITLE", "SEVENTEEN_LETTERS"),
        ("MWL_OVER_MAXIMUM", "explode"),
        ("PUBLIC_URL", "pylantir.example.org"),
        ("PUBLIC_URL", "https://pylantir.example.org/admin"),
        ("EMAIL_PORT", "0"),
        ("NOTICES_KEPT_DAYS", "0"),
        ("SECRET_KEY_FILE", "/no/such/secret"),
        ("SESSION_IDLE_MINUTES", "4"),
        ("OIDC_ISSUER", "http://login.example.org"),
        ("OIDC_ISSUER", "login.example.org"),
    ],
)
def test_a_wrong_value_is_refused_in_a_line_that_names_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        settings(tmp_path, monkeypatch, **{name: value})

    assert str(refused.value).startswith(name)
    assert "\n" not in str(refused.value)


@pytest.mark.slow
def test_a_wrong_value_stops_the_start_with_that_line_alone(tmp_path: Path) -> None:
    result = manage(tmp_path, "check", DEBUG="maybe")

    assert result.returncode == 1
    assert result.stderr == "pylantir: DEBUG must be true or false.\n"


@pytest.mark.slow
def test_a_wrong_value_stops_gunicorn_too(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "gunicorn", "pylantir_site.wsgi", "--bind", f"127.0.0.1:{free_port()}"],
        env=environment(tmp_path, DEBUG="maybe"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    assert result.returncode == 3
    assert "pylantir: DEBUG must be true or false.\n" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.slow
def test_a_refused_database_url_keeps_its_password_to_itself(tmp_path: Path) -> None:
    result = manage(tmp_path, "check", DATABASE_URL="mysql://root:hunter2@127.0.0.1/x")

    assert result.returncode == 1
    assert "hunter2" not in result.stdout + result.stderr


def test_a_secret_may_come_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from the file\n")

    found = settings(tmp_path, monkeypatch, SECRET_KEY_FILE=str(secret))

    assert found["SECRET_KEY"] == "from the file"


def test_a_value_and_its_file_together_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret"
    secret.write_text("one")

    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY and SECRET_KEY_FILE"):
        settings(tmp_path, monkeypatch, SECRET_KEY="two", SECRET_KEY_FILE=str(secret))


def test_the_secret_key_is_made_once_and_kept_beside_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = settings(tmp_path, monkeypatch)["SECRET_KEY"]
    second = settings(tmp_path, monkeypatch)["SECRET_KEY"]

    assert first == second
    assert len(first) > 50
    assert (tmp_path / "secret_key").read_text() == first


@pytest.mark.slow
def test_data_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    data = tmp_path / "data"

    result = manage(data, "migrate", "contenttypes", "--verbosity", "0")

    assert result.returncode == 0, result.stderr
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in data.iterdir()} == {0o600}


def test_the_configuration_file_wins_over_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"users_db_path": str(tmp_path / "file" / "users.db")}))

    found = settings(
        tmp_path,
        monkeypatch,
        PYLANTIR_CONFIG=str(config),
        USERS_DB_PATH=str(tmp_path / "environment.db"),
    )

    assert found["DATABASES"]["users"]["NAME"] == tmp_path / "file" / "users.db"


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["--pylantir_config", "{}"], ["--pylantir_config={}"]])
def test_a_command_takes_the_configuration_file_as_an_option(tmp_path: Path, arguments: list[str]) -> None:
    config = tmp_path / "config.json"
    config.write_text("[]")

    result = manage(tmp_path, "start_api", *(argument.format(config) for argument in arguments))

    assert result.returncode == 2
    assert result.stderr == f"pylantir: --pylantir_config: {config} must hold a JSON object.\n"


def test_accounts_in_the_worklists_own_file_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^USERS_DB_PATH must name another file than DB_PATH\.$"):
        settings(tmp_path, monkeypatch, USERS_DB_PATH=str(tmp_path / "worklist.db"))


PROVIDER = {
    "OIDC_ISSUER": "https://login.example.org",
    "OIDC_CLIENT_ID": "pylantir",
    "OIDC_ROLES": "mri=chiefs=admin, staff=write",
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OIDC_CLIENT_ID", ""),
        ("OIDC_ROLES", ""),
        ("OIDC_ROLES", "staff"),
        ("OIDC_ROLES", "=write"),
        ("OIDC_ROLES", "staff=coordinator"),
        ("OIDC_ONLY", "perhaps"),
    ],
)
def test_half_a_provider_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"^{name} must "):
        settings(tmp_path, monkeypatch, **{**PROVIDER, name: value})


def test_a_provider_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings(tmp_path, monkeypatch, **PROVIDER)

    assert found["OIDC"].roles == {"mri=chiefs": "admin", "staff": "write"}


def test_a_provider_without_the_library_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oidc, "find_spec", lambda name: None)

    with pytest.raises(ImproperlyConfigured, match=r"pip install -r requirements-oidc\.txt"):
        settings(tmp_path, monkeypatch, **PROVIDER)
