"""Every answer tells browsers what may be done with it; that pages live with it is seen in real browsers.

tests/site/test_accessibility.py walks all pages of the admin in a browser that reports what it refused,
tests/site/test_docs.py those of the API.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, Route

from accounts.models import User
from pylantir_site.headers import PAGE
from tests.accessibility import Walk
from tests.admin_objects import address, admin_routes, one_of_each
from tests.browser import sign_in
from tests.site.fresh import ROOT, manage, settings

POPUP = "/admin/worklist/worklistitem/add/?_popup=1"
PAGES = (
    "/admin/",
    "/admin/login/",
    POPUP,
    "/nothing",
    "/docs",
    "/redoc",
)
NO_PAGES = ("/health", "/worklist", "/worklist/0", "/openapi.json", "/static/pylantir/admin.css")
LISTS = ("/admin/csv/worklist/worklistitem/",)
UNSAFE = ("unsafe", "*", "http:", "https:")
PACKAGES = ("accounts", "archives", "pylantir_site", "sources", "worklist")
INLINE = re.compile(
    r"<style|\sstyle\s*=|\son[a-z]+\s*=|javascript:|<script(?![^>]*\bsrc=)[^>]*>", re.IGNORECASE
)
BEHIND = {
    "BEHIND_TLS_PROXY": "true",
    "ALLOWED_HOSTS": "pylantir.example.org",
    "SECRET_KEY": "8Vq1ZsmT2nK6xYd0Rw4Lb7Ph3Jc9Gf5Ta_Eu-WiQoNrXzMvBkS",
}


def sources(policy: str) -> dict[str, str]:
    return dict(directive.strip().partition(" ")[::2] for directive in policy.split(";"))


def asked(client: Client, user: User, path: str) -> Any:
    client.force_login(user)
    answer = client.get(path)
    answer.close()  # a file that is served
    return answer


@pytest.mark.django_db
@pytest.mark.acceptance("H120")
@pytest.mark.parametrize("path", PAGES)
def test_a_page_runs_nothing_but_our_own_files(path: str, client: Client, alice: User) -> None:
    answer = asked(client, alice, path)

    said = sources(answer["Content-Security-Policy"])
    assert answer["Content-Type"].startswith("text/html")
    assert (
        said["default-src"] == said["frame-ancestors"] == said["base-uri"] == said["object-src"] == "'none'"
    )
    assert said["script-src"] == said["form-action"] == "'self'"
    assert not [source for source in UNSAFE if source in answer["Content-Security-Policy"]]


@pytest.mark.django_db
@pytest.mark.acceptance("H120")
@pytest.mark.parametrize("path", [*NO_PAGES, *LISTS])
def test_what_is_no_page_runs_nothing_at_all(path: str, client: Client, alice: User) -> None:
    answer = asked(client, alice, path)

    said = sources(answer["Content-Security-Policy"])
    assert said == {
        "default-src": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "sandbox": "",
    }


@pytest.mark.django_db
@pytest.mark.acceptance("H121")
@pytest.mark.parametrize("path", [*PAGES, *NO_PAGES, *LISTS])
def test_every_answer_closes_what_browsers_leave_open(path: str, client: Client, alice: User) -> None:
    answer = asked(client, alice, path)

    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"]


@pytest.mark.django_db
@pytest.mark.acceptance("H121")
@pytest.mark.parametrize("path", ["/admin/", "/admin/worklist/worklistitem/", *LISTS, "/worklist", "/health"])
def test_what_may_name_a_participant_is_kept_in_no_cache(path: str, client: Client, alice: User) -> None:
    assert "no-store" in asked(client, alice, path)["Cache-Control"]


@pytest.mark.acceptance("H120")
def test_no_template_of_ours_has_code_or_style_within() -> None:
    templates = [path for package in PACKAGES for path in (ROOT / package).rglob("templates/**/*.html")]
    assert len(templates) > 40
    inline = {
        str(path.relative_to(ROOT)): found
        for path in templates
        if (found := INLINE.findall(path.read_text(encoding="utf-8")))
    }

    assert not inline, f"Pages' policy refuses what stands in them; use files of static/: {inline}"


@pytest.mark.timeout(60)
@pytest.mark.acceptance("H120")
def test_the_walk_hears_what_a_browser_refuses(browser: Browser) -> None:
    policy = "; ".join(f"{directive} {source}" for directive, source in PAGE.items())
    page = browser.new_page()
    walk = Walk(page)
    shown = ""

    def answer(route: Route) -> None:
        route.fulfill(body=shown, headers={"Content-Security-Policy": policy, "Content-Type": "text/html"})

    page.route("**/*", answer)
    for within in ("<script>document.title = 'run'</script>", "<p style='color: red'>", "<p onclick='x()'>"):
        walk.told.clear()
        shown = f"<title>kept</title>{within}"
        page.goto("http://localhost:1/")

        assert page.title() == "kept"
        assert len(walk.told) == 1, within
    page.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(120)
@pytest.mark.acceptance("H120")
def test_no_page_that_the_walk_leaves_out_is_refused_anything(
    browser: Browser, live_server: Any, alice: User
) -> None:
    rows = one_of_each()
    context = browser.new_context(base_url=live_server.url)
    walk = Walk(context.new_page())
    sign_in(walk.page, alice)

    left_out = [route for route in admin_routes() if route.endswith(("/history/", "/delete/"))]
    for path in [POPUP, "/admin/jsi18n/", *(address(route, rows) for route in left_out)]:
        walk.page.goto(path)
    walk.page.goto("about:blank")
    context.close()

    assert len(left_out) > 10
    assert not walk.told, "\n".join(walk.told)


@pytest.mark.acceptance("H122")
def test_behind_a_proxy_everything_is_for_https_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind = settings(tmp_path, monkeypatch, **BEHIND)
    plain = settings(tmp_path, monkeypatch)

    for name in ("SESSION_COOKIE", "CSRF_COOKIE"):
        assert behind[f"{name}_SECURE"]
        assert behind[f"{name}_NAME"].startswith("__Host-")
        assert behind[f"{name}_HTTPONLY"]
        assert plain[f"{name}_HTTPONLY"]
    assert behind["SECURE_HSTS_SECONDS"] == 31_536_000
    assert "SECURE_HSTS_SECONDS" not in plain
    assert settings(tmp_path, monkeypatch, **BEHIND, HSTS_SECONDS="0")["SECURE_HSTS_SECONDS"] == 0


@pytest.mark.slow
@pytest.mark.acceptance("H122")
def test_djangos_own_check_of_a_deployment_finds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DJANGO_ALLOW_ASYNC_UNSAFE", raising=False)  # of a browser's tests
    tmp_path.chmod(0o700)
    settings_of_a_site = {**BEHIND, "DJANGO_SETTINGS_MODULE": "pylantir_site.settings"}
    checked = manage(tmp_path, "check", "--deploy", "--fail-level", "WARNING", **settings_of_a_site)

    assert checked.returncode == 0, checked.stderr
