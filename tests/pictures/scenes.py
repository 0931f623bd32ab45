"""Each scene leads the demonstration's page, signed in as its admin, to what a picture shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from playwright.sync_api import FilePayload, Page

from tests.worklist import made_files

WIDE, NARROW = 1300, 390


class Scene(NamedTuple):
    """`lead` goes there; the whole page is kept, or as much as `height` shows where the rest says no more."""

    lead: Callable[[Page], None]
    width: int = WIDE
    height: int = 0
    color_scheme: str = "light"


def _go(path: str) -> Callable[[Page], None]:
    def lead(page: Page) -> None:
        page.goto(path)

    return lead


def _item(page: Page, name: str) -> None:
    page.goto("/admin/worklist/worklistitem/")
    page.get_by_role("link", name=name).first.click()


def _source(page: Page, name: str, press: str = "") -> None:
    page.goto("/admin/sources/datasource/")
    page.get_by_role("link", name=name, exact=True).first.click()
    if press:
        page.get_by_role("button", name=press, exact=True).first.click()


def _point(page: Page, kind: str) -> None:
    page.goto("/admin/worklist/attention/")
    page.get_by_role("link", name=kind).first.click()


def _whose_id(page: Page) -> None:
    page.goto("/admin/worklist/worklistitem/add/")
    page.fill("[name=patient_name_family]", "Okafor")
    page.fill("[name=patient_name_given]", "Ada")
    page.fill("[name=patient_id]", "SM-05")
    page.keyboard.press("Tab")
    page.locator("#whose-id > *").first.wait_for()


def _missing(page: Page) -> None:
    page.goto("/admin/worklist/worklistitem/missing/")
    page.fill("[name=sought]", "Okafor")
    page.keyboard.press("Enter")


def _table_columns(page: Page) -> None:
    _source(page, "sports_medicine", "Columns and first rows")


def _worklist_files(page: Page) -> None:
    files = (
        made_files.worklist(PatientName="Silva^Rita", PatientID="VL-07", AccessionNumber="VL7"),
        made_files.worklist(PatientName="Okafor^Chidi", PatientID="VL-08", AccessionNumber=""),
        made_files.worklist(PatientName="Berg^Nils", PatientID="VL-09", ScheduledProcedureStepSequence=[]),
    )
    page.goto("/admin/worklist/worklistitem/import/")
    chosen: list[FilePayload] = [
        {"name": f"mr{number}.wl", "mimeType": "application/dicom", "buffer": made_files.data(file)}
        for number, file in enumerate(files, 1)
    ]
    page.locator("input[type=file]").first.set_input_files(chosen)
    page.locator("form:has(input[type=file]) button[type=submit]").click()


def _mapping(page: Page) -> None:
    _source(page, "growing_brains")
    page.locator("#rules-group").evaluate("group => group.scrollIntoView()")
    field = page.locator("[name$=-field]").nth(2)
    field.click()
    field.fill("mri")
    page.locator(".project-search li").first.wait_for()


def _archived(page: Page) -> None:
    """Show below an item's form what its source and its archive know of it."""
    _item(page, "Tremblay, Zoë")
    page.locator(".from-source").evaluate("panel => panel.scrollIntoView()")


def _qa_rule(page: Page) -> None:
    page.goto("/admin/worklist/qarule/")
    page.get_by_role("link", name="Daily QA").first.click()


def _filing(page: Page) -> None:
    _source(page, "growing_brains", "Choose how it is filed")
    page.get_by_role("button", name="See its rows: XNAT: Patient Comments").click()
    for name, text in (("project", "BRAINS"), ("subject", "{study}"), ("session", "{study}_{session}")):
        page.fill(f"[name={name}]", text)
    page.get_by_role("button", name="Show the rows").click()


SCENES: dict[str, Scene] = {
    "today": Scene(_go("/admin/")),
    "today_dark": Scene(_go("/admin/"), color_scheme="dark"),
    "today_phone": Scene(_go("/admin/"), width=NARROW, height=844),
    "item": Scene(lambda page: _item(page, "Okafor, Chidi"), height=1000),
    "attention": Scene(_go("/admin/worklist/attention/")),
    "unscheduled": Scene(lambda page: _point(page, "Unscheduled examination"), height=1000),
    "whose_id": Scene(_whose_id, height=520),
    "suggestion": Scene(lambda page: _source(page, "healthy_ageing", "Suggest a mapping"), height=900),
    "held": Scene(lambda page: _source(page, "sleep_and_memory"), height=800),
    "issues": Scene(_go("/admin/sources/syncissue/")),
    "source": Scene(_mapping, height=760),
    "source_preview": Scene(lambda page: _source(page, "growing_brains", "Preview"), height=920),
    "preview": Scene(_go("/admin/worklist/device/preview/?device=MR1"), height=900),
    "worklist_files": Scene(_worklist_files, height=620),
    "missing": Scene(_missing, height=700),
    "table_columns": Scene(_table_columns),
    "export": Scene(_go("/admin/worklist/performedstep/export/"), height=680),
    "archived": Scene(_archived, height=450),
    "qa_rule": Scene(_qa_rule, height=1000),
    "notice": Scene(_go("/admin/notices/subscription/add/"), height=780),
    "written": Scene(lambda page: _source(page, "growing_brains", "What would be written"), height=820),
    "filing": Scene(_filing, height=780),
    "filed": Scene(lambda page: _source(page, "growing_brains", "Where will it be filed?"), height=720),
    "api": Scene(_go("/docs"), height=900),
}
