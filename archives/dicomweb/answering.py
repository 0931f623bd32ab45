"""A response of QIDO-RS (PS3.18 10.6.3) is read as data sets, or as the error that it stands for.

An error's text names a status and a page's title at most: bodies hold participants.
"""

from __future__ import annotations

from archives.words import ARCHIVE
from pylantir_site.outside.strict_json import Most
from sources.errors import (
    AuthorisationError,
    ConfigurationError,
    OverloadError,
    SlowError,
    SourceError,
    TooMuchError,
    TransientError,
)
from sources.http import bodies
from worklist.dicom.json_model import DataSet

OK, NOTHING = 200, 204
MISUNDERSTOOD = frozenset({400, 405, 406, 414, 415, 501})
TIME_MAY_MEND = frozenset({408, 425, 429, 503})
TOO_SLOW = frozenset({504, 524})  # the second is Cloudflare's


class QuestionRefused(ConfigurationError):
    """The archive takes no such question; it may take one with fewer keys."""


def data_sets(status: int, body: bytes, *, most: Most) -> list[DataSet]:
    """Return the answers. Raises the SourceError that another response stands for."""
    if status == NOTHING or (status == OK and not body.strip()):
        return []
    if status != OK:
        raise _refusal(status, body.decode("utf-8-sig", errors="replace").strip())
    text = bodies.utf8(body, ARCHIVE)
    content = bodies.parsed(text, ARCHIVE, asked="a question", most=most)
    if bodies.is_page(text):
        raise ConfigurationError(
            f"Instead of an answer came a web page{bodies.title(text)}: "
            "is this the base URL of DICOMweb, before /studies?"
        )
    if content is bodies.NOT_JSON:
        raise OverloadError("The archive's answer is cut off or damaged.")
    if not isinstance(content, list) or not all(isinstance(each, dict) for each in content):
        raise ConfigurationError(
            "The archive's answer is no list of data sets: is this the base URL of DICOMweb, before /studies?"
        )
    return content


def _refusal(status: int, text: str) -> SourceError:
    said = bodies.title(text)
    if status == 401:
        return AuthorisationError(
            "The archive does not let this server in (401): look at user name and password, or the token."
        )
    if status == 403:
        return AuthorisationError(
            "The archive does not let this server ask (403): give its user the right to search."
        )
    if status == 404:
        return ConfigurationError(
            "There is no DICOMweb search at this URL (404): write what stands before /studies."
        )
    if status in MISUNDERSTOOD:
        return QuestionRefused(f"The archive does not take the question ({status}).")
    if status == 413:
        return TooMuchError("The archive says that this asks for too much (413): ask for fewer days.")
    if status in TIME_MAY_MEND:
        return TransientError(f"The archive has no time for the question ({status}).{said}")
    if status in TOO_SLOW:
        return SlowError(f"The archive did not answer in time ({status}).")
    if status >= 500:
        return OverloadError(f"The archive failed over the question ({status}): look into its log.{said}")
    return ConfigurationError(f"The archive answers {status}, which no search does: look at the URL.{said}")
