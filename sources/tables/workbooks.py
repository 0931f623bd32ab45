"""An .xlsx workbook is opened here: openpyxl reads its list of sheets and its styles, and no cell.

Cells are streamed by `sheets`: openpyxl gives a number without its format's digits, nothing of a formula
without a result, and loses `x005F_` from texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Any

from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE
from openpyxl.styles.stylesheet import Stylesheet
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.xml.constants import ARC_STYLE, SHARED_STRINGS
from openpyxl.xml.functions import fromstring

from sources.mapping.problems import with_likely_name
from sources.tables import serials, sheets
from sources.tables.archives import SAVE_ANEW, WorkbookArchive
from sources.tables.bounds import Bounds
from sources.tables.cells import Row
from sources.tables.errors import Malformed

_WORKSHEET = "/worksheet"


@dataclass(frozen=True)
class Workbook:
    """`parts` has the archive's part of each worksheet by its name, in order; `visible` are not hidden."""

    archive: WorkbookArchive
    parts: dict[str, str]
    visible: tuple[str, ...]
    book: sheets.Book
    bounds: Bounds

    def sheet(self, name: str) -> str:
        """Return the sheet that is meant, the first visible one for "". Raises Malformed."""
        if not self.parts:
            raise Malformed(f"the workbook has no sheet that can be read: {SAVE_ANEW}")
        if name and name not in self.parts:
            raise Malformed(with_likely_name(f"the workbook has no sheet {name}.", name, self.parts))
        return name or next(iter(self.visible or self.parts))

    def rows(self, sheet: str) -> list[Row]:
        return sheets.read_rows(self.archive, self.parts[sheet], self.book, self.bounds)


def opened(data: bytes, bounds: Bounds) -> Workbook:
    """Read what its sheets refer to. Raises Malformed."""
    archive = WorkbookArchive(data, bounds)
    try:
        reader = ExcelReader(BytesIO(data), read_only=True, data_only=True, keep_links=False)
        reader.archive = archive
        reader.read_manifest()
        reader.read_workbook()
        listed = [(sheet, relation) for sheet, relation in reader.parser.find_sheets()]
        styles = _styles(archive)
        strings = _part_of_strings(reader.package)
    except Malformed:
        raise
    except Exception:  # whatever a damaged part does to the objects that are made of it
        raise Malformed(f"the workbook's list of sheets or its styles are damaged: {SAVE_ANEW}") from None
    of_cells = [(sheet, part) for sheet, part in listed if part.Type.endswith(_WORKSHEET)]
    texts = sheets.read_strings(archive, strings, bounds) if strings else []
    return Workbook(
        archive,
        {sheet.name: part.target for sheet, part in of_cells},
        tuple(sheet.name for sheet, _ in of_cells if sheet.state == "visible"),
        sheets.Book(texts, styles, reader.wb.epoch == CALENDAR_MAC_1904),
        bounds,
    )


def _part_of_strings(package: Any) -> str:
    found = package.find(SHARED_STRINGS)
    return found.PartName.removeprefix("/") if found is not None else ""


def _styles(archive: WorkbookArchive) -> list[sheets.Style]:
    """Return the format of each style by its number."""
    if ARC_STYLE not in archive.namelist():
        return []
    tree: Any = fromstring(archive.read(ARC_STYLE))
    read: Any = Stylesheet.from_tree(tree)
    formats = [_format(style.numFmtId, read.number_formats) for style in read.cell_styles]
    return [sheets.Style(each, serials.parts(each)) for each in formats]


def _format(number: int, custom: list[str]) -> str:
    """Return the format's text; what has no text here is a region's own."""
    if 0 <= (place := number - BUILTIN_FORMATS_MAX_SIZE) < len(custom):
        return custom[place]
    return BUILTIN_FORMATS.get(number, serials.REGIONAL_FORMAT)
