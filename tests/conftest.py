"""All tests share a temporary data folder, three people, the machine's tools, and a way to wait."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import time
import uuid
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import hypothesis
import pytest
from django.utils import translation

from tests import choosing, effort, migrated
from tests.free_ports import free_port as free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

    from accounts.models import User

PASSWORD = "correct horse battery staple"
# A folder on SQLite, the name of a database on PostgreSQL.
MIGRATED = pytest.StashKey[Path | str]()

# A usual run tries the same examples each time, so that it fails for a change and not by chance.
hypothesis.settings.register_profile("usual", derandomize=True)
if not effort.IS_NIGHTLY:
    hypothesis.settings.load_profile("usual")


def tool(name: str) -> str:
    """Return the path of a program; without it skip the test, or fail it where REQUIRE_TOOLS is set."""
    return shutil.which(name) or not_installed(name)


def sbin_tool(name: str) -> str:
    """Return the path of a program that Debian keeps out of a person's own PATH; else as `tool`."""
    return shutil.which(name, path="/usr/sbin:/usr/local/sbin") or tool(name)


def not_installed(name: str) -> NoReturn:
    if os.environ.get("REQUIRE_TOOLS"):
        pytest.fail(f"{name} is not installed, and REQUIRE_TOOLS is set.")
    pytest.skip(f"{name} is not installed.")


def dcmtk(name: str) -> str:
    return tool(name)


def chromium() -> str:
    return shutil.which("chromium-browser") or tool("chromium")


def wait_until(condition: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"Still not so after {seconds} seconds.")
        time.sleep(0.02)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None, request: pytest.FixtureRequest) -> None:
    """Let the test database begin as a copy of one that is migrated: Django finds nothing left to do."""
    from django.db import connection

    test, begun = connection.settings_dict["TEST"], request.config.stash.get(MIGRATED, None)
    if isinstance(begun, Path):
        shutil.copy(begun / "worklist.db", test["NAME"])
    else:
        test["TEMPLATE"] = begun


@pytest.fixture(scope="session")
def django_db_keepdb(*, django_db_keepdb: bool) -> bool:
    """Keep the copy on SQLite, which would be removed first; the folder of the run's data goes at its end."""
    from django.db import connection

    return django_db_keepdb or connection.vendor == "sqlite"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Take away the triggers that keep audit events, whenever migrating made them: tests empty tables."""
    from django.db import connection
    from django.db.models.signals import post_migrate

    from accounts.audit import append_only

    def remove(**about: Any) -> None:
        append_only.remove(connection)

    post_migrate.connect(remove, weak=False, dispatch_uid="tests.conftest.remove")
    with django_db_blocker.unblock():
        remove()


@pytest.fixture
def alice(db: None) -> User:
    return _person("alice", "admin")


@pytest.fixture
def bob(db: None) -> User:
    return _person("bob", "write")


@pytest.fixture
def charlie(db: None) -> User:
    return _person("charlie", "read")


def _person(username: str, role: str) -> User:
    from accounts.models import User

    return User.objects.create_user(username, password=PASSWORD, role=role, full_name=username.title())


@pytest.fixture
def held_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no minute pass, nor midnight, between two looks at a page that says what time it is."""
    from django.utils import timezone

    moment = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: moment)


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    """Forget the language of a test's last request, which its thread would keep for the next test."""
    yield
    translation.deactivate()


@pytest.fixture(name="migrated")
def own_migrated_folder(pytestconfig: pytest.Config, tmp_path: Path) -> Path:
    """Give a data folder whose one database has no rows."""
    assert pytestconfig.cache is not None
    return Path(shutil.copytree(migrated.folder(pytestconfig.cache), tmp_path / "migrated"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from tests.browser import started

    with started() as browser:
        yield browser


@pytest.fixture(scope="module")
def browser_context(browser: Browser, live_server: Any) -> BrowserContext:
    """Give the pages of a module what they share: the cache of style sheets and scripts."""
    return browser.new_context(base_url=live_server.url)


@pytest.fixture
def page(browser_context: BrowserContext, live_server: Any) -> Iterator[Page]:
    from tests.browser import watched

    with watched(browser_context, live_server.url) as page:
        yield page


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--fast",
        action="store_true",
        help="Leave out what starts a process or a browser, tries many examples, or else takes long.",
    )
    parser.addoption(
        "--database-only",
        action="store_true",
        help="Leave out what is the same whichever database it is: what needs none, or looks at pages.",
    )
    parser.addoption(
        "--every-answer",
        action="store_true",
        help="Try each test of a source under every answer that REDCap's documentation leaves open.",
    )


def pytest_configure(config: pytest.Config) -> None:
    from django.conf import settings

    config.addinivalue_line("markers", "slow: starts a process, or takes long; left out by --fast.")
    # Each test client makes the middleware anew, and whitenoise would look at all static files each time.
    settings.WHITENOISE_AUTOREFRESH = True
    let_children_hear_signals()
    if _is_of_several(config):
        config.option.testrunuid = config.option.testrunuid or uuid.uuid4().hex


def _is_of_several(config: pytest.Config) -> bool:
    """Tell whether this process hands out the tests to others (pytest-xdist)."""
    return not hasattr(config, "workerinput") and bool(config.getoption("numprocesses", None))


def pytest_sessionstart() -> None:
    """Load the admins in the order of their apps, as routes do, whichever of them a test imports first."""
    from django.contrib import admin

    admin.autodiscover()


def let_children_hear_signals() -> None:
    """Ignore a signal by a handler where whoever runs the tests, such as nohup, has it ignored.

    An ignored signal stays ignored in every process that a test starts, a handled one does not (POSIX exec).
    """
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    def is_chosen(item: pytest.Item) -> bool:
        return not (config.getoption("fast") and choosing.is_slow(item)) and (
            not config.getoption("database_only") or choosing.hangs_on_database(item)
        )

    left_out = [item for item in items if not is_chosen(item)]
    items[:] = [item for item in items if is_chosen(item)]
    config.hook.pytest_deselected(items=left_out)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    return (yield from _without_processes(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    return (yield from _without_processes(item))


def _without_processes(item: pytest.Item) -> Generator[None, object, object]:
    """Refuse each process to what `--fast` would run: else that would be seen by who runs it alone.

    What is torn down after a test may be what others have shared.
    """
    with pytest.MonkeyPatch.context() as patch:
        if not choosing.is_slow(item):
            choosing.refuse_processes(patch)
        return (yield)


def pytest_collection_finish(session: pytest.Session) -> None:
    gc.collect()
    gc.freeze()  # leaves what is imported by now out of later collections: it lives as long as the run
    if any(map(choosing.needs_database, session.items)):
        _prepare_database(session.config)


def _prepare_database(config: pytest.Config) -> None:
    """Migrate before the first test, whose time limit is not meant for that."""
    assert config.cache is not None, "The tests keep a migrated database in pytest's cache."
    url, run = os.environ.get("DATABASE_URL"), getattr(config, "workerinput", {}).get("testrunuid")
    if not url:
        config.stash[MIGRATED] = migrated.folder(config.cache)
    elif run:
        config.stash[MIGRATED] = migrated.template(config.cache, url, run)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if _is_of_several(session.config) and (url := os.environ.get("DATABASE_URL")):
        migrated.drop_template(url, session.config.option.testrunuid)
