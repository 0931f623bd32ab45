"""Whatever bytes come as a table, they are read or refused by name, in bounded memory and time.

Numbers make files: the same number makes the same file in every run. A usual run tries a few hundred, a
nightly one two thousand.
"""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from sources.rows import ExportRow
from sources.tables.archives import WorkbookArchive
from sources.tables.bounds import USUAL, Bounds
from sources.tables.errors import TableError
from sources.tables.layout import TableLayout
from sources.tables.reading import Table, read_head, read_table
from tests.effort import tries
from tests.sources.tables import by_xml, package, parts_of, workbook

FILES = tries(320, nightly=2_000)
AT_ONCE = 40  # files for one test
LAYOUT = TableLayout(record="ID", session="Visit")
ROWS: list[list[Any]] = [
    ["ID", "Visit", "Name", "Weight"],
    *([f"{n:04}", "1", f"Müller^Anna {n}", 60 + n] for n in range(20)),
]
TEXT = "\r\n".join(";".join(map(str, row)) for row in ROWS).encode()
BOOK = workbook([*ROWS, ["x", 1, "=1+1", 70.5]], {"D3": "0000", "D4": "0%", "D5": "yyyy-mm-dd"})
ENCODINGS = ("utf-16", "utf-16-le", "latin-1", "utf-32", "utf-7", "cp500", "utf-8-sig")
LONGEST_TEXT = 700
Mutation = Callable[[random.Random, bytes], bytes]


def cut_off(chance: random.Random, data: bytes) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def flipped(chance: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 12)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def with_nulls(chance: random.Random, data: bytes) -> bytes:
    place = chance.randrange(len(data))
    return data[:place] + bytes(chance.randint(1, 400)) + data[place:]


def repeated(chance: random.Random, data: bytes) -> bytes:
    first, last = sorted(chance.randrange(len(data)) for _ in range(2))
    return data[:last] + data[first:last] * chance.randint(1, 30) + data[last:]


def without_a_part(chance: random.Random, data: bytes) -> bytes:
    first, last = sorted(chance.randrange(len(data)) for _ in range(2))
    return data[:first] + data[last:]


def with_marks(chance: random.Random, data: bytes) -> bytes:
    """Put characters that mean something where they mean something else."""
    changed = data
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(changed))
        mark = chance.choice((b'"', b";", b"\n", b"\r", b"<", b"&", b">", b"=", b"'", b"\t", b"\xef\xbb\xbf"))
        changed = changed[:place] + mark * chance.choice((1, 1, 1, 700)) + changed[place:]
    return changed


def in_another_encoding(chance: random.Random, data: bytes) -> bytes:
    return TEXT.decode().encode(chance.choice(ENCODINGS))


def with_a_mutated_part(chance: random.Random, data: bytes) -> bytes:
    """Change one XML part of the workbook, and pack all anew, so that the archive is whole."""
    with ZipFile(BytesIO(BOOK)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = chance.choice(sorted(parts))
    parts[name] = chance.choice(OF_BYTES)(chance, parts[name])
    return package(dict(parts))


def with_other_numbers(chance: random.Random, data: bytes) -> bytes:
    """Change digits of a part: rows, styles, texts and formats are referred to by them."""
    with ZipFile(BytesIO(BOOK)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = chance.choice([each for each in sorted(parts) if each.startswith("xl/")])
    digits = [place for place, byte in enumerate(parts[name]) if chr(byte).isdigit()]
    changed = bytearray(parts[name])
    for place in chance.sample(digits, min(len(digits), 4)):
        changed[place : place + 1] = chance.choice(
            (b"9", b"0", b"-1", b"99999999999", b"1e9", b"NaN", b"\xd9\xa3")
        )
    parts[name] = bytes(changed)
    return package(dict(parts))


OF_BYTES: tuple[Mutation, ...] = (cut_off, flipped, with_nulls, repeated, without_a_part, with_marks)
MUTATIONS = (*OF_BYTES, in_another_encoding, with_a_mutated_part, with_a_mutated_part, with_other_numbers)


def mutated(number: int) -> tuple[bytes, str]:
    """Return the file of this number, and its name."""
    chance = random.Random(number)
    name = chance.choice(("people.csv", "people.xlsx", "people.txt"))
    mutation = chance.choice(MUTATIONS)
    data = mutation(chance, BOOK if name.endswith(".xlsx") else TEXT)
    if mutation in (with_a_mutated_part, with_other_numbers):
        name = "people.xlsx"
    return data, name


def is_whole(table: Table) -> bool:
    """Tell whether every row has its own key, and columns that the table has."""
    keys = [(row.record, row.event, row.instance) for row in table.rows]
    return len(set(keys)) == len(keys) and all(_is_known(row, table) for row in table.rows)


def _is_known(row: ExportRow, table: Table) -> bool:
    return bool(row.record) and {*row.values, *row.unusable} <= set(table.columns)


@pytest.mark.acceptance("FI40")
@pytest.mark.parametrize("first", range(0, FILES, AT_ONCE))
def test_a_mutated_file_is_read_whole_or_refused_by_name(first: int) -> None:
    for number in range(first, first + AT_ONCE):
        data, name = mutated(number)
        for read in (read_table, read_head):
            try:
                found = read(data, name, LAYOUT)
            except TableError as error:
                assert str(error).startswith(f"{name}: "), number
                assert len(str(error)) < LONGEST_TEXT, number
                assert "Müller" not in str(error), number
            else:
                assert not isinstance(found, Table) or is_whole(found), number


def test_the_mutations_are_of_every_kind_and_some_files_are_still_read() -> None:
    read = refused = 0
    for number in range(120):
        try:
            read_table(*mutated(number), LAYOUT)
            read += 1
        except TableError:
            refused += 1
    assert read > 10
    assert refused > 40


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]>"
)
ID_CELL = '<c t="inlineStr"><is><t>1</t></is></c>'
MILLION = 1_000_000
FEW_ROWS = Bounds(rows=5_000)  # they take their time where memory is measured
MOST_MEMORY = 96 * 1024 * 1024


def with_part(name: str, part: str | bytes) -> bytes:
    return package({**parts_of(""), name: part})


def lying_about_sizes() -> bytes:
    """Return a workbook whose directory says that a bomb is small."""
    data = bytearray(with_part("xl/worksheets/sheet1.xml", b"<worksheet><sheetData>" + b" " * 8 * MILLION))
    place = data.find(b"PK\x01\x02", data.rfind(b"xl/sharedStrings.xml"))
    size = (8 * MILLION + 22).to_bytes(4, "little")
    assert data.count(size) >= 1, place
    return bytes(data.replace(size, (100).to_bytes(4, "little")))


def of_many_parts() -> bytes:
    content = BytesIO()
    with ZipFile(content, "w") as archive:
        for number in range(6_000):
            archive.writestr(f"{number}", b"")
    return content.getvalue()


def packed(size: int) -> bytes:
    content = BytesIO()
    with (
        ZipFile(content, "w", ZIP_DEFLATED) as archive,
        archive.open("xl/worksheets/sheet1.xml", "w") as part,
    ):
        for _ in range(size // MILLION):
            part.write(bytes(MILLION))
    return content.getvalue()


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "unpacks to much": (lambda: packed(150 * MILLION), "unpacks to more than 128 MiB"),
    "lies about its sizes": (lying_about_sizes, "damaged or cut off"),
    "has many parts": (of_many_parts, "more than 5000 parts"),
    "expands entities in cells": (
        lambda: with_part("xl/worksheets/sheet1.xml", LAUGHS + "<worksheet>&j;</worksheet>"),
        "declares a document type",
    ),
    "expands entities in styles": (
        lambda: with_part("xl/styles.xml", LAUGHS + "<styleSheet>&j;</styleSheet>"),
        "declares a document type",
    ),
    "names a file of the host": (
        lambda: with_part(
            "xl/workbook.xml", '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]><a>&a;</a>'
        ),
        "declares a document type",
    ),
    "has deep XML": (lambda: by_xml("<a>" * 100_000), "more XML in it than a table needs"),
    "has deep XML in styles": (
        lambda: with_part("xl/styles.xml", "<a>" * 100_000),
        "more XML in it than a table needs",
    ),
    "has many styles": (
        lambda: with_part(
            "xl/styles.xml", f"<styleSheet><cellXfs>{'<xf/>' * 100_000}</cellXfs></styleSheet>"
        ),
        "more XML in it than a table needs",
    ),
    "has a large list of sheets": (
        lambda: with_part("xl/workbook.xml", f"<workbook>{' ' * 5 * MILLION}</workbook>"),
        "is too large",
    ),
    "has a million columns": (lambda: by_xml(ID_CELL * MILLION), "more than 1000 columns"),
    "has a column far to the right": (lambda: by_xml('<c r="XFD2"><v>1</v></c>'), "more than 1000 columns"),
    "has a row far below": (
        lambda: package(parts_of(f'<row r="1048576">{ID_CELL}</row>')),
        "more than 5000 rows",
    ),
    "has many rows": (lambda: package(parts_of(f"<row>{ID_CELL}</row>" * 6_000)), "more than 5000 rows"),
    "has a huge cell": (
        lambda: by_xml(f'<c t="inlineStr"><is><t>{"x" * MILLION}</t></is></c>'),
        "more than 32767 characters",
    ),
    "has a huge text": (
        lambda: by_xml(ID_CELL, strings=f"<si><t>{'x' * MILLION}</t></si>"),
        "more than 32767 characters",
    ),
    "merges everything": (
        lambda: package(
            parts_of(
                f"<row>{ID_CELL}</row>" * 5_000,
                after="<mergeCells>" + '<mergeCell ref="A1:XFD99999"/>' * 90 + "</mergeCells>",
            )
        ),
        "more merged cells than a table",
    ),
    "refers to no text": (
        lambda: by_xml('<c t="s"><v>99</v></c>'),
        "the cell A2 is not as a workbook has it",
    ),
    "has a number that is none": (lambda: by_xml("<c><v>1e999999</v></c>"), "the cell A2 is not as"),
    "has a row twice": (
        lambda: package(parts_of(f'<row r="1">{ID_CELL}</row><row r="1">{ID_CELL}</row>')),
        "row 1 comes twice",
    ),
    "has a cell twice": (lambda: by_xml('<c r="A2"><v>1</v></c>' * 2), "has a cell twice"),
    "has a cell of another row": (lambda: by_xml('<c r="A9"><v>1</v></c>'), "has a cell of another row"),
}


@pytest.mark.acceptance("FI41")
@pytest.mark.parametrize(("make", "said"), BOMBS.values(), ids=BOMBS.keys())
def test_a_workbook_that_would_take_much_is_refused_before_it_does(
    make: Callable[[], bytes], said: str
) -> None:
    data = make()
    tracemalloc.start()
    try:
        with pytest.raises(TableError) as found:
            read_table(data, "people.xlsx", TableLayout(record="ID"), FEW_ROWS)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert said in str(found.value)
    assert peak < MOST_MEMORY


@pytest.mark.acceptance("FI41")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"ID" + b",a" * MILLION, "row 1"),
        (b"ID\n1" + b",a" * MILLION, "row 2 is too long"),
        (b"ID,a\n1," + b"x" * MILLION, "row 2"),
        (b'ID,a\n1,"' + b"x,\n" * MILLION, "row 2: a cell is too long"),
        (b"ID,a\n" + b"\n" * 9_000 + b"1,2\n", "more than 5000 rows"),
        (b"ID\n" + b"1\r" * 6_000, "more than 5000 rows"),
    ],
)
def test_a_text_that_would_take_much_is_refused_before_it_does(text: bytes, said: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(TableError, match=said):
            read_table(text, "people.csv", TableLayout(record="ID"), FEW_ROWS)
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
    finally:
        tracemalloc.stop()


@pytest.mark.acceptance("FI41")
def test_all_cells_together_are_bounded() -> None:
    with pytest.raises(TableError, match="more than 50 cells"):
        read_table(BOOK, "people.xlsx", LAYOUT, Bounds(cells=50))
    assert USUAL.cells > 50 * 1000
    assert WorkbookArchive(BOOK, USUAL).namelist()
