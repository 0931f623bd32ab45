"""The password of a first start is for one sign-in, and stands nowhere that others read."""

from __future__ import annotations

import io
import stat
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.test import Client

from accounts import first_password
from accounts.first_admin import create_first_admin
from accounts.models import User
from pylantir_site.management.commands import start
from tests.conftest import PASSWORD

MINE = "another horse battery"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def first(db: None, settings: LazySettings, tmp_path: Path) -> str:
    """Give the password of the first start, which is kept in a file."""
    settings.PYLANTIR_ADMIN_PASSWORD = ""
    settings.DATA_DIR = tmp_path
    made = create_first_admin()
    assert made is not None and made[1]
    first_password.keep(made[1])
    return made[1]


@pytest.fixture
def admin(first: str, client: Client) -> Client:
    answer = client.post("/admin/login/?next=/admin/", {"username": "admin", "password": first})
    assert answer.status_code == 302
    return client


@pytest.mark.acceptance("H92")
def test_it_is_kept_in_a_file_where_no_terminal_is(first: str, tmp_path: Path) -> None:
    printed = io.StringIO()
    start.Command(stdout=printed).announce(("admin", first))

    kept = tmp_path / "first_password"
    assert kept.read_text() == f"{first}\n"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert first not in printed.getvalue()
    assert str(kept) in printed.getvalue()


@pytest.mark.acceptance("H92")
def test_a_terminal_shows_it_once_and_no_file_is_made(
    db: None, settings: LazySettings, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path
    printed = Terminal()

    start.Command(stdout=printed).announce(("admin", "made up"))

    assert "password made up (shown only once)" in printed.getvalue()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.acceptance("H91")
@pytest.mark.parametrize("page", ["/admin/", "/admin/worklist/worklistitem/", "/admin/accounts/user/add/"])
def test_it_opens_nothing_but_the_page_that_changes_it(page: str, admin: Client, tmp_path: Path) -> None:
    answer = admin.get(page, follow=True)

    assert answer.redirect_chain == [("/admin/password_change/", 302)]
    assert "choose a password of your own" in answer.content.decode()
    assert admin.post(page, {}).headers["Location"] == "/admin/password_change/"
    assert (tmp_path / "first_password").exists()


@pytest.mark.acceptance("H91")
def test_when_it_is_changed_all_opens_and_the_file_is_gone(first: str, admin: Client, tmp_path: Path) -> None:
    form = {"old_password": first, "new_password1": MINE, "new_password2": MINE}
    assert (
        'href="/admin/">Go to Today'
        in admin.post("/admin/password_change/", form, follow=True).content.decode()
    )

    assert admin.get("/admin/").status_code == 200
    assert not (tmp_path / "first_password").exists()


@pytest.mark.acceptance("H91")
def test_the_api_takes_it_only_to_change_it(first: str, client: Client, tmp_path: Path) -> None:
    def call(path: str, body: dict[str, str] | None = None, token: str = "") -> tuple[int, dict[str, str]]:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        if body is None:
            answer = client.get(path, headers=headers)
        else:
            answer = client.post(path, body, content_type="application/json", headers=headers)
        return answer.status_code, answer.json()

    token = call("/auth/login", {"username": "admin", "password": first})[1]["access_token"]
    status, told = call("/worklist", token=token)
    assert (status, told["detail"]) == (
        403,
        "The password was made up and is written down: change it by POST /auth/password first.",
    )
    assert call("/auth/password", {"current_password": first, "new_password": MINE}, token)[0] == 200

    token = call("/auth/login", {"username": "admin", "password": MINE})[1]["access_token"]
    assert call("/worklist", token=token)[0] == 200
    assert not (tmp_path / "first_password").exists()


@pytest.mark.acceptance("H91")
def test_a_command_that_sets_another_ends_it_too(first: str, tmp_path: Path) -> None:
    call_command("admin_password", "--password", MINE)

    assert not User.objects.get().must_change_password
    assert not (tmp_path / "first_password").exists()


def test_a_password_that_the_site_chose_need_not_be_changed(db: None, settings: LazySettings) -> None:
    settings.PYLANTIR_ADMIN_PASSWORD = PASSWORD
    create_first_admin()

    assert not User.objects.get().must_change_password


def test_the_next_start_removes_a_file_whose_password_was_changed_elsewhere(
    first: str, tmp_path: Path
) -> None:
    User.objects.update(must_change_password=False)

    start.Command(stdout=io.StringIO()).announce(None)

    assert not (tmp_path / "first_password").exists()
