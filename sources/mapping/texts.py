"""Typed texts are made fit for DICOM: what names a person or a thing is never cut or guessed at."""

from __future__ import annotations

import html
import re
import unicodedata

from sources.mapping.problems import UnusableValue
from sources.mapping.transforms import Origin
from worklist.dicom import modalities, representations

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_HIDDEN = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u2060\ufeff]")
_SPACES = re.compile(r"\s+")
_MARKUP = re.compile(
    r"</?(?:a|b|br|div|em|font|h[1-6]|hr|i|img|li|ol|p|small|span|strong|sub|sup|table|tbody|td|th|tr|u|ul)"
    r"(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_GROUP_DELIMITERS = re.compile(r"[=\\]")
_NAME_DELIMITERS = re.compile(r"[\^=\\]")
_AE_TITLES_LENGTH = 271


def identifier(text: str, vr: str) -> str:
    """Return it as typed, without invisible characters. Raises UnusableValue where it does not fit."""
    visible = _INVISIBLE.sub("", unicodedata.normalize("NFC", text)).replace("\u00a0", " ")
    found = visible.strip(representations.PADDING)
    if "<" in found or ">" in found:
        raise UnusableValue("An identifier cannot have < or > in it.")
    return _checked(found, vr)


def description(text: str, vr: str) -> str:
    """Return it without markup, in one line except where the VR has paragraphs."""
    found = html.unescape(_MARKUP.sub(" ", text))
    if vr in representations.PARAGRAPHS:
        return _checked(_without_control(found, vr).strip(), vr)
    return _checked(one_line(found), vr)


def one_line(text: str) -> str:
    visible = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    return _SPACES.sub(" ", _CONTROL.sub(" ", visible)).strip()


def _without_control(text: str, vr: str) -> str:
    """Remove control characters; paragraphs keep their tabs and new lines."""
    return "".join(
        " " if _CONTROL.match(character) and representations.problem(vr, character) else character
        for character in unicodedata.normalize("NFC", text)
    )


def person_name(text: str, origin: Origin) -> str:
    """Return a PN. `Doe, Jane` in one field is Doe^Jane; a template's or DICOM's name has its own form."""
    found = one_line(_without_hidden(text))
    if "<" in found or ">" in found:
        raise UnusableValue("A name cannot have < or > in it.")
    if origin is Origin.RECORD and _GROUP_DELIMITERS.search(found):
        raise UnusableValue("A name cannot have = or a backslash in it.")
    if origin not in (Origin.TEMPLATE, Origin.DICOM) and "^" not in found:
        found = _from_comma_form(found)
    groups = ["^".join(part.strip() for part in group.split("^")).rstrip("^") for group in found.split("=")]
    return _checked("=".join(groups).rstrip("="), "PN")


def _without_hidden(text: str) -> str:
    """Refuse a control character that nobody typed; a tab or a new line is white space between words."""
    if _HIDDEN.search(text.strip("\0")):
        raise UnusableValue("A control character stands in it: type it anew.")
    return text


def without_delimiters(text: str) -> str:
    """Refuse a text that has a character by which DICOM divides names."""
    if _NAME_DELIMITERS.search(text):
        raise UnusableValue("A name cannot have ^, = or a backslash in it.")
    return text


def _from_comma_form(name: str) -> str:
    if name.count(",") > 1:
        raise UnusableValue("This name has more than one comma: write Family, Given.")
    family, _, given = name.partition(",")
    return f"{family.strip()}^{given.strip()}".rstrip("^")


def code_string(text: str) -> str:
    return _checked(one_line(_without_hidden(text)).upper(), "CS")


def modality(text: str) -> str:
    question = modalities.question(text)
    if question:
        raise UnusableValue(question)
    return code_string(text)


def ae_titles(text: str) -> str:
    """Return one or several, divided by commas or backslashes, each once."""
    titles = dict.fromkeys(
        title.strip() for title in re.split(r"[,\\]", one_line(_without_hidden(text))) if title.strip()
    )
    found = "\\".join(_checked(title, "AE") for title in titles)
    if len(found) > _AE_TITLES_LENGTH:
        raise UnusableValue("These are too many AE titles.")
    return found


def _checked(text: str, vr: str) -> str:
    problem = representations.problem(vr, text) if text else None
    if problem:
        raise UnusableValue(problem)
    return text
