"""Coded terms stand here as PS3.16 (CID 400 to 405) and PS3.15 A.5 print them."""

from __future__ import annotations

from typing import NamedTuple


class CodedTerm(NamedTuple):
    value: str
    meaning: str
    system: str = "DCM"


# CID 400, events
APPLICATION_ACTIVITY = CodedTerm("110100", "Application Activity")
AUDIT_LOG_USED = CodedTerm("110101", "Audit Log Used")
EXPORT = CodedTerm("110106", "Export")
PATIENT_RECORD = CodedTerm("110110", "Patient Record")
PROCEDURE_RECORD = CodedTerm("110111", "Procedure Record")
QUERY = CodedTerm("110112", "Query")
SECURITY_ALERT = CodedTerm("110113", "Security Alert")
USER_AUTHENTICATION = CodedTerm("110114", "User Authentication")
# CID 401, types of events
APPLICATION_START = CodedTerm("110120", "Application Start")
APPLICATION_STOP = CodedTerm("110121", "Application Stop")
LOGIN = CodedTerm("110122", "Login")
LOGOUT = CodedTerm("110123", "Logout")
NODE_AUTHENTICATION = CodedTerm("110126", "Node Authentication")
ROLES_CHANGED = CodedTerm("110136", "Security Roles Changed")
USER_ATTRIBUTES_CHANGED = CodedTerm("110137", "User Security Attributes Changed")
# CID 402, roles of participants
APPLICATION = CodedTerm("110150", "Application")
DESTINATION = CodedTerm("110152", "Destination Role ID")
SOURCE = CodedTerm("110153", "Source Role ID")
DESTINATION_MEDIA = CodedTerm("110154", "Destination Media")
# CID 405, media
URI_MEDIA = CodedTerm("110037", "URI")
# CID 404, and PS3.15 A.5.1.2.4, kinds of identifiers
STUDY_INSTANCE_UID = CodedTerm("110180", "Study Instance UID")
SOP_CLASS_UID = CodedTerm("110181", "SOP Class UID")
NODE_ID = CodedTerm("110182", "Node ID")
PATIENT_NUMBER = CodedTerm("2", "Patient Number", "RFC-3881")
URI = CodedTerm("12", "URI", "RFC-3881")
USER_IDENTIFIER = CodedTerm("11", "User Identifier", "RFC-3881")
