"""These sections tell what is offered, and who is let in."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings

from worklist.conformance.markdown import bullets, table
from worklist.devices import access
from worklist.scp import door, implementation, server, services
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


def overview() -> Iterator[str]:
    yield "# DICOM Conformance Statement"
    yield ""
    yield "Printed by `python manage.py conformance`. Numbers are the settings' defaults, or a site's own."
    yield ""
    yield "## SOP classes and transfer syntaxes"
    yield ""
    yield "Pylantir on Django is a Service Class Provider (SCP) of"
    yield ""
    yield from table(("SOP class", "UID"), ((uid.name, uid) for uid in services.SOP_CLASSES))
    yield ""
    yield "For each of them, in order of preference:"
    yield ""
    yield from table(("Transfer syntax", "UID"), ((uid.name, uid) for uid in services.TRANSFER_SYNTAXES))


def association() -> Iterator[str]:
    yield "## Associations"
    yield ""
    yield from bullets(
        "It accepts associations. It starts one only for a C-ECHO that a person asks for, as a Verification "
        "SCU, to the host and port that the device's row names.",
        "A calling AE title must be that of an enabled device, or the device `*` must be enabled. While "
        "there are no devices at all, associations are accepted from the same machine only. A device may be "
        "bound to addresses and networks, and to the subject of a client certificate. A change to the "
        "devices counts from the next association on.",
        "Any called AE title is accepted, unless the device names one or `MWL_REQUIRE_CALLED_AETITLE` is set "
        f"(now: {'set' if settings.MWL_REQUIRE_CALLED_AETITLE else 'not set'}).",
        f"At most {settings.MWL_MAXIMUM_ASSOCIATIONS} associations at a time for each server process "
        "(`MWL_MAXIMUM_ASSOCIATIONS`); three quarters of them for one address, and for AE titles that only "
        "the device `*` lets in.",
        f"An association must be requested within {server.time_to_associate()} s of the connection, TLS "
        f"handshake included. At most {door.MOST_VISITORS} connections may wait with theirs; of more, the "
        "oldest from the address that has most is closed.",
        f"An association on which nothing arrives for {settings.MWL_NETWORK_TIMEOUT} s is aborted, and so "
        "is one whose message is not whole after as long (`MWL_NETWORK_TIMEOUT`).",
        "Items and sub-items that are not known are passed over, AE titles may be padded with null bytes, "
        "and a presentation context that cannot be read is refused by its own result.",
        f"PDUs of up to {services.LARGEST_PDU} bytes are asked for, and of up to {pdus.LONGEST_P_DATA} "
        f"received; data sets of up to {acceptor.LONGEST_DATA_SET} bytes. The requestor's maximum is kept "
        "to.",
        "A message that cannot be answered (no Message ID, no accepted presentation context, no command set "
        "that can be read) ends the association with an A-ABORT.",
        "Requests may be sent before the answers to earlier ones, and are answered in order; a release that "
        "is asked for meanwhile is answered after them (PS3.8 AR-7).",
        "Extended negotiation is not supported: it is not answered, so person names are matched literally "
        "and times are local. Asynchronous operations and user identity are not negotiated.",
        "With `--tls-cert` TLS is spoken on a port of its own (2762 unless `--tls-port` says otherwise), "
        "beside the plain one or instead of it: version 1.2 and later, client certificates required, "
        "optional or not asked for. A failed handshake ends the connection.",
        f"Implementation Class UID {implementation.CLASS_UID}, version name {implementation.VERSION_NAME}.",
    )
    yield ""
    rejections = ((*map(str, codes), sentence) for codes, sentence in REJECTIONS.items())
    yield from table(("Result", "Source", "Reason", "Association rejected because"), rejections)
