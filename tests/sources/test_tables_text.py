"""CSV files are read, or refused by name, line and column; workbooks have tests of their own."""

from __future__ import annotations

import codecs
import csv
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.contract import SessionKey
from sources.tables.bounds import Bounds
from sources.tables.errors import TableError
from sources.tables.layout import DateOrder, TableLayout
from sources.tables.reading import read_head, read_table
from tests.sources.tables import ID, only_row, read_text

PERSON = "ID,Name\n0042,Müller\n"


def refused(text: str | bytes, layout: TableLayout = ID, name: str = "people.csv") -> str:
    with pytest.raises(TableError) as found:
        read_text(text, layout, name)
    return str(found.value)


@pytest.mark.acceptance("FI20")
@pytest.mark.parametrize(
    "data",
    [
        PERSON.encode(),
        codecs.BOM_UTF8 + PERSON.encode(),
        PERSON.encode("utf-16"),
        codecs.BOM_UTF16_BE + PERSON.encode("utf-16-be"),
    ],
    ids=["utf-8", "utf-8 with mark", "utf-16", "utf-16 big endian"],
)
def test_an_encoding_shows_itself(data: bytes) -> None:
    assert only_row(read_text(data)).values == {"id": "0042", "name": "Müller"}


@pytest.mark.acceptance("FI20")
@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("ID\n1\nMüller\n".encode("latin-1"), "people.csv: line 3 is not in UTF-8: save it as"),
        ("ID\r\n1\r\nMüller\r\n".encode("latin-1"), "line 3 is not in UTF-8"),
        ("ID\r1\rMüller\r".encode("latin-1"), "line 3 is not in UTF-8"),
        (PERSON.encode("utf-16")[:-1], "begins as UTF-16 and does not go on so"),
        ("ID\n1\n".encode("utf-16-le"), "line 1 has a zero byte"),
        (PERSON.encode("utf-32"), "it is in UTF-32"),
        (b"ID\n1\n\x002\n", "line 3 has a zero byte"),
        (b"ID\n\xc2\x9d1\n", "line 2 has control characters"),
    ],
)
def test_what_is_no_text_is_refused_with_its_line(data: bytes, said: str) -> None:
    assert said in refused(data)


@pytest.mark.acceptance("FI21")
@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_a_national_encoding_is_read_as_stated(encoding: str) -> None:
    found = read_text(PERSON.encode(encoding), TableLayout(record="ID", encoding=encoding))

    assert only_row(found).values["name"] == "Müller"


@pytest.mark.acceptance("FI21")
@pytest.mark.parametrize(
    ("data", "encoding", "said"),
    [
        (PERSON.encode(), "latin-1", "it is in UTF-8, but latin-1 is stated"),
        (codecs.BOM_UTF8 + PERSON.encode(), "cp1252", "it begins as utf-8"),
        ("ID\n€5\n".encode("cp1252"), "latin-1", "line 2 has characters that Latin-1 does not have"),
        (b"ID\n1\n\x81\n", "cp1252", "line 3 has a byte that cp1252 does not know"),
        (PERSON.encode(), "utf-16", "does not begin as UTF-16 does"),
        (PERSON.encode(), "ebcdic", "the encoding ebcdic is not known"),
    ],
)
def test_an_encoding_that_is_stated_and_not_used_is_refused(data: bytes, encoding: str, said: str) -> None:
    assert said in refused(data, TableLayout(record="ID", encoding=encoding))


@pytest.mark.acceptance("FI22")
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_in_the_header_row(delimiter: str) -> None:
    text = delimiter.join(("ID", '"Name, first; last"', "Note")) + "\n" + delimiter.join(("1", '"a,b"', "c"))

    assert only_row(read_text(text)).values == {"id": "1", "name_first_last": "a,b", "note": "c"}


@pytest.mark.acceptance("FI22")
def test_a_tie_between_delimiters_is_refused() -> None:
    assert "may be divided by semicolon or comma: state the delimiter" in refused("ID,a;b\n1,2;3\n")
    found = read_text("ID,a;b\n1,2;3\n", TableLayout(record="ID", delimiter=","))
    assert only_row(found).values == {"id": "1", "a_b": "2;3"}
    assert "the delimiter may be one of" in refused(PERSON, TableLayout(record="ID", delimiter="x"))


@pytest.mark.acceptance("FI22")
def test_a_first_line_for_spreadsheets_says_the_delimiter_and_counts_as_a_row() -> None:
    found = read_text("sep=;\r\nID;Name\r\n1;a,b,c,d\r\n")

    assert (only_row(found).values, only_row(found).number) == ({"id": "1", "name": "a,b,c,d"}, 3)


@pytest.mark.acceptance("FI23")
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_in_each_way_and_rows_are_numbered_as_in_a_spreadsheet(end: str) -> None:
    text = end.join(("ID;Note;;", '1;"two', 'lines";;', ";;;", "", "2;x", ""))
    rows = read_text(text).rows

    assert [(row.number, row.record, row.values.get("note", "")) for row in rows] == [
        (2, "1", f"two{end}lines"),
        (5, "2", "x"),
    ]


@pytest.mark.acceptance("FI23")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('ID,Note\n1,"a\n2,b\n', "row 2: a quotation mark is not closed"),
        ('ID,Note\n1,"a"b\n', "row 2: something stands after a quotation mark"),
        ("ID,Note,Weight\n1,a,70\n2,b", "row 3 has 2 of 3 columns: the file ends within it"),
        ("", "it is empty"),
        ("\n\n\n", "it is empty"),
        (";;\n", "row 1 has no headers"),
    ],
)
def test_a_text_that_is_cut_off_is_refused(text: str, said: str) -> None:
    assert said in refused(text)


@pytest.mark.acceptance("FI23")
def test_a_row_that_is_too_long_is_nobodys_for_its_cells_may_be_shifted() -> None:
    found = read_text("ID,Name,Weight\n1,Doe, Jane,70\n2,Roe,60\n")

    assert [row.record for row in found.rows] == ["2"]
    (left_out,) = found.left_out
    assert (left_out.rows, left_out.record, left_out.key) == ((2,), "", None)
    assert "more cells than there are headers" in left_out.text


@pytest.mark.acceptance("FI24")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ID,Weight,Weight\n", "columns B and C of row 1 have the same header, or nearly"),
        ("ID,Weight (kg),weight kg\n", "columns B and C of row 1 have the same header"),
        ("Name\nx\n", "people.csv: row 1 has no header “ID”, of the participant."),
        ("ID," + "x" * 201 + "\n", "row 1, column B: a header has at most 200 characters"),
        ("IDs\n1\n", "row 1 has no header “ID”, of the participant. Did you mean IDs?"),
        ("0042;Doe^Jane;1990-01-31\n", "people.csv: row 1 has no header “ID”, of the participant."),
    ],
)
def test_columns_that_cannot_be_told_apart_are_named(text: str, said: str) -> None:
    assert said in refused(text)


@pytest.mark.acceptance("FI24")
def test_a_column_without_a_header_is_left_out_and_said() -> None:
    found = read_text("ID,,Weight\n1,x,70\n2,,80\n")

    assert found.columns == {"id": "ID", "weight": "Weight"}
    assert found.warnings == ("Column B has values and no header: it is not read.",)


@pytest.mark.acceptance("FI24")
@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("Weight (kg)", "weight_kg"),
        (" Größe ", "grosse"),
        ("1st visit", "column_1st_visit"),
        ("氏名", "u6c0f_u540d"),
        ("Event", "event_column"),
        ("redcap_event_name", "redcap_event_name_column"),
        ("%", "column"),
    ],
)
def test_a_mapping_calls_a_column_by_a_plain_name(header: str, name: str) -> None:
    assert read_text(f"ID,{header}\n1,x\n").columns[name] == " ".join(header.split())


@pytest.mark.acceptance("FI25")
@pytest.mark.parametrize("text", ["0042", "1E5", "NA", "TRUE", "1-2", "2.25.4", "007.10", "-5", "=x", "null"])
def test_a_text_is_what_it_is(text: str) -> None:
    row = only_row(read_text(f"ID;Note\n{text};{text}\n"))

    assert (row.record, row.values["note"]) == (text, text)


@pytest.mark.acceptance("FI29")
@pytest.mark.parametrize(
    ("order", "text", "said"),
    [
        ("DMY", "12/03/2015", "2015-03-12"),
        ("MDY", "12/03/2015", "2015-12-03"),
        ("DMY", "1.2.1899", "1899-02-01"),
        ("YMD", "2015/3/12", "2015-03-12"),
        ("DMY", "12.03.2015 9:30", "2015-03-12 9:30"),
        ("DMY", "2015-03-12", "2015-03-12"),
        ("DMY", "", ""),
        ("DMY", "12/03/15", "two digits"),
        ("MDY", "13/03/2015", "no such date"),
        ("DMY", "31.02.2015", "no such date"),
        ("DMY", "12/03-2015", "not a date in the order"),
        ("DMY", "March 12", "not a date in the order"),
        ("YMD", "12/03/2015", "two digits"),
    ],
)
def test_a_typed_date_is_read_in_the_order_that_is_stated(order: str, text: str, said: str) -> None:
    layout = TableLayout(record="ID", date_order={"Born": DateOrder(order)})
    row = only_row(read_text(f"ID;Born\n1;{text}\n", layout))

    if row.unusable:
        assert said in row.unusable["born"].lower()
        assert "born" not in row.values
    else:
        assert row.values.get("born", "") == said


@pytest.mark.acceptance("FI34")
def test_rows_of_one_key_stay_out_both() -> None:
    found = read_text("ID,Visit\n1,a\n2,a\n1,a\n1,b\n", TableLayout(record="ID", session="Visit"))

    assert [(row.record, row.event) for row in found.rows] == [("2", "a"), ("1", "b")]
    (left_out,) = found.left_out
    assert left_out.text == "Rows 2 and 4 have the same key: each participant and session may have one row."
    assert (left_out.record, left_out.key) == ("1", SessionKey("a"))


@pytest.mark.acceptance("FI34")
def test_rows_without_a_key_are_told_by_number() -> None:
    found = read_text("ID,Name\n1,a\n,b\n ,c\n,\n")

    assert found.warnings == ("Rows 3 and 4 have no “ID”: they are left out.",)
    assert found.left_out == []


@pytest.mark.acceptance("FI34")
@pytest.mark.parametrize("text", ["0", "-1", "x", "1.5", "٣", "1234567890"])
def test_the_number_of_a_session_is_a_number(text: str) -> None:
    found = read_text(f"ID,No\n1,{text}\n1,2\n1,\n", TableLayout(record="ID", instance="No"))

    assert [row.instance for row in found.rows] == [2, 0]
    (left_out,) = found.left_out
    assert (left_out.rows, left_out.column, left_out.record, left_out.key) == ((2,), "no", "1", None)


@pytest.mark.acceptance("FI34")
def test_a_key_is_one_spelling_without_what_nobody_sees() -> None:
    found = read_text("ID\n\ufeff0042\u200b \nMu\u0308ller\n" + "x" * 101 + "\n")

    assert [row.record for row in found.rows] == ["0042", "Müller"]
    assert [left_out.rows for left_out in found.left_out] == [(4,)]


@pytest.mark.acceptance("FI33")
@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "a.xls", "an old .xls workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "a.xlsx", "an old .xls workbook"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "a.xlsx",
            "encrypted with a password",
        ),
        (b"<html><table>", "a.xls", "a web page"),
        (b"\n <!DOCTYPE html>", "a.csv", "a web page"),
        (b'<?xml version="1.0"?><Workbook/>', "a.xls", "XML"),
        (b"%PDF-1.7", "a.csv", "a PDF"),
        (b"ID\n1\n", "a.ods", "an OpenDocument spreadsheet"),
        (b"PK\x03\x04" + bytes(26) + b"mimetypeapplication/vnd.oasis", "a.xlsx", "an OpenDocument"),
        (b"PK\x03\x04" + bytes(26) + b"Index/Document.iwa", "a.numbers", "a Numbers spreadsheet"),
        (b"PK\x03\x04" + bytes(26) + b"xl/workbook.bin", "a.xlsx", "a binary workbook"),
        (b"ID\n1\n", "a.json", "no .csv, .tsv, .txt or .xlsx by its ending"),
        (b"ID\n1\n", "a.xlsx", "it is no workbook, whatever its ending says"),
        (b"PK\x03\x04" + bytes(26), "a.csv", "an archive or a workbook, and not a text"),
    ],
)
def test_other_kinds_of_files_are_refused_by_name(data: bytes, name: str, said: str) -> None:
    told = refused(data, name=name)

    assert told.startswith(f"{name}: ")
    assert said in told


@pytest.mark.acceptance("FI41")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ID" + ",x" * 40 + "\n1\n", "more than 20 columns"),
        ("ID\n" + "1\n" * 60, "more than 50 rows"),
        ("ID,a\n" + "".join(f"{n},{'y' * 900}\n" for n in range(9)), "larger than 0 MiB"),
        ("ID,a\n1," + "y" * 700 + "\n", "a cell of more than 100 characters"),
        ('ID,a\n1,"' + "y\n" * 2000, "row 2 is too long for a table"),
        ("ID,a,b\n" + "".join(f"{n},x,y\n" for n in range(40)), "more than 100 cells"),
    ],
)
def test_a_text_is_bounded(text: str, said: str) -> None:
    bounds = Bounds(file=5_000, rows=50, columns=20, cells=100, cell=100)
    with pytest.raises(TableError, match=said):
        read_table(text.encode(), "people.csv", ID, bounds)


def test_the_head_shows_first_rows_as_they_are_without_asking_for_keys() -> None:
    layout = TableLayout(header_row=2, date_order={"Nothing": DateOrder.DMY})
    found = read_head(b"A table\nID;Name\n\n1;a\n2;b\n3;c\n", "people.csv", layout, rows=2)

    assert (found.headers, found.rows, found.sheets) == (("ID", "Name"), (("1", "a"), ("2", "b")), ())


@pytest.mark.acceptance("FI23")
@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_categories=["C"]), max_size=8), min_size=2, max_size=2),
        max_size=6,
    ),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_a_writer_wrote_is_read(rows: list[list[str]], delimiter: str, encoding: str) -> None:
    written = StringIO(newline="")
    numbered = [[str(number), *row] for number, row in enumerate(rows)]
    csv.writer(written, delimiter=delimiter).writerows([["ID", "a", "b"], *numbered])
    found = read_text(written.getvalue().encode(encoding))

    expected = [[number, row[1], row[2]] for number, row in zip(range(len(rows)), numbered, strict=True)]
    assert [
        [number, row.values.get("a", ""), row.values.get("b", "")] for number, row in enumerate(found.rows)
    ] == expected
