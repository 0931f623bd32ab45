"""A source names variables by their beginning, files below one folder, and no secret of this product."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.test import Client

from pylantir_site.environment import env
from pylantir_site.overview import checks
from sources import host
from sources.models import RedcapProject
from tests.redcap.server import RedcapServer
from tests.redcap.studies import TOKEN
from tests.sources.conftest import MakeSource, pull

OWN = [
    *("SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "DATABASE_URL", "JWT_SECRET_KEY", "PYLANTIR_ADMIN_PASSWORD"),
    *("EMAIL_HOST_PASSWORD", "OIDC_ISSUER", "REDIS_URL"),
]


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """Make the folder that the site names."""
    made = tmp_path / "sources"
    made.mkdir()
    settings.SOURCE_FILES_FOLDER = str(made)
    yield made


def put(path: Path, text: str = TOKEN) -> Path:
    path.write_text(text)
    return path


@pytest.mark.acceptance("H103")
@pytest.mark.parametrize("name", ["REDCAP_API_TOKEN", "REDCAP_API_TOKEN_CONCUSSION", "PYLANTIR_TOKEN_CPIP"])
def test_names_of_tokens_may_be_read(name: str) -> None:
    host.check_variable(name)


@pytest.mark.acceptance("H103")
@pytest.mark.parametrize("name", [*OWN, "HOME", "AWS_SECRET_ACCESS_KEY", "redcap_token", "XREDCAP_"])
def test_any_other_name_is_refused(name: str) -> None:
    with pytest.raises(host.NotAllowed):
        host.check_variable(name)


@pytest.mark.acceptance("H103")
@pytest.mark.parametrize("name", OWN)
def test_what_is_this_products_own_is_refused_whatever_the_site_allows(name: str, settings: Any) -> None:
    settings.SOURCE_TOKEN_VARIABLES = [name[:4]]

    with pytest.raises(host.NotAllowed, match="of Pylantir's own"):
        host.check_variable(name)


@pytest.mark.acceptance("H104")
def test_a_file_below_the_folder_is_read(folder: Path) -> None:
    (folder / "cpip").mkdir()

    assert host.token_in(str(put(folder / "cpip" / "token", f"{TOKEN}\n"))) == TOKEN
    assert host.certificates(str(put(folder / "ca.pem"))) == folder / "ca.pem"


@pytest.mark.acceptance("H104")
@pytest.mark.parametrize("read", [host.token_in, host.certificates])
def test_no_way_leads_out_of_the_folder(folder: Path, read: Any) -> None:
    outside = put(folder.parent / "secret")
    (folder / "link").symlink_to(outside)
    (folder / "way").symlink_to(folder.parent)
    (folder.parent / "sources-of-others").mkdir()
    put(folder.parent / "sources-of-others" / "token")

    for path in (
        *(outside, folder / "link", folder / "way" / "secret", folder / ".." / "secret"),
        *(folder.parent / "sources-of-others" / "token", "/proc/self/environ", "/etc/passwd", "sources/t"),
    ):
        with pytest.raises(host.NotAllowed, match="below"):
            read(str(path))


@pytest.mark.acceptance("H104")
def test_without_a_folder_a_token_comes_from_no_file_and_bundles_from_the_systems_own(settings: Any) -> None:
    settings.SOURCE_FILES_FOLDER = ""

    for path in ("/etc/ssl/certs/ca-certificates.crt", "/run/secrets/token"):
        with pytest.raises(host.NotAllowed, match="SOURCE_FILES_FOLDER"):
            host.token_in(path)
    with pytest.raises(host.NotAllowed, match="SOURCE_FILES_FOLDER"):
        host.certificates("/etc/ssl/private/server.key")
    with pytest.raises(FileNotFoundError):  # it may be named, were it there
        host.certificates("/etc/ssl/certs/of-no-institution.pem")


@pytest.mark.acceptance("H104")
def test_the_file_that_the_environment_names_is_read_without_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDCAP_API_TOKEN_FILE", str(put(tmp_path / "token")))

    assert host.token_in(str(tmp_path / "token")) == TOKEN


@pytest.mark.acceptance("H104")
def test_no_folder_gives_away_this_products_own_files(
    folder: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY_FILE", str(put(folder / "secret_key")))
    settings.DATA_DIR = folder / "data"
    settings.DATA_DIR.mkdir()
    put(settings.DATA_DIR / "encryption_key")

    for path in (folder / "secret_key", settings.DATA_DIR / "encryption_key"):
        with pytest.raises(host.NotAllowed, match="of Pylantir's own"):
            host.token_in(str(path))


@pytest.mark.acceptance("H104")
def test_what_never_ends_is_no_token(folder: Path) -> None:
    os.mkfifo(folder / "pipe")

    with pytest.raises(host.NotAllowed, match="no plain file"):
        host.token_in(str(folder / "pipe"))
    with pytest.raises(host.NotAllowed, match="longer"):
        host.token_in(str(put(folder / "long", "A" * 5000)))


@pytest.mark.acceptance("H105")
@pytest.mark.parametrize(
    ("field", "value"),
    [("token_variable", "DATABASE_URL"), ("token_file", "/etc/shadow"), ("ca_bundle", "/etc/shadow")],
)
def test_a_source_from_before_refuses_its_pulls_in_a_sentence_and_is_told_at_each_start(
    make_source: MakeSource, redcap: RedcapServer, field: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://user:the-password@host/name")
    source = make_source(redcap)
    if field != "ca_bundle":
        source.redcap.set_token("", by="test")
    setattr(source.redcap, field, value)
    source.save_with_details("test")

    run = pull(source)

    (told,) = source.details.names_what_it_may_not()
    assert told in source.state.message
    assert run.requests == 0
    assert not redcap.requests
    (found,) = checks.sources_name_what_they_may(None, databases=["default"])
    assert (found.id, source.name in found.msg, told in found.msg) == ("pylantir.W014", True, True)


@pytest.mark.acceptance("H105")
def test_the_admin_shows_such_a_source_and_refuses_to_save_such_a_name(
    make_source: MakeSource, redcap: RedcapServer, admin_client: Client
) -> None:
    source = make_source(redcap)
    RedcapProject.objects.update(token_cipher="", token_variable="DATABASE_URL")

    page = admin_client.get(f"/admin/sources/datasource/{source.pk}/change/").content.decode()

    assert "DATABASE_URL" in page
    assert "may not be read" in page
    source.refresh_from_db()
    with pytest.raises(ValidationError, match="of Pylantir's own"):
        source.redcap.clean_fields()


@pytest.mark.acceptance("H103")
@pytest.mark.parametrize("given", ["A", "REDCAP_,", "RED CAP_", "*"])
def test_a_beginning_that_leaves_nothing_out_is_refused(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_TOKEN_VARIABLES", given)
    if given == "REDCAP_,":
        assert env.prefixes("SOURCE_TOKEN_VARIABLES", ("X",)) == ["REDCAP_"]
        return
    with pytest.raises(ImproperlyConfigured, match="SOURCE_TOKEN_VARIABLES"):
        env.prefixes("SOURCE_TOKEN_VARIABLES", ("REDCAP_",))
