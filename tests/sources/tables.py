"""Tests of tables make files here: texts, workbooks by openpyxl, and workbooks from their XML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from sources.rows import ExportRow
from sources.tables.layout import TableLayout
from sources.tables.reading import Table, read_table

ID = TableLayout(record="ID")
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_OF_PACKAGES = "http://schemas.openxmlformats.org/package/2006"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def read_text(text: str | bytes, layout: TableLayout = ID, name: str = "people.csv") -> Table:
    return read_table(text.encode() if isinstance(text, str) else text, name, layout)


def read_book(data: bytes, layout: TableLayout = ID, name: str = "people.xlsx") -> Table:
    return read_table(data, name, layout)


def only_row(table: Table) -> ExportRow:
    (row,) = table.rows
    return row


def saved(book: Workbook) -> bytes:
    content = BytesIO()
    book.save(content)
    return content.getvalue()


def workbook(
    rows: Iterable[Iterable[Any]], formats: Mapping[str, str] | None = None, *, is_1904: bool = False
) -> bytes:
    """Return a workbook with the rows on its sheet, and number formats of some cells."""
    book = Workbook()
    if is_1904:
        book.epoch = CALENDAR_MAC_1904
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    for place, number_format in (formats or {}).items():
        sheet[place].number_format = number_format
    return saved(book)


def package(parts: Mapping[str, str | bytes]) -> bytes:
    content = BytesIO()
    with ZipFile(content, "w", ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return content.getvalue()


def parts_of(sheet_data: str, *, strings: str = "", formats: str = "", after: str = "") -> dict[str, str]:
    """Return the parts of a workbook whose sheet has this in its `sheetData`.

    `strings` are `<si>` elements; `formats` is a number format, of style 1.
    """
    number_formats = f'<numFmts><numFmt numFmtId="164" formatCode="{formats}"/></numFmts>' if formats else ""
    return {
        "[Content_Types].xml": (
            f'<Types xmlns="{_OF_PACKAGES}/content-types">'
            f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
            f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_TYPES}.sharedStrings+xml"/>'
            "</Types>"
        ),
        "xl/workbook.xml": (
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}">'
            '<sheets><sheet name="People" sheetId="1" r:id="rId1"/></sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": (
            f'<Relationships xmlns="{_OF_PACKAGES}/relationships">'
            f'<Relationship Id="rId1" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/>'
            "</Relationships>"
        ),
        "xl/styles.xml": (
            f'<styleSheet xmlns="{_MAIN}">{number_formats}'
            '<cellXfs><xf numFmtId="0"/><xf numFmtId="164"/></cellXfs></styleSheet>'
        ),
        "xl/sharedStrings.xml": f'<sst xmlns="{_MAIN}">{strings}</sst>',
        "xl/worksheets/sheet1.xml": (
            f'<worksheet xmlns="{_MAIN}"><sheetData>{sheet_data}</sheetData>{after}</worksheet>'
        ),
    }


def by_xml(cells: str, **more: str) -> bytes:
    """Return a workbook with the headers ID and Value, and a second row of these cells as XML."""
    header = (
        '<row r="1"><c t="inlineStr"><is><t>ID</t></is></c><c t="inlineStr"><is><t>Value</t></is></c></row>'
    )
    return package(parts_of(f'{header}<row r="2">{cells}</row>', **more))
