"""Mail goes out by Django's settings; a run of deliveries shares one connection."""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from types import TracebackType
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from pylantir_site.notices.composing import Notice
from pylantir_site.notices.undelivered import Undelivered

NO_SERVER = "No mail server is set: EMAIL_HOST."
NO_ADDRESS = "The account has no mail address."


class Mailer:
    """It opens its connection for the first mail, and does not try again one that failed.

    So a mail server that is dead costs one time-out for all that waits.
    """

    def __init__(self) -> None:
        self._connection: BaseEmailBackend | None = None
        self._dead: Undelivered | None = None

    def __enter__(self) -> Mailer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def send(self, notice: Notice, *, to: str, uid: str) -> None:
        """Send the mail. Raises Undelivered."""
        if not settings.EMAIL_HOST:
            raise Undelivered(NO_SERVER)
        if not to:
            raise Undelivered(NO_ADDRESS)
        mail = EmailMessage(
            notice.subject,
            notice.text,
            to=[to],
            connection=self._opened(),
            headers={"Message-ID": f"<{uid}@{_domain()}>", "Auto-Submitted": "auto-generated"},
        )
        try:
            mail.send()
        except (OSError, smtplib.SMTPException) as error:
            self._close()  # whatever state it is in
            raise Undelivered(_in_words(error)) from None
        except ValueError:  # of a header with a line break
            raise Undelivered("The mail has a sender or an address that is none.") from None

    def _opened(self) -> BaseEmailBackend:
        if self._dead:
            raise self._dead
        if self._connection is None:
            connection = get_connection()
            try:
                connection.open()
            except (OSError, smtplib.SMTPException, ValueError) as error:
                self._dead = Undelivered(_in_words(error))
                raise self._dead from None
            self._connection = connection
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):  # it may be gone already
                self._connection.close()
            self._connection = None


def _domain() -> str:
    return urlsplit(settings.PUBLIC_URL).hostname or "pylantir"


def _in_words(error: Exception) -> str:
    """Say what was wrong without the server's own text, which may hold an address."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return (
            f"The mail server refused the sign-in ({error.smtp_code}): EMAIL_HOST_USER, EMAIL_HOST_PASSWORD."
        )
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = sorted({code for code, _ in error.recipients.values()})
        return f"The mail server refused the address ({', '.join(map(str, codes))})."
    if isinstance(error, smtplib.SMTPSenderRefused):
        return f"The mail server refused the sender ({error.smtp_code}): DEFAULT_FROM_EMAIL."
    if isinstance(error, smtplib.SMTPResponseException):
        return f"The mail server refused the mail ({error.smtp_code})."
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "The mail server does not offer what is set: EMAIL_USE_TLS, EMAIL_HOST_USER."
    if isinstance(error, ssl.SSLError):
        return "There is no secure connection to the mail server: EMAIL_USE_TLS, EMAIL_USE_SSL."
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return f"The mail server did not answer within {settings.EMAIL_TIMEOUT} seconds."
    if isinstance(error, smtplib.SMTPException):
        return "The mail server hung up."
    return "The mail server cannot be reached: EMAIL_HOST, EMAIL_PORT."
