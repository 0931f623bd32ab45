"""What newer versions of the original write into their configuration is understood, and told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from sources.config_import import ImportReport, PatientIds, import_config
from sources.models import DataSource
from tests.redcap.server import RedcapServer
from tests.redcap.studies import TOKEN, cpip
from tests.sources.conftest import items, pull
from tests.sources.test_config_import import without_environment
from worklist.models import Device

__all__ = ["without_environment"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def redcap(monkeypatch: pytest.MonkeyPatch) -> Iterator[RedcapServer]:
    with RedcapServer(cpip(today=timezone.localdate())) as server:
        monkeypatch.setenv("REDCAP_API_URL_CONCUSSION", server.url)
        monkeypatch.setenv("REDCAP_API_TOKEN_CONCUSSION", TOKEN)
        yield server


def do(*entries: dict[str, Any], **top: Any) -> ImportReport:
    config = {"data_sources": list(entries), **top}
    return import_config(config, actor="alice", demanded=PatientIds.WHOLE)


def said(report: ImportReport) -> str:
    return "\n".join(report.lines)


def entry(name: str = "main", **config: Any) -> dict[str, Any]:
    """Return a source whose project cannot be reached."""
    given = {"api_url": "http://127.0.0.1:9/api/", "api_token": TOKEN, "site": "792", **config}
    return {"name": name, "type": "redcap", "config": given, "field_mapping": {"study_id": "study_id"}}


def concussion(**changes: Any) -> dict[str, Any]:
    given = {"name": "concussion", "type": "redcap_concussion", "config": {"site": "792"}}
    return {**given, "field_mapping": {"study_id": "study_id"}, **changes}


# The concussion study


@pytest.mark.acceptance("RC139")
@pytest.mark.usefixtures("redcap")
def test_the_concussion_study_is_read_with_its_own_url_and_token() -> None:
    report = do(concussion())

    source = DataSource.objects.get()
    assert source.redcap.token_variable == "REDCAP_API_TOKEN_CONCUSSION"
    assert "The URL is from REDCAP_API_URL_CONCUSSION" in said(report)
    assert pull(source).outcome == "OK"
    assert "sub_CPIP-0042_ses_1_fam_F-7_site_792" in items(source)


@pytest.mark.acceptance("RC139")
def test_a_concussion_study_without_its_own_url_is_not_read_with_the_other_s(
    redcap: RedcapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDCAP_API_URL", redcap.url)
    monkeypatch.setenv("REDCAP_API_TOKEN", TOKEN)
    monkeypatch.delenv("REDCAP_API_URL_CONCUSSION")

    assert "set REDCAP_API_URL_CONCUSSION, or give the source config.api_url" in said(do(concussion()))


@pytest.mark.acceptance("RC139")
def test_sources_of_different_environments_share_no_project(
    redcap: RedcapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDCAP_API_URL", redcap.url)
    monkeypatch.setenv("REDCAP_API_TOKEN", TOKEN)
    other = concussion(name="main", type="redcap")

    assert "read the same project" not in said(do(concussion(), other))
    assert "read the same project" in said(do(concussion(), concussion(name="second")))


# What scanners are offered ahead


def days(title: str) -> tuple[int | None, int | None]:
    device = Device.objects.get(ae_title=title)
    return device.days_back, device.days_ahead


@pytest.mark.acceptance("RC140")
@pytest.mark.parametrize(("ahead", "span"), [(0, "today's items"), (2, "items of today and of 2 days after")])
def test_days_ahead_become_the_rule_of_the_devices_of_the_file(ahead: int, span: str) -> None:
    report = do(entry(mwl_days_ahead=ahead), allowed_aet=["MR1", "MR2"])

    assert days("MR1") == days("MR2") == (0, ahead)
    assert f"the device MR1 is offered {span}" in said(report)
    assert "not known, and ignored" not in said(report)


@pytest.mark.acceptance("RC140")
def test_the_open_door_has_the_rule_too() -> None:
    do(entry(mwl_days_ahead=1), allowed_aet=[])

    assert days(Device.ANY) == (0, 1)


@pytest.mark.acceptance("RC140")
def test_a_device_that_people_edited_is_left_and_the_rule_is_told() -> None:
    do(allowed_aet=["MR1"])
    device = Device.objects.get()
    device.days_ahead = 5
    device.save_as("alice")

    report = do(entry(mwl_days_ahead=1), allowed_aet=["MR1"])

    assert days("MR1") == (None, 5)
    assert "the device MR1 is left as people made it; the original's rule is days back 0" in said(report)


@pytest.mark.acceptance("RC140")
def test_of_several_sources_the_largest_counts_and_those_disabled_do_not() -> None:
    off = {**entry("off", mwl_days_ahead=9), "enabled": False}

    report = do(entry("a", mwl_days_ahead=1), entry("b", mwl_days_ahead=3), off, allowed_aet=["MR1"])

    assert days("MR1") == (0, 3)
    assert "mwl_days_ahead differs (a 1, b 3)" in said(report)


@pytest.mark.acceptance("RC140")
def test_without_devices_in_the_file_it_is_said_where_to_set_it() -> None:
    assert "the file names no device. On each scanner's page set days back 0" in said(
        do(entry(mwl_days_ahead=1))
    )


@pytest.mark.acceptance("RC140")
def test_a_file_without_the_setting_changes_no_device_and_the_difference_is_told() -> None:
    report = do(entry(), allowed_aet=["MR1"])

    assert days("MR1") == (None, None)
    assert "the original since 0.4 then offers today's items alone" in said(report)


@pytest.mark.parametrize("value", [-1, True, "1", 1.5])
def test_days_that_make_no_sense_are_refused_by_their_path(value: object) -> None:
    assert "data_sources[0].config.mwl_days_ahead must be" in said(do(entry(mwl_days_ahead=value)))
