"""A booking becomes a row: found in every shape of an answer, judged by tables, and never guessed at."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sources.calpendo import biskits, bookings, resources, states
from sources.calpendo.biskits import Contradiction
from sources.calpendo.bookings import CalpendoBooking, SiteTables, booking_of
from sources.calpendo.dictionary import asked_paths, dictionary_of
from sources.calpendo.resources import Scanner
from sources.calpendo.states import Wish
from sources.errors import TransientError
from tests.calpendo import shapes
from tests.calpendo.bookings import Booking as MadeBooking
from tests.calpendo.bookings import Named
from tests.calpendo.shapes import Shape

ZONE = ZoneInfo("America/Edmonton")
TITLE = "SUB001 - John Doe"
PATHS = ("id", "title", "status", "project.name", "owner.name", "Operator.name")
SITE = SiteTables(
    zone=ZONE,
    states=states.read("Approved = wanted\nDenied = not wanted"),
    resources=resources.read("3T Diagnostic = MR, PRISMA\n3T* = MR, SKYRA\nEEG* = EEG"),
    asked=("3T Diagnostic", "EEG Lab"),
)


def made(**changes: Any) -> MadeBooking:
    start = datetime(2026, 1, 27, 14)
    return MadeBooking(
        **{"id": 12345, "title": TITLE, "start": start, "finish": start.replace(hour=15), **changes}
    )


def read(biskit: dict[str, Any], site: SiteTables = SITE) -> CalpendoBooking:
    return booking_of(biskit, PATHS, site)


# Shapes


@pytest.mark.acceptance("FI83")
@pytest.mark.parametrize(
    "shape",
    [
        Shape(),
        Shape(status_on="properties", title_on="properties"),
        Shape(times="offset", end_key="end"),
        Shape(times="naive", with_fraction=False),
        Shape(times="formatted"),
        Shape(times="formatted", with_fraction=False),
    ],
    ids=str,
)
@pytest.mark.parametrize("how", ["whole", "flat", "nested"])
def test_a_booking_is_the_same_in_every_shape(shape: Shape, how: str) -> None:
    if how == "whole":
        biskit = shapes.whole(made(), shape, ZONE)
    else:
        shape = Shape(**{**vars(shape), "paths_as": how})
        asked = (
            *PATHS,
            "dateRange.start",
            f"dateRange.{shape.end_key}",
            "resource.name",
            "formattedName",
            "cancelled",
        )
        biskit = shapes.with_paths(made(), asked, shape, ZONE)

    booking = read(biskit)

    assert (booking.id, booking.reason, booking.problem) == ("12345", "", "")
    values = booking.row.values
    assert values["title"] == TITLE
    assert values["project.name"] == "BRISKP"
    assert values["dateRange.start"] == "2026-01-27 14:00:00"
    assert values["dateRange.finish"] == "2026-01-27 15:00:00"
    assert (values["resource.modality"], values["resource.scanner"]) == ("MR", "PRISMA")
    assert booking.row.unusable == {}
    assert booking.row.record == "12345"


@pytest.mark.acceptance("FI85")
@pytest.mark.parametrize("how", ["flat", "nested"])
def test_a_hidden_operator_is_none(how: str) -> None:
    def operator(*, hidden: bool) -> str:
        shape = Shape(paths_as=how, hides_operator=hidden)  # type: ignore[arg-type]
        biskit = shapes.with_paths(made(operator="Jane Smith"), PATHS, shape, ZONE)
        return read(biskit).row.values["Operator.name"]

    assert operator(hidden=False) == "Jane Smith"
    assert operator(hidden=True) == ""


def test_what_is_said_twice_and_differently_is_no_value() -> None:
    biskit = {**shapes.whole(made(), Shape(), ZONE), "title": "SUB002"}
    biskit["properties"]["title"] = TITLE

    row = read(biskit).row

    assert row.values["title"] == ""
    assert row.unusable == {"title": "The booking says 2 different things of title."}
    with pytest.raises(Contradiction):
        biskits.text_at({"id": [1]}, "id")


@pytest.mark.parametrize("number", [None, "", "x", "1/2", "١٢", [1], {"a": 1}, True])
def test_a_booking_without_an_id_spoils_the_answer(number: Any) -> None:
    with pytest.raises(TransientError, match="without an ID"):
        read({"id": number})


# Times


@pytest.mark.acceptance("FI84")
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"dateRange": {"start": "2026-03-08T02:30"}}, "clocks go forward"),
        ({"dateRange": {"start": "soon"}}, "as Calpendo writes it"),
        ({"dateRange": None}, "no start that can be read"),
        ({"dateRange": {"start": None}}, "no start that can be read"),
    ],
)
def test_a_start_that_cannot_be_read_is_told(changes: dict[str, Any], told: str) -> None:
    biskit = shapes.whole(made(), Shape(), ZONE)
    biskit["properties"] |= changes
    biskit["formattedName"] = TITLE

    row = read(biskit).row

    assert told in row.unusable["dateRange.start"]
    assert row.values["dateRange.start"] == ""


@pytest.mark.acceptance("FI84")
def test_the_date_range_comes_before_the_formatted_name() -> None:
    biskit = {
        **shapes.whole(made(), Shape(), ZONE),
        "formattedName": "[2026-01-27 09:00:00.0, 2026-01-27 10:00:00.0]",
    }

    assert read(biskit).row.values["dateRange.start"] == "2026-01-27 14:00:00"


# States


@pytest.mark.acceptance("FI82")
@pytest.mark.parametrize(
    ("changes", "reason", "problem"),
    [
        ({"status": "Approved"}, "", ""),
        ({"status": " approved "}, "", ""),
        ({"status": "Denied"}, "its state is “Denied”", ""),
        ({"status": "Approved", "cancelled": True}, "it is cancelled in Calpendo", ""),
        ({"status": "Confirmed"}, "", "The state “Confirmed” is not in the source's table"),
        ({"status": "Confirmed", "cancelled": True}, "it is cancelled in Calpendo", ""),
        ({"status": None}, "", "The booking has no state"),
        ({"resource": Named(9, "7T Terra")}, "it is booked at a resource that this source does not read", ""),
        ({"resource": Named(9, "eeg lab")}, "", ""),
    ],
)
def test_a_booking_is_wanted_by_the_table_of_states(
    changes: dict[str, Any], reason: str, problem: str
) -> None:
    booking = read(shapes.whole(made(**changes), Shape(), ZONE))

    assert booking.reason == reason
    assert booking.problem.startswith(problem)
    assert bool(booking.problem) == bool(problem)
    assert "John" not in booking.reason + booking.problem


@pytest.mark.acceptance("FI82")
@pytest.mark.parametrize(
    ("top", "inner", "reason"),
    [("Approved", "Denied", "its state is “Denied”"), ("Denied", "Approved", "its state is “Denied”")],
)
def test_of_two_states_the_one_that_is_not_wanted_counts(top: str, inner: str, reason: str) -> None:
    biskit = {**shapes.whole(made(), Shape(), ZONE), "status": top}
    biskit["properties"]["status"] = inner

    assert read(biskit).reason == reason


@pytest.mark.acceptance("FI82")
@pytest.mark.parametrize(
    ("said", "reason", "is_clear"),
    [
        (True, "it is cancelled in Calpendo", True),
        ("true", "it is cancelled in Calpendo", True),
        ("Yes", "it is cancelled in Calpendo", True),
        (False, "", True),
        ("false", "", True),
        (None, "", True),
        ("perhaps", "", False),
    ],
)
def test_cancelled_is_a_flag_in_any_form(said: Any, reason: str, is_clear: bool) -> None:
    biskit = shapes.whole(made(), Shape(), ZONE)
    biskit["properties"]["cancelled"] = said

    booking = read(biskit)

    assert booking.reason == reason
    assert (booking.problem == "") == is_clear


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Approved", "no line of the table"),
        ("= wanted", "no line of the table"),
        ("Approved = yes", "no line of the table"),
        ("Approved = wanted\nAPPROVED = not wanted", "has a line already"),
    ],
)
def test_a_line_of_the_states_that_is_wrong_is_named(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        states.read(text)


def test_the_usual_states_offer_what_is_approved_alone() -> None:
    table = states.read(states.USUAL)

    assert [state for state, wish in table.items() if wish is Wish.WANTED] == ["approved"]
    assert len(table) == 6


# Resources


@pytest.mark.acceptance("FI86")
@pytest.mark.parametrize(
    ("resource", "scanner"),
    [
        ("3T Diagnostic", Scanner("MR", "PRISMA")),
        ("3T  Diagnostic", Scanner("MR", "PRISMA")),
        ("3T Research", Scanner("MR", "SKYRA")),
        ("3T", Scanner("MR", "SKYRA")),
        ("EEG Lab", Scanner("EEG")),
        ("7T Terra", None),
        ("", None),
    ],
)
def test_the_exact_name_comes_first_then_the_longest_beginning(
    resource: str, scanner: Scanner | None
) -> None:
    assert SITE.resources.scanner_of(resource) == scanner


def test_of_two_beginnings_the_longest_is_meant_whatever_their_order() -> None:
    for text in ("3T* = MR, A\n3T D* = MR, B", "3T D* = MR, B\n3T* = MR, A"):
        assert resources.read(text).scanner_of("3T Diagnostic") == Scanner("MR", "B")


@pytest.mark.acceptance("FI86")
def test_a_resource_without_a_line_is_told_and_its_name_is_no_modality() -> None:
    site = SiteTables(ZONE, SITE.states, SITE.resources, ("7T Terra",))

    booking = read(shapes.whole(made(resource=Named(9, "7T Terra")), Shape(), ZONE), site)

    assert booking.row.values["resource.modality"] == booking.row.values["resource.scanner"] == ""
    for column in ("resource.modality", "resource.scanner"):
        assert booking.row.unusable[column].startswith("The resource “7T Terra” has no line")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("3T", "no line of the table"),
        ("= MR", "no line of the table"),
        ("* = MR", "no line of the table"),
        ("3T = MRI", "Did you mean MR"),
        ("3T =", "no modality"),
        ("3T = 3T Diagnostic Scanner", "no modality"),
        ("3T = MR, A TITLE THAT IS TOO LONG", "AE|16"),
        ("3T = MR, A,,B", "AE title is empty"),
        ("3T = MR\n3T = CT", "has a line already"),
        ("3T* = MR\n3T * = CT", "has a line already"),
    ],
)
def test_a_line_of_the_resources_that_is_wrong_is_named(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told) as raised:
        resources.read(text)
    assert text.splitlines()[-1].strip() in str(raised.value)


def test_a_name_may_have_an_equals_sign_and_a_scanner_may_have_twins() -> None:
    table = resources.read("Room=1 = MR, PRISMA\\SKYRA")

    assert table.scanner_of("Room=1") == Scanner("MR", "PRISMA\\SKYRA")


# The dictionary


def test_the_dictionary_has_the_paths_of_a_booking_and_what_the_tables_make() -> None:
    probe = shapes.whole(made(more={"subjectWeight": 70}), Shape(), ZONE)

    found = dictionary_of("Calpendo.Booking", [probe], ["properties.Operator.name"])

    assert found.record_id_field == "id"
    assert {"title", "project.name", "resource.name", "owner.name", "dateRange.start", "subjectWeight"} <= {
        *found.fields
    }
    assert {"resource.modality", "resource.scanner", "Operator.name", "project.formattedName"} <= {
        *found.fields
    }
    identifying = {name for name, field in found.fields.items() if field.is_identifier}
    assert {"title", "description", "subjectWeight", "Operator.name"} <= identifying
    assert not identifying & {"id", "status", "project.name", "resource.name", "dateRange.start"}


def test_what_is_asked_for_is_what_is_needed_and_known() -> None:
    unseen = dictionary_of("Calpendo.Booking", [])
    seen = dictionary_of("Calpendo.Booking", [shapes.whole(made(), Shape(), ZONE)])

    assert asked_paths(["title", "resource.modality", "title"], unseen) == (
        *("id", "status", "cancelled", "dateRange.start", "resource.name", "title"),
    )
    assert "formattedName" in asked_paths([], seen)
    assert bookings.FINISH not in asked_paths([bookings.FINISH], unseen)
