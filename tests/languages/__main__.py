"""Write what is marked into the catalogues, keep the translations that are there, and compile them.

A text that is not marked any more goes; one that is new has no translation yet, and a test says so.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from tests.languages.texts import DOMAINS, LANGUAGES, path_of, template_catalog

HEADER = """msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plurals};\\n"

"""
NO_DAY = datetime(2026, 1, 1, tzinfo=UTC)


def main() -> int:
    for language in LANGUAGES:
        for domain in DOMAINS:
            catalog = brought_up_to_date(language, domain)
            write(catalog, path_of(language, domain))
            print(
                f"{language}, {domain}: {len(catalog)} texts, {len(untranslated(catalog))} to be translated"
            )
    return 0


def brought_up_to_date(language: str, domain: str) -> Catalog:
    """Return the stored catalogue with the texts of now; no translation is guessed from a similar text."""
    catalog = stored(language, domain)
    catalog.update(template_catalog(domain), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    return catalog


def stored(language: str, domain: str) -> Catalog:
    path = path_of(language, domain)
    if not path.exists():
        return Catalog(locale=language, domain=domain, project="Pylantir", charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=language, domain=domain)


def write(catalog: Catalog, path: Path) -> None:
    """Write both files so that the same texts always give the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(HEADER.format(language=catalog.locale, plurals=catalog.plural_forms).encode())
        write_po(file, catalog, omit_header=True, width=100, sort_output=True, no_location=True)
    catalog.fuzzy = False
    catalog.creation_date = catalog.revision_date = NO_DAY
    with path.with_suffix(".mo").open("wb") as file:
        write_mo(file, catalog)


def untranslated(catalog: Catalog) -> list[str]:
    """Return the texts, singulars where there are plurals, that lack a translation or a form of it."""
    return [_first(each.id) for each in catalog if each.id and not _is_whole(each.string)]


def _first(message: str | list[str] | tuple[str, ...]) -> str:
    return message if isinstance(message, str) else message[0]


def _is_whole(translation: str | list[str] | tuple[str, ...] | None) -> bool:
    return bool(translation if isinstance(translation, str) else translation and all(translation))


if __name__ == "__main__":
    sys.exit(main())
