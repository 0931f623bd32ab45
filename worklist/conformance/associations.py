"""These sections tell what is offered, and who is let in."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from pydicom.uid import UID

from worklist.conformance.markdown import bullets, table
from worklist.conformance.overview import VERIFICATION
from worklist.devices import access
from worklist.scp import door, echo_scu, implementation, server, services
from worklist.upper_layer import acceptor, negotiation, pdus

# (result, source, diagnostic) of an A-ASSOCIATE-RJ (PS3.8 Table 9-21), and when it is sent.
REJECTIONS = {
    access.CALLING_AE_TITLE_NOT_RECOGNIZED: "Calling AE title not recognised: no enabled device has it, "
    "or it calls from another address, or with another certificate, than its device names.",
    access.CALLED_AE_TITLE_NOT_RECOGNIZED: "Called AE title not recognised; only where the device names "
    "one, or with `MWL_REQUIRE_CALLED_AETITLE`.",
    negotiation.NO_REASON_GIVEN: "No reason given: the request cannot be read, proposes no presentation "
    "context that can, or takes PDUs of less than 8 bytes.",
    negotiation.APPLICATION_CONTEXT_NOT_SUPPORTED: "Application context name not supported.",
    negotiation.PROTOCOL_VERSION_NOT_SUPPORTED: "Protocol version not supported: not version 1.",
    access.LOCAL_LIMIT_EXCEEDED: "Local limit exceeded: `MWL_MAXIMUM_ASSOCIATIONS` are open, or what of "
    "them one address, or the device `*`, may have.",
    access.TEMPORARY_CONGESTION: "Temporary congestion: the devices cannot be read from the database, or "
    "too many requests wait to be judged.",
}


def parameters() -> Iterator[str]:
    yield from table(
        ("Parameter", "Value"),
        (
            ("Application context name", "1.2.840.10008.3.1.1.1, DICOM Application Context"),
            ("Implementation Class UID", implementation.CLASS_UID),
            ("Implementation Version Name", implementation.VERSION_NAME),
            ("Largest PDU asked for", f"{services.LARGEST_PDU} bytes"),
            ("Largest PDU received", f"{pdus.LONGEST_P_DATA} bytes"),
            ("Longest data set received", f"{acceptor.LONGEST_DATA_SET} bytes"),
            ("Asynchronous operations", "not negotiated: one at a time; requests sent ahead wait"),
            ("Extended negotiation of SOP classes", "not answered"),
            ("SCP/SCU role selection", "not answered: the default roles"),
            ("User identity", "not answered"),
            ("IP", "version 4 and 6"),
        ),
    )


def limits() -> Iterator[str]:
    yield from bullets(
        f"At most {settings.MWL_MAXIMUM_ASSOCIATIONS} associations at a time for each server process "
        "(`MWL_MAXIMUM_ASSOCIATIONS`); three quarters of them for one address, and for AE titles that only "
        "the device `*` lets in.",
        f"An association must be requested within {server.time_to_associate()} s of the connection, TLS "
        f"handshake included. At most {door.MOST_VISITORS} connections may wait with theirs; of more, the "
        "oldest from the address that has most is closed.",
        f"An association on which nothing arrives for {settings.MWL_NETWORK_TIMEOUT} s is aborted, and so "
        "is one whose message is not whole after as long (`MWL_NETWORK_TIMEOUT`).",
        "As an initiator: one association at a time for each person who asks.",
        f"PDUs of up to {services.LARGEST_PDU} bytes are asked for, and of up to {pdus.LONGEST_P_DATA} "
        f"received; data sets of up to {acceptor.LONGEST_DATA_SET} bytes. The requestor's maximum is kept "
        "to.",
        "Requests may be sent before the answers to earlier ones, and are answered in order; a release that "
        "is asked for meanwhile is answered after them (PS3.8 AR-7).",
    )


def initiation() -> Iterator[str]:
    yield from bullets(
        "With a scanner an association is started only for a C-ECHO that a person asks for, to the host and "
        "port that the device's row names, under the device's AE title as the called one.",
        f"Connection and each answer are awaited for {echo_scu.TIMEOUT:.0f} s. It is not repeated.",
        "It is plain DICOM, without TLS and extended negotiation.",
    )
    yield ""
    syntaxes = ", ".join(str(UID(uid).name) for uid in echo_scu.TRANSFER_SYNTAXES)
    yield from table(
        ("Abstract syntax", "UID", "Transfer syntaxes", "Role", "Extended negotiation"),
        [(VERIFICATION.name, VERIFICATION, syntaxes, "SCU", "none")],
    )


def acceptance() -> Iterator[str]:
    yield from bullets(
        "A calling AE title must be that of an enabled device, or the device `*` must be enabled. While "
        "there are no devices at all, associations are accepted from the same machine only. A device may be "
        "bound to addresses and networks, and to the subject of a client certificate. A change to the "
        "devices counts from the next association on.",
        "Any called AE title is accepted, unless the device names one or `MWL_REQUIRE_CALLED_AETITLE` is set "
        f"(now: {'set' if settings.MWL_REQUIRE_CALLED_AETITLE else 'not set'}).",
        "Items and sub-items that are not known are passed over, AE titles may be padded with null bytes, "
        "and a presentation context that cannot be read is refused by its own result.",
        "A message that cannot be answered (no Message ID, no accepted presentation context, no command set "
        "that can be read) ends the association with an A-ABORT.",
        "Extended negotiation is not supported: it is not answered, so person names are matched literally "
        "and times are local. Asynchronous operations and user identity are not negotiated.",
        "With `--tls-cert` TLS is spoken on a port of its own (2762 unless `--tls-port` says otherwise), "
        "beside the plain one or instead of it: version 1.2 and later, client certificates required, "
        "optional or not asked for. A failed handshake ends the connection.",
    )
    yield ""
    yield "Of several transfer syntaxes for one context the first of these that is proposed is accepted,"
    yield "and any number of contexts for one SOP class."
    yield ""
    yield from table(
        ("Abstract syntax", "UID", "Transfer syntax", "UID", "Role", "Extended negotiation"),
        (
            (sop_class.name, sop_class, syntax.name, syntax, "SCP", "none")
            for sop_class in services.SOP_CLASSES
            for syntax in services.TRANSFER_SYNTAXES
        ),
    )


def rejections() -> Iterator[str]:
    found = ((*map(str, codes), sentence) for codes, sentence in REJECTIONS.items())
    yield from table(("Result", "Source", "Reason", "Association rejected because"), found)
