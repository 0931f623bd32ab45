"""Every text that the admin shows is marked for translation, and German is whole."""

from __future__ import annotations

import ast
import gettext
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from django.test import Client

from accounts.models import User
from tests.languages import unmarked
from tests.languages.__main__ import stored, untranslated
from tests.languages.texts import DOMAINS, KEYWORDS, LANGUAGES, ROOT, files, path_of, template_catalog

PLACEHOLDER = re.compile(r"%\((\w+)\)[a-z]|%[sd]")
each_catalog = pytest.mark.parametrize(
    ("language", "domain"), [(language, domain) for language in LANGUAGES for domain in DOMAINS]
)


def keys(catalog: Catalog) -> set[tuple[str | None, str]]:
    return {(each.context, first(each.id)) for each in catalog if each.id}


def in_short(path: Path) -> str:
    return str(path.relative_to(ROOT))


def first(text: str | list[str] | tuple[str, ...]) -> str:
    return text if isinstance(text, str) else text[0]


def forms(text: str | list[str] | tuple[str, ...] | None) -> list[str]:
    return [text] if isinstance(text, str) else list(text or ())


@pytest.mark.acceptance("AD177")
@each_catalog
def test_each_text_of_the_code_is_translated(language: str, domain: str) -> None:
    catalog = stored(language, domain)
    marked, known = keys(template_catalog(domain)), keys(catalog)

    assert sorted(text for _, text in marked - known) == [], "Run `make messages`, and translate them."
    assert sorted(text for _, text in known - marked) == [], "Run `make messages`: nobody says this any more."
    assert untranslated(catalog) == [], f"Translate them in {path_of(language, domain).relative_to(ROOT)}."
    assert [each.id for each in catalog if each.id and each.fuzzy] == []


@pytest.mark.acceptance("AD177")
def test_texts_are_found_under_each_name_by_which_they_are_marked() -> None:
    """A module that calls gettext by a name that is not known here would keep its texts from German."""
    names = {
        each.asname or each.name
        for path in files("django")
        if path.suffix == ".py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for each in node.names
        if "gettext" in each.name
    }

    assert {"gettext", "gettext_lazy", "gettext_noop"} <= names
    assert names <= KEYWORDS.keys()


@pytest.mark.acceptance("AD177")
def test_no_text_is_marked_within_an_f_string_where_it_is_not_found() -> None:
    found = [
        (in_short(path), call.lineno)
        for path in files("django")
        if path.suffix == ".py"
        for literal in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(literal, ast.JoinedStr)
        for call in ast.walk(literal)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in KEYWORDS
    ]

    assert found == []


@each_catalog
def test_a_translation_has_the_placeholders_of_its_text(language: str, domain: str) -> None:
    for each in stored(language, domain):
        if not each.id:
            continue
        wanted = [set(PLACEHOLDER.findall(form)) for form in forms(each.id)]
        for form in forms(each.string):
            # A singular may say the number in a word.
            assert set(PLACEHOLDER.findall(form)) <= wanted[-1], f"{each.id}: {form}"
            assert len(wanted) > 1 or set(PLACEHOLDER.findall(form)) == wanted[0], f"{each.id}: {form}"


@each_catalog
def test_the_compiled_catalogue_is_the_written_one(language: str, domain: str) -> None:
    with path_of(language, domain, "mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)

    for each in stored(language, domain):
        if not each.id:
            continue
        if isinstance(each.id, str):
            found = compiled.pgettext(each.context, each.id) if each.context else compiled.gettext(each.id)
            assert found == each.string, "Run `make messages`."
        else:
            singular, plural = each.id
            assert [compiled.ngettext(singular, plural, number) for number in (1, 2)] == forms(each.string)


@pytest.mark.acceptance("AD178")
@pytest.mark.parametrize(
    "path", [pytest.param(each, id=str(each.relative_to(ROOT))) for each in unmarked.templates()]
)
def test_no_text_of_a_template_is_left_unmarked(path: Path) -> None:
    found = unmarked.in_template(path.read_text(encoding="utf-8"))

    assert found == [], f"{path.relative_to(ROOT)}: mark them with translate or blocktranslate."


@pytest.mark.acceptance("AD178")
@pytest.mark.parametrize(
    "path", [pytest.param(each, id=str(each.relative_to(ROOT))) for each in unmarked.modules()]
)
def test_no_text_of_a_model_or_a_page_is_left_unmarked(path: Path) -> None:
    found = unmarked.in_python(path.read_text(encoding="utf-8"))

    assert found == [], f"{path.relative_to(ROOT)}: mark them with gettext or gettext_lazy."


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<p>Hello {{ name }}</p>", ["Hello"]),
        ('<p>{% translate "Hello" %} {{ name }}: 3</p>', []),
        ("{% blocktranslate %}Hello <b>you</b>{% endblocktranslate %}", []),
        ('<input aria-label="Name"><input type="submit" value="Save">', ["Name", "Save"]),
        ('<input aria-label="{% translate "Name" %}" value="MR1">', []),
        ("<script>const text = 1;</script>{# Hello #}<code>findscu</code>", []),
        ("<p>REDCap · C-ECHO</p>", []),
    ],
)
def test_an_unmarked_text_of_a_template_is_found(source: str, expected: list[str]) -> None:
    assert [text for _, text in unmarked.in_template(source)] == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('name = models.CharField("full name", help_text="As on paper")', ["As on paper", "full name"]),
        ('name = models.CharField(_("full name"), help_text=_("As on paper"))', []),
        ('messages.success(request, f"{count} moved.")', [" moved."]),
        ('messages.success(request, _("Moved."))', []),
        ('class Sex(models.TextChoices):\n    M = "M", "Male"\n    F = "F", _("Female")', ["Male"]),
        ('class Meta:\n    verbose_name = "item"', ["item"]),
        ('field = forms.CharField(label=_("Name"))\nkey = dict(title="x")', []),
    ],
)
def test_an_unmarked_text_of_python_is_found(source: str, expected: list[str]) -> None:
    assert sorted(text for _, text in unmarked.in_python(source)) == expected


@pytest.mark.acceptance("AD179")
@pytest.mark.django_db
def test_the_admin_speaks_the_language_of_the_browser_and_the_api_english(
    client: Client, alice: User
) -> None:
    client.force_login(alice)
    german = client.get("/admin/", headers={"accept-language": "de-CH,de;q=0.9"})
    other = client.get("/admin/", headers={"accept-language": "fr"})
    api = client.get("/worklist", headers={"accept-language": "de"})

    assert '<html lang="de"' in german.content.decode()
    assert ">Heute</a>" in german.content.decode()
    assert ">Today</a>" in other.content.decode()
    assert api.json()["detail"] == "Authentication credentials were not provided."
