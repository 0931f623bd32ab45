"""What was exported as CSV is read back as it was, however a spreadsheet had to be kept from running it."""

from __future__ import annotations

import json
from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from hypothesis import assume, given, reject
from hypothesis import strategies as st

from sources.backends.table.exports import EXPORTS
from sources.backends.table.rows import RecordRows
from sources.contract import Session
from sources.mapping import targets
from sources.mapping.rules import MappingPlan, Rule, SessionKind, SessionLayout
from sources.sync.values import as_json, cleaned
from sources.tables.errors import TableError
from sources.tables.layout import TableLayout
from sources.tables.reading import Table, read_table
from worklist.api.item_fields import ItemSerializer
from worklist.api.renderers import CSVRenderer
from worklist.items import cleaning
from worklist.items.fields import FIELDS
from worklist.models import WorklistItem

BY_ITEM = TableLayout(record="id")
KEYWORDS = ("PatientComments", "MedicalAlerts", "PatientSize", "PregnancyStatus", "EthnicGroup")
NOT_ASKED = (targets.POUNDS, targets.STATUS)
MAPPED = [name for name in FIELDS if name in targets.TARGETS and name not in NOT_ASKED]
MADE_HERE = (
    "study_instance_uid",
    "scheduled_procedure_step_id",
    "accession_number",
    "requested_procedure_id",
)
TRICKY = st.text("=+-@'\t;\"\n,＝aÉ山 0", max_size=9)
TEXTS = TRICKY | st.text(st.characters(exclude_categories=["C"], exclude_characters="<>\\^="), max_size=9)
NAMES = st.builds(
    "{}^{}={}^{}".format,
    *[st.text("'+-@aÉ山;,", min_size=1, max_size=6)] * 4,
) | st.text("'+-@aÉ山=;,", min_size=1, max_size=9)
ITEMS = st.fixed_dictionaries(
    {
        "patient_name": NAMES,
        "patient_id": st.text("=+-@'0AÉ; .", min_size=1, max_size=12),
        "modality": st.sampled_from(["MR", "PT"]),
        "scheduled_start_date": st.dates(date(1990, 1, 1), date(2199, 12, 31)),
        "scheduled_start_time": st.times().map(lambda each: each.replace(microsecond=0)),
    },
    optional={
        "patient_birth_date": st.dates(date(1890, 1, 1), date(2025, 1, 1)),
        "patient_sex": st.sampled_from(["M", "F", "O"]),
        "patient_weight_kg": st.decimals(3, 640, places=2),
        "study_description": TEXTS,
        "procedure_description": TEXTS,
        "station_name": TEXTS,
        "accession_number": TEXTS,
        "requested_procedure_id": TEXTS,
        "referring_physician_name": NAMES,
        "scheduled_station_aetitle": st.sampled_from(["MR1", "MR1\\MR2", "+MR", "@A"]),
        "extra_attributes": st.fixed_dictionaries(
            {},
            optional={
                "PatientComments": TRICKY,
                "MedicalAlerts": TRICKY,
                "PatientSize": st.sampled_from(["1.70", "2"]),
                "PregnancyStatus": st.integers(1, 4),
                "EthnicGroup": TRICKY,
            },
        ),
    },
)


def made(given_values: dict[str, Any]) -> WorklistItem:
    """Return an item of the values as intake cleans them; those that it refuses are no example."""
    try:
        clean = {name: cleaning.CLEANERS[name](value) for name, value in given_values.items()}
        item = WorklistItem(id=7, **clean)
        item.clean_fields(exclude=MADE_HERE)
    except ValidationError:
        reject()
    return item


def exported(item: WorklistItem) -> bytes:
    return CSVRenderer().render(ItemSerializer([item], many=True).data).encode()


def a_plan(item: WorklistItem) -> MappingPlan:
    rules = [Rule(name, name) for name in MAPPED]
    rules += [Rule(keyword, keyword.lower()) for keyword in KEYWORDS if keyword in item.extra_attributes]
    return MappingPlan(tuple(rules), SessionLayout(SessionKind.ROW))


def read_back(data: bytes, item: WorklistItem) -> Session:
    table = read_table(data, "items.csv", BY_ITEM, exports=EXPORTS)
    read = RecordRows(table, a_plan(item)).read("7", today=date(2026, 3, 1))
    assert read is not None
    (session,) = read.sessions
    return session


@pytest.mark.acceptance("FI37")
@given(ITEMS)
def test_an_item_comes_back_as_it_went_out(values: dict[str, Any]) -> None:
    item = made(values)
    assume(item.patient_id and item.patient_name)
    session = read_back(exported(item), item)
    found, errors = cleaned(session.values)

    assert (errors, session.problems) == ({}, ())
    expected = {name: as_json(getattr(item, name)) for name in MAPPED}
    expected |= {keyword: item.extra_attributes[keyword] for keyword in item.extra_attributes}
    assert {name: found.get(name, "") for name in expected} == expected


@pytest.mark.acceptance("FI37")
def test_the_guard_is_undone_in_our_own_export_alone() -> None:
    item = made(
        {
            "patient_name": "=山田^太郎",
            "patient_id": "-5",
            "modality": "MR",
            "scheduled_start_date": date(2026, 3, 2),
            "scheduled_start_time": time(9, 30),
            "patient_weight_kg": Decimal("70.10"),
        }
    )
    data = exported(item)
    assert b"'-5" in data
    session = read_back(data, item)
    assert (session.values["patient_id"], session.values["patient_name"]) == ("-5", "=山田^太郎")

    another = data.replace(b"updated_at", b"changed_at", 1)
    table = read_table(another, "items.csv", BY_ITEM, exports=EXPORTS)
    assert table.rows[0].values["patient_id"] == "'-5"


@pytest.mark.acceptance("FI37")
@pytest.mark.parametrize(("mark", "read"), [("", "'-5"), ("\ufeff", "-5")])
def test_of_an_export_in_two_forms_the_guarded_one_has_a_mark(mark: str, read: str) -> None:
    header = EXPORTS[1].header
    row = ",".join("7" if name == "id" else "'-5" if name == "patient_id" else "" for name in header)
    table = read_table(f"{mark}{','.join(header)}\r\n{row}\r\n".encode(), "a.csv", BY_ITEM, exports=EXPORTS)

    assert table.rows[0].values["patient_id"] == read


@pytest.mark.acceptance("FI37")
def test_attributes_of_several_rows_are_columns_and_what_is_no_json_is_refused() -> None:
    def table(*extra: str) -> Table:
        cells = [{"id": str(number), "extra_attributes": text} for number, text in enumerate(extra, start=7)]
        lines = [
            ",".join(f'"{row.get(name, "").replace(chr(34), chr(34) * 2)}"' for name in FIELDS)
            for row in cells
        ]
        return read_table(
            "\n".join([",".join(FIELDS), *lines, ""]).encode(), "a.csv", BY_ITEM, exports=EXPORTS
        )

    found = table(json.dumps({"PatientSize": 1.7, "Sequence": [{}]}), "", '{"EthnicGroup": "x"}')
    assert [(row.values.get("patientsize", ""), row.values.get("ethnicgroup", "")) for row in found.rows] == [
        ("1.7", ""),
        ("", ""),
        ("", "x"),
    ]
    for broken in ("{", "[1]", "[" * 9_000):
        with pytest.raises(TableError, match="row 2, column AA: this is not extra_attributes"):
            table(broken)
