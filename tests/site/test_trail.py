"""Above its heading, a page leads back to the list that it belongs to."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from accounts.models import User
from tests.admin_pages import shown
from tests.worklist import reported

LINK = re.compile(r'<a href="([^"]+)">([^<]+)</a>')


@pytest.fixture
def coordinator(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


@pytest.mark.parametrize("url", ["/admin/", "/admin/worklist/worklistitem/", "/admin/plots/"])
def test_a_page_of_the_header_leads_nowhere_but_there(coordinator: Client, url: str) -> None:
    assert "Breadcrumbs" not in shown(coordinator, url)


def test_a_page_leads_to_its_list_and_to_whom_it_is_about(coordinator: Client) -> None:
    item = reported.an_item(patient_name="Doe^John", patient_id="P1")
    to_list = [("/admin/", "Today"), ("/admin/worklist/worklistitem/", "Worklist")]
    page = f"/admin/worklist/worklistitem/{item.pk}/change/"

    assert _trail(coordinator, page) == to_list
    assert _trail(coordinator, page.replace("change", "history")) == [*to_list, (page, str(item))]
    assert _trail(coordinator, page.replace("change", "delete")) == [*to_list, (page, str(item))]


def _trail(client: Client, url: str) -> list[tuple[str, str]]:
    return LINK.findall(shown(client, url).partition('aria-label="Breadcrumbs"')[2].partition("</nav>")[0])
