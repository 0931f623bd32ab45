"""These sections tell what protects the connection, and what a hospital's network must let through."""

from __future__ import annotations

from collections.abc import Iterator

from worklist.conformance.markdown import bullets, table

# RFC 9325 4.2 (TLS 1.2) and RFC 8446 9.1 (TLS 1.3): those that a server always has, by OpenSSL's names.
CIPHER_SUITES = (
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES256-GCM-SHA384",
)
PORTS = (
    ("4242, `--port`", "in", "DICOM, plain", "off with `--no-plain`"),
    ("2762, `--tls-port`", "in", "DICOM over TLS", "with `--tls-cert`; registered as dicom-tls"),
    ("a device's own", "out", "C-ECHO that a person asks for", "plain DICOM, to listed hosts only"),
    ("8000, `--api-port`", "in", "HTTP: admin, REST API, DICOM Web Services", "for a proxy that speaks TLS"),
    ("443, or a source's own", "out", "HTTPS to REDCap", "no DICOM"),
)


def introduction() -> Iterator[str]:
    yield "Who may associate is decided by the list of scanners: AE title, address,"
    yield "and over TLS the subject of the client's certificate."
    yield "An AE title alone is no secret: bind each scanner to its address, or to a certificate."


def network() -> Iterator[str]:
    yield from bullets(
        "TCP over IPv4 or IPv6, on any physical network that the operating system supports.",
        "A clock that is right (NTP by the operating system): dates of the worklist are the site's wall "
        "clock, and certificates are judged by it. DICOM's Time Synchronization Profiles are not claimed.",
        "No DNS is needed for associations that come in: addresses are compared as numbers.",
        "DHCP, LDAP and DICOM's Application Configuration Management are not used.",
    )


def ports() -> Iterator[str]:
    yield from table(("Port", "Direction", "What for", "Remark"), PORTS)


def transport() -> Iterator[str]:
    yield from bullets(
        "*BCP 195 RFC 8996, 9325 TLS Secure Transport Connection Profile* (PS3.15 B.12), as a server.",
        "TLS 1.2 and 1.3, the latter preferred; 1.0, 1.1, compression and renegotiation by the client are "
        "not accepted.",
        "Client certificates are required by default where `--tls-ca` names authorities: both sides are "
        "authenticated.",
        "The earlier profiles (AES TLS, Basic TLS, Non-Downgrading BCP 195: B.1 to B.3, B.9 to B.11) are "
        "retired. A client of one of them that speaks TLS 1.2 with a suite of Annex C is accepted.",
        "The *Modified BCP 195* profile (B.13) is not claimed: it restricts the suites further.",
    )


def additional() -> Iterator[str]:
    yield "Audit Trail Message Format, and its transmission by syslog (TLS or UDP), where it is set: see 6.6."


def user_identity() -> Iterator[str]:
    yield "Not supported, as a user and as a provider: a request's User Identity item is passed over and not"
    yield "answered (PS3.7 D.3.3.7)."


def other() -> Iterator[str]:
    yield from bullets(
        "Connections, associations, lengths and memory are bounded, by address first: one peer does not "
        "keep the others out.",
        "No log line and no answer's Error Comment holds a participant's data.",
        "docs/security.md is the threat model, with what protects each door.",
    )


def details() -> Iterator[str]:
    yield "These suites are always offered, in OpenSSL's names; the system's OpenSSL may add others."
    yield ""
    yield from bullets(*(f"`{name}`" for name in CIPHER_SUITES))
    yield ""
    yield "Keys and certificates are PEM files (RSA or elliptic curve), read at the start."
    yield "Certificates are judged up to the authorities of `--tls-ca`; revocation lists are not asked."
    yield "Their end is told 30 days before, in the log, on the first page and in metrics."
