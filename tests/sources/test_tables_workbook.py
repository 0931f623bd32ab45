"""Cells of a workbook are read as they are shown, or are said to be unusable; bad ones have other tests."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from sources.tables import serials, sheets, shown
from sources.tables.cells import Unusable
from sources.tables.errors import TableError
from sources.tables.layout import DateOrder, TableLayout
from sources.tables.reading import read_head
from tests.sources.tables import ID, by_xml, only_row, package, parts_of, read_book, saved, workbook

AS_TEXT = "its format shows otherwise: format the column as text"


def cell(value: Any, number_format: str = "General", *, is_1904: bool = False) -> tuple[str, str]:
    """Return what is read of one cell: its value, and why it cannot be used."""
    data = workbook([["ID", "Note"], ["1", value]], {"B2": number_format}, is_1904=is_1904)
    row = only_row(read_book(data))
    return row.values.get("note", ""), row.unusable.get("note", "")


def xml_cell(xml: str, **more: str) -> tuple[str, str]:
    row = only_row(read_book(by_xml(f'<c t="inlineStr"><is><t>1</t></is></c>{xml}', **more)))
    return row.values.get("value_column", ""), row.unusable.get("value_column", "")


@pytest.mark.acceptance("FI25")
@pytest.mark.parametrize("text", ["0042", "1E5", "NA", "TRUE", " x ", "a\nb", "x005F_", "山田^太郎", "é"])
def test_a_text_is_what_it_is(text: str) -> None:
    assert cell(text) == (text, "")
    assert cell(text, "@") == (text, "")


@pytest.mark.acceptance("FI25")
@pytest.mark.parametrize(
    ("value", "number_format", "read"),
    [
        (42, "General", "42"),
        (42, "0", "42"),
        (42, "@", "42"),
        (-5, "0", "-5"),
        (1234, "0", "1234"),
        (999, "#,##0", "999"),
        (42, "0_);(0)", "42"),
        (42, "[Red]0", "42"),
        (70.1, "0.0", "70.1"),
        (70.1, "General", "70.1"),
        (100_000, "General", "100000"),
        (123_456_789_012_345, "General", "123456789012345"),
        (0.0000001, "General", "0.0000001"),
    ],
)
def test_a_number_is_what_it_shows(value: Any, number_format: str, read: str) -> None:
    assert cell(value, number_format) == (read, "")


@pytest.mark.acceptance("FI26")
@pytest.mark.parametrize(
    ("value", "number_format", "measure"),
    [
        (42, "0000", "42"),
        (42, "0.00", "42"),
        (70.1, "0.00", "70.1"),
        (70.14, "0.0", "70.14"),
        (70.6, "0", "70.6"),
        (1234, "#,##0", "1234"),
        (42, '0" kg"', "42"),
        (42, "000-000", "42"),
        (100_000, "0.00E+00", "100000"),
        (1.5, "# ?/?", "1.5"),
        (-42, "0;(0)", "-42"),
        (42, "0;;;@", ""),
        (0.5, "0%", ""),
        (42_000, "0,", ""),
        (42_000, '0.0,"k"', ""),
    ],
)
def test_a_number_that_is_shown_otherwise_is_no_text(value: Any, number_format: str, measure: str) -> None:
    if number_format == "0;;;@":
        assert cell(value, number_format) == ("42", "")
        return
    read, why = cell(value, number_format)

    assert read == measure
    assert (AS_TEXT in why) or (not measure and "percentage, or in thousands" in why)


@pytest.mark.acceptance("FI163")
@pytest.mark.parametrize(
    "number_format",
    [
        *('0" lb"', '0.0" g"', r"0\ \l\b", 'General" lb"', '#,##0" lb"', '[$-409]0" lb"', "[$lb] 0"),
        *('0"st"', '"ID "0', '0"."0', '0"0"', r"0\,0", '0;0" lb";0', '[<100]0;0" lb"'),
    ],
)
def test_a_number_that_is_shown_in_another_unit_or_with_more_digits_is_no_measure(number_format: str) -> None:
    """A weight of 154 lb would be one of 154 kg."""
    value = -154 if number_format.startswith("0;") else 154

    read, why = cell(value, number_format)

    assert read == ""
    assert "format it as a plain number" in why


@pytest.mark.acceptance("FI163")
@pytest.mark.parametrize("number_format", ['0" kg"', r"0.0\ \k\g", '0.00" KG"', "[$-407]0.0"])
def test_a_number_that_is_shown_in_kilograms_is_a_measure(number_format: str) -> None:
    assert cell(70.14, number_format)[0] == "70.14"


@pytest.mark.acceptance("FI26")
def test_a_key_that_is_shown_otherwise_is_nobodys() -> None:
    found = read_book(workbook([["ID"], ["0042"], [42], [7]], {"A3": "0000"}))

    assert [row.record for row in found.rows] == ["0042", "7"]
    (left_out,) = found.left_out
    assert (left_out.rows, left_out.record) == ((3,), "")
    assert AS_TEXT in left_out.text
    assert "42" not in left_out.text


@pytest.mark.acceptance("FI27")
@pytest.mark.parametrize(
    ("raw", "read"),
    [
        ("70.099999999999994", "70.1"),
        ("0.30000000000000004", "0.3"),
        ("7.0", "7"),
        ("1E2", "100"),
        ("1e-7", "0.0000001"),
        ("-0", "0"),
    ],
)
def test_a_number_has_the_digits_that_a_spreadsheet_keeps(raw: str, read: str) -> None:
    assert xml_cell(f"<c><v>{raw}</v></c>") == (read, "")


@pytest.mark.acceptance("FI27")
@pytest.mark.parametrize("raw", ["1234567890123450", "1E+15", "-1E+300"])
def test_a_number_that_was_rounded_is_none(raw: str) -> None:
    read, why = xml_cell(f"<c><v>{raw}</v></c>")

    assert (read, "more than 15 digits" in why) == ("", True)


@pytest.mark.acceptance("FI27")
@given(st.decimals(0, 650, places=2))
def test_a_weight_keeps_its_hundredths(weight: Any) -> None:
    assert shown.text_of(repr(float(weight)), "General") == shown.plain(weight)


@pytest.mark.acceptance("FI28")
@pytest.mark.parametrize(
    ("value", "number_format", "read"),
    [
        (date(2026, 3, 2), "yyyy-mm-dd", "2026-03-02"),
        (date(1904, 1, 3), "dd/mm/yyyy", "1904-01-03"),
        (date(2026, 3, 2), "[$-409]mmmm d, yyyy;@", "2026-03-02"),
        (date(2026, 3, 2), 'yyyy"年"m"月"d"日"', "2026-03-02"),
        (date(2026, 3, 2), "mm-dd-yy", "2026-03-02"),
        (time(9, 30), "hh:mm", "09:30:00"),
        (time(9, 30), "h:mm AM/PM", "09:30:00"),
        (datetime(2026, 3, 2, 9, 30), "yyyy-mm-dd hh:mm", "2026-03-02 09:30:00"),
        (datetime(2026, 3, 2), "m/d/yy h:mm", "2026-03-02 00:00:00"),
    ],
)
@pytest.mark.parametrize("is_1904", [False, True])
def test_a_date_or_time_is_read_as_it_is_shown(
    value: Any, number_format: str, read: str, is_1904: bool
) -> None:
    assert cell(value, number_format, is_1904=is_1904) == (read, "")


@pytest.mark.acceptance("FI28")
@pytest.mark.parametrize(
    ("serial", "read"),
    [("61", "1900-03-01"), ("367", "1901-01-01"), ("2958465", "9999-12-31")],
)
def test_a_day_that_spreadsheets_count_and_the_calendar_has_not_shifts_none(serial: str, read: str) -> None:
    assert serials.read(serial, "dmy", is_1904=False) == read


@pytest.mark.acceptance("FI28")
@pytest.mark.parametrize(
    ("value", "number_format", "why"),
    [
        (datetime(2026, 3, 2, 9, 30), "yyyy-mm-dd", serials.HIDDEN_TIME),
        (datetime(2026, 3, 2, 9, 30), "hh:mm", serials.HIDDEN_DATE),
        (date(2026, 3, 2), "d-mmm", serials.PARTLY),
        (date(2026, 3, 1), "mmm-yy", serials.PARTLY),
        (date(2026, 3, 2), "yyyy", serials.PARTLY),
        (timedelta(hours=30), "[h]:mm", serials.DURATION),
        (0.0063, "mm:ss", serials.DURATION),
        (1, "yyyy-mm-dd", serials.NO_SUCH_DATE),  # for LibreOffice it is another day
        (60, "yyyy-mm-dd", serials.NO_SUCH_DATE),
        (-3, "yyyy-mm-dd", serials.NO_SUCH_DATE),
        (1e9, "yyyy-mm-dd", serials.NO_SUCH_DATE),
        (0, "yyyy-mm-dd", serials.NO_SUCH_DATE),
        (1, "h:mm", serials.HIDDEN_DATE),  # 24:00
    ],
)
def test_a_date_of_which_a_part_is_hidden_is_none(value: Any, number_format: str, why: str) -> None:
    assert cell(value, number_format) == ("", why)


@pytest.mark.acceptance("FI28")
def test_a_date_in_a_region_s_own_format_is_not_a_number() -> None:
    parts = parts_of("")
    styles = parts["xl/styles.xml"].replace('numFmtId="164"', 'numFmtId="31"')
    made = by_xml('<c t="inlineStr"><is><t>1</t></is></c><c s="1"><v>46083</v></c>')
    assert read_book(made)  # as it stands
    header = (
        '<row r="1"><c t="inlineStr"><is><t>ID</t></is></c><c t="inlineStr"><is><t>Day</t></is></c></row>'
    )
    row = '<row r="2"><c t="inlineStr"><is><t>1</t></is></c><c s="1"><v>46083</v></c></row>'
    found = only_row(read_book(package({**parts_of(header + row), "xl/styles.xml": styles})))

    assert found.unusable == {"day": serials.REGIONAL}


@pytest.mark.acceptance("FI28")
@given(st.integers(0, 24 * 60 * 60 - 1), st.integers(61, 80_000))
def test_a_time_is_right_to_the_second(second: int, day: int) -> None:
    clock = str(timedelta(seconds=second)).rjust(8, "0")

    assert serials.read(repr(second / 86400), "h", is_1904=False) == clock
    both = serials.read(repr(day + second / 86400), "dmyh", is_1904=False)
    assert isinstance(both, str)
    assert both.endswith(f" {clock}")


@pytest.mark.acceptance("FI29")
def test_a_date_typed_as_text_is_read_in_its_order_beside_date_cells() -> None:
    data = workbook([["ID", "Born"], ["1", "12/03/1895"], ["2", date(1980, 2, 3)], ["3", "1895-03-12"]])
    rows = read_book(data, TableLayout(record="ID", date_order={"Born": DateOrder.DMY})).rows

    assert [row.values["born"] for row in rows] == ["1895-03-12", "1980-02-03", "1895-03-12"]


@pytest.mark.acceptance("FI31")
@pytest.mark.parametrize(
    ("xml", "read"),
    [
        ("<c><f>1+1</f></c>", None),
        ("<c><f>1+1</f><v></v></c>", None),
        ("<c><f>1+1</f><v/></c>", None),
        ("<c><f>1+1</f><v>2</v></c>", "2"),
        ('<c t="str"><f>A1</f><v>x</v></c>', "x"),
        ('<c t="str"><f>A1</f><v></v></c>', ""),
    ],
)
def test_a_formula_without_a_result_is_never_empty(xml: str, read: str | None) -> None:
    expected = ("", sheets.NO_RESULT) if read is None else (read, "")
    assert xml_cell(xml) == expected


@pytest.mark.acceptance("FI31")
def test_a_name_that_was_written_as_a_formula_is_missed_by_name() -> None:
    assert cell("=山田^太郎") == ("", sheets.NO_RESULT)


@pytest.mark.acceptance("FI32")
@pytest.mark.parametrize(
    ("xml", "read", "why"),
    [
        ('<c t="e"><v>#N/A</v></c>', "", "The cell shows the error #N/A"),
        ('<c t="e"><v>Doe</v></c>', "", "The cell shows the error: mend"),
        ('<c t="b"><v>1</v></c>', "TRUE", ""),
        ('<c t="b"><v>0</v></c>', "FALSE", ""),
        ('<c t="d"><v>2026-03-02T00:00:00</v></c>', "2026-03-02", ""),
        ('<c t="d"><v>2026-03-02T09:30:00.000Z</v></c>', "2026-03-02 09:30:00", ""),
        ('<c t="inlineStr"><is><r><t>a</t></r><r><t>b</t></r><rPh><t>x</t></rPh></is></c>', "ab", ""),
        ('<c t="inlineStr"><is><t>a_x005F_x0041_b</t></is></c>', "a_x0041_b", ""),
        ('<c t="inlineStr"><is><t>_xD800_</t></is></c>', "", sheets.UNREADABLE),
        ('<c t="inlineStr"><is><t>_x0000_</t></is></c>', "", sheets.UNREADABLE),
    ],
)
def test_other_cells(xml: str, read: str, why: str) -> None:
    found, said = xml_cell(xml)

    assert found == read
    assert said.startswith(why) and bool(said) == bool(why)


@pytest.mark.acceptance("FI32")
def test_shared_texts_are_put_together_without_how_they_are_said() -> None:
    strings = "<si><t>a</t></si><si><r><t>山</t></r><r><t>田</t></r><rPh><t>ヤマダ</t></rPh></si>"

    assert xml_cell('<c t="s"><v>1</v></c>', strings=strings) == ("山田", "")


@pytest.mark.acceptance("FI32")
def test_of_merged_cells_only_the_first_has_a_value() -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["ID", "Weight"], ["1", 70], ["2", None], [None, 80]):
        sheet.append(row)
    sheet.merge_cells("B2:B3")
    sheet.merge_cells("A3:A4")
    found = read_book(saved(book))

    assert [(row.record, dict(row.values), dict(row.unusable)) for row in found.rows] == [
        ("1", {"id": "1", "weight": "70"}, {}),
        ("2", {"id": "2"}, {"weight": sheets.MERGED}),
    ]
    assert [(left_out.rows, left_out.text) for left_out in found.left_out] == [((4,), sheets.MERGED)]


@pytest.mark.acceptance("FI32")
def test_hidden_and_filtered_rows_are_read_like_others() -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["ID"], ["1"], ["2"]):
        sheet.append(row)
    sheet.row_dimensions[3].hidden = True
    sheet.auto_filter.ref = "A1:A3"

    assert [row.record for row in read_book(saved(book)).rows] == ["1", "2"]


@pytest.mark.acceptance("FI24")
def test_the_sheet_that_is_meant_is_read() -> None:
    book = Workbook()
    first = book.active
    assert first is not None
    first.title = "Notes"
    first.append(["x"])
    second = book.create_sheet("People")
    for row in ([], ["ID"], [], ["1"]):
        second.append(row)
    data = saved(book)
    found = read_book(data, TableLayout(record="ID", sheet="People", header_row=2))

    assert [(row.record, row.number) for row in found.rows] == [("1", 4)]
    assert read_head(data, "a.xlsx", TableLayout()).sheets == ("Notes", "People")
    with pytest.raises(TableError, match="the workbook has no sheet Persons"):
        read_book(data, TableLayout(record="ID", sheet="Persons"))
    with pytest.raises(TableError, match="row 1 has no header “ID”"):
        read_book(data)
    first.sheet_state = "hidden"
    assert only_row(read_book(saved(book), TableLayout(record="ID", header_row=2))).record == "1"


@pytest.mark.acceptance("FI42")
@given(
    st.lists(
        st.one_of(
            st.integers(-(10**14), 10**14),
            st.floats(-1e6, 1e6, allow_nan=False),
            st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=9),
            st.booleans(),
            st.dates(date(1900, 3, 1), date(9999, 12, 31)),
        ),
        min_size=1,
        max_size=12,
    )
)
@settings(deadline=None)
def test_another_reader_reads_the_same(values: list[Any]) -> None:
    values = [value for value in values if not (isinstance(value, str) and value.startswith("="))]
    data = workbook([["ID", "Note"], *([f"k{place}", value] for place, value in enumerate(values))])
    rows = read_book(data).rows
    sheet = load_workbook(BytesIO(data), data_only=True).active
    assert sheet is not None

    for row, (_key, theirs) in zip(rows, sheet.iter_rows(2, values_only=True), strict=True):
        ours = row.values.get("note", "")
        if isinstance(theirs, bool):
            assert ours == str(theirs).upper()
        elif isinstance(theirs, datetime):
            assert ours == theirs.date().isoformat()
        elif isinstance(theirs, int | float):
            assert float(ours) == pytest.approx(theirs, rel=1e-14)
        else:
            assert ours == sheets.unescaped(str(theirs))


def test_an_unusable_cell_never_tells_what_it_holds() -> None:
    texts = [
        each
        for module in (shown, serials, sheets)
        for each in vars(module).values()
        if isinstance(each, str) and each.startswith("The cell")
    ]

    assert len(texts) > 8
    assert not any("{" in text for text in texts)
    assert isinstance(shown.text_of("42", "0000"), Unusable)
    assert read_book(workbook([["ID"], ["1"]]), ID).left_out == []
