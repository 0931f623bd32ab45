"""Rows of a table become sessions by the mapping that other sources have, too."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from sources.backends.table.rows import RecordRows
from sources.contract import ReadRecord, Session, SessionKey, Stance
from sources.mapping import check
from sources.mapping.lookup import DIFFERENT
from sources.mapping.rules import Level, MappingPlan, Rule, SessionKind, SessionLayout, WithoutTime
from sources.tables.layout import TableLayout
from sources.tables.reading import Table
from tests.sources.tables import read_book, read_text, workbook

VISITS = TableLayout(record="Subject ID", session="Visit")
RULES = (
    Rule("patient_id", "subject_id", level=Level.RECORD),
    Rule("patient_name", "name", level=Level.RECORD),
    Rule("patient_birth_date", "born", level=Level.RECORD),
    Rule("patient_weight_kg", "weight"),
    Rule("scheduled_start_date", "day"),
    Rule("scheduled_start_time", "time"),
    Rule("modality", default="MR"),
)
HEADERS = "Subject ID;Visit;Name;Born;Weight;Day;Time\n"
TODAY = date(2026, 3, 1)


def a_plan(*rules: Rule, conditions: str = "", **more: Any) -> MappingPlan:
    kept = [rule for rule in RULES if rule.target not in {each.target for each in rules}]
    layout = SessionLayout(SessionKind.ROW, conditions=conditions, without_time=WithoutTime.ISSUE)
    return MappingPlan((*kept, *rules), layout, **more)


def read(table: Table, record: str, plan: MappingPlan | None = None) -> ReadRecord:
    found = RecordRows(table, plan or a_plan()).read(record, today=TODAY)
    assert found is not None
    return found


def only(table: Table, plan: MappingPlan | None = None, record: str = "0042") -> Session:
    (session,) = read(table, record, plan).sessions
    return session


def texts(session: Session) -> list[str]:
    return [problem.text for problem in session.problems]


@pytest.mark.acceptance("FI35")
def test_each_row_is_a_session_of_its_record_in_the_order_of_the_table() -> None:
    table = read_text(
        HEADERS + "0042;2;Doe^Jane;1990-01-31;70,10;2026-03-09;9:30\n"
        "0043;1;Roe^Rita;1980-01-01;;2026-03-02;10:00\n"
        "0042;1;Doe^Jane;1990-01-31;70.2;2026-03-02;09:30:15\n",
        VISITS,
    )
    first, second = read(table, "0042").sessions

    assert (first.key, second.key) == (SessionKey("2"), SessionKey("1"))
    assert first.values == {
        "patient_id": "0042",
        "patient_name": "Doe^Jane",
        "patient_birth_date": "1990-01-31",
        "patient_weight_kg": "70.1",
        "scheduled_start_date": "2026-03-09",
        "scheduled_start_time": "09:30:00",
        "modality": "MR",
    }
    assert second.values["patient_weight_kg"] == "70.2"
    assert {session.stance for session in (first, second)} == {Stance.WANTED}


@pytest.mark.acceptance("FI35")
def test_a_name_of_a_session_is_no_arm() -> None:
    table = read_text(
        HEADERS + "0042;a_arm_1;Doe^Jane;1990-01-31;;2026-03-09;9:30\n0042;b_arm_2;;;;2026-03-02;9:30\n",
        VISITS,
    )
    found = read(table, "0042").sessions

    assert [session.values["patient_name"] for session in found] == ["Doe^Jane", "Doe^Jane"]


@pytest.mark.acceptance("FI35")
def test_a_table_without_sessions_has_one_row_for_each_record() -> None:
    table = read_text(HEADERS + "0042;;Doe;;;2026-03-09;9:30\n", TableLayout(record="Subject ID"))

    assert only(table).key == SessionKey()
    assert only(table).stance is Stance.WANTED


@pytest.mark.acceptance("FI35")
def test_rows_that_contradict_each_other_in_what_is_the_persons_keep_both_out() -> None:
    table = read_text(
        HEADERS
        + "0042;1;Doe^Jane;1990-01-31;;2026-03-09;9:30\n0042;2;Doe^Jane;1990-01-30;;2026-03-10;9:30\n",
        VISITS,
    )
    for session in read(table, "0042").sessions:
        assert "patient_birth_date" not in session.values or not session.values["patient_birth_date"]
        assert any(DIFFERENT.format(number=3) in text for text in texts(session))


@pytest.mark.acceptance("FI35")
@pytest.mark.parametrize(
    ("conditions", "reason"),
    [
        ("weight > 60", ""),
        ("weight > 80", "weight > 80 does not hold"),
        ("visit in 1, 2", ""),
        ("visit = 3", "visit = 3 does not hold"),
        ("name not empty", ""),
    ],
)
def test_conditions_hold_for_rows(conditions: str, reason: str) -> None:
    table = read_text(HEADERS + "0042;1;Doe;1990-01-31;70;2026-03-09;9:30\n", VISITS)

    assert only(table, a_plan(conditions=conditions)).reason == reason


@pytest.mark.acceptance("FI26")
def test_a_number_that_is_shown_otherwise_is_a_measure_and_no_text() -> None:
    made = workbook(
        [
            ["Subject ID", "Visit", "Name", "Born", "Weight", "Day", "Time", "No"],
            ["0042", "1", "Doe", "1990-01-31", 70.14, "2026-03-09", "9:30", 7],
        ],
        {"E2": "0.0", "H2": "000"},
    )
    table = read_book(made, VISITS)

    assert only(table).values["patient_weight_kg"] == "70.14"
    in_pounds = Rule("patient_weight_lb", "weight", transforms="pounds to kilograms")
    assert only(table, a_plan(in_pounds)).problems == ()
    assert only(table, a_plan(conditions="weight > 70")).reason == ""
    assert only(table, a_plan(conditions="weight = 70.14")).stance is Stance.UNCLEAR
    for rule in (
        Rule("patient_id", "no"),
        Rule("patient_id", transforms="template S{no}"),
        Rule("patient_id", "no", transforms="else visit"),
        Rule("patient_id", "no", transforms="pad 4"),
    ):
        session = only(table, a_plan(rule))
        assert session.stance is Stance.UNCLEAR
        assert "column “No”: The cell holds a number that its format shows otherwise" in texts(session)[0]
        assert session.values["patient_id"] == ""


@pytest.mark.acceptance("FI38")
def test_a_problem_names_file_row_and_column_and_no_value() -> None:
    table = read_text(HEADERS + "0042;1;Doe;12/03/2015;heavy;2026-03-09;9:30\n", VISITS)
    (born, weight) = sorted(only(table).problems, key=lambda problem: problem.field)

    assert (born.field, weight.field) == ("born", "weight")
    assert born.text.startswith("people.csv, row 2, column “Born”: This is not a date written 2026-03-02.")
    assert weight.text.startswith("people.csv, row 2, column “Weight”: This is not a number")
    assert "heavy" not in weight.text


@pytest.mark.acceptance("FI31")
def test_an_unusable_cell_is_a_problem_only_where_a_rule_reads_it() -> None:
    header = ["Subject ID", "Visit", "Name", "Born", "Weight", "Day", "Time", "Note"]
    made = workbook([header, ["0042", "1", "Doe", "1990-01-31", 70, "2026-03-09", "9:30", "=A1"]])
    table = read_book(made, VISITS)

    assert only(table).problems == ()
    (problem,) = only(table, a_plan(Rule("study_description", "note"))).problems
    assert "formula whose result is not in the file" in problem.text


@pytest.mark.acceptance("FI34")
def test_rows_of_one_key_are_an_issue_that_names_both() -> None:
    row = "0042;1;Doe;1990-01-31;;2026-03-09;9:30\n"
    session = only(read_text(HEADERS + row + "0043;1;Roe;;;;\n" + row, VISITS))

    assert (session.stance, session.key, session.values) == (Stance.UNCLEAR, SessionKey("1"), {})
    assert texts(session) == [
        "people.csv, column “Subject ID”: "
        "Rows 2 and 4 have the same key: each participant and session may have one row."
    ]


@pytest.mark.acceptance("FI34")
def test_a_row_of_which_nobody_knows_whose_it_is_is_an_issue_and_nobody_is_gone() -> None:
    rows: list[list[Any]] = [["Subject ID", "Visit"], [42, "1"], ["0043", "1"]]
    found = RecordRows(read_book(workbook(rows, {"A2": "0000"}), VISITS), a_plan())

    assert found.records() == ["0043", "(row 2)"]
    (session,) = read(read_book(workbook(rows, {"A2": "0000"}), VISITS), "(row 2)").sessions
    assert texts(session)[0].startswith("people.xlsx, row 2, column “Subject ID”: The cell holds a number")
    assert found.read("0042") is None  # it may be that row
    gone = RecordRows(read_book(workbook(rows), VISITS), a_plan()).read("0042")
    assert gone == ReadRecord("0042", exists=False, sessions=())


@pytest.mark.acceptance("FI34")
def test_a_row_of_an_unknown_session_leaves_its_record_as_it_is() -> None:
    rows: list[list[Any]] = [["Subject ID", "Visit"], ["0042", 1], ["0042", "2"], ["0043", "1"]]
    found = RecordRows(read_book(workbook(rows, {"B2": "00"}), VISITS), a_plan())

    assert found.read("0042") is None
    assert found.records() == ["0042", "0043", "(row 2)"]
    assert found.read("0044") == ReadRecord("0044", exists=False, sessions=())


@pytest.mark.acceptance("FI35")
def test_a_plan_is_checked_in_the_words_of_a_table() -> None:
    dictionary = read_text(HEADERS, VISITS).dictionary
    plan = a_plan(
        Rule("study_description", "wieght"),
        Rule("patient_sex", "weight", events=("a",)),
        conditions="vist = 1",
    )
    said = {mistake.text for mistake in check.mistakes(plan, dictionary)}

    assert said == {
        "The table has no column wieght. Did you mean weight?",
        "The table has no column vist. Did you mean visit?",
        "There are no events here: leave this empty.",
    }
    assert check.mistakes(a_plan(), dictionary) == ()


@pytest.mark.acceptance("FI30")
@pytest.mark.parametrize(
    ("text", "weight"),
    [("70,10", "70.1"), ("70.10", "70.1"), ("70,1 ", "70.1"), ("1.070,10", ""), ("70 kg", "")],
)
def test_a_decimal_comma_is_read_and_a_thousand_is_not_guessed(text: str, weight: str) -> None:
    session = only(read_text(HEADERS + f"0042;1;Doe;1990-01-31;{text};2026-03-09;9:30\n", VISITS))

    assert session.values["patient_weight_kg"] == weight
    assert bool(session.problems) is not bool(weight)
