"""Each column that could hold a text is registered: it is erased, or it says why it holds no participant.

A test holds that no column is missing, so that whoever adds one decides this.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from worklist.models import DERIVED
from worklist.privacy import items, steps

# Why a column holds nobody.
CODE = "one of a list's codes"
ACTOR = "who acted or signed in: people of the site"
SETUP = "how the site, a source or a device is set up"
TECHNICAL = "how something was done, where, or by which machine"
CREDENTIAL = "a secret, or a digest of one"
PROJECT = "what a source's project is made of, without records"
COUNTS = "numbers and names of what is counted"
DJANGO = "names in the code"
STUDY = "which study: the name of a source"
KEYS = "keys of rows"
PSEUDONYM = "made at random, and leads nowhere"


@dataclass(frozen=True)
class Held:
    """These columns of a table are erased, and these hold nobody, each with why."""

    erased: frozenset[str] = frozenset()
    nobody: Mapping[str, str] = field(default_factory=dict)


def _held(*, erased: Iterable[str] = (), **because: tuple[str, ...]) -> Held:
    """Return what a table holds: `because` has columns by the name of their reason."""
    whys = globals()
    nobody = {column: str(whys[why]) for why, columns in because.items() for column in columns}
    return Held(frozenset(erased), nobody)


def _with_history(held: Held) -> Held:
    told = {**held.nobody, "history_user_id": ACTOR, "history_type": CODE}
    return Held(held.erased | {"history_change_reason"}, told)


_ITEM = _held(
    erased=items.ERASED,
    CODE=("performed_procedure_step_status", "performed_by_evidence"),
    TECHNICAL=("modality", "scheduled_station_aetitle"),
    STUDY=("data_source",),
)
_STEP = _held(
    erased=steps.ERASED,
    CODE=("status",),
    TECHNICAL=("modality", "performed_station_ae_title", "calling_ae_title", "calling_address"),
)
_LINK = _held(CODE=("evidence", "status_before", "evidence_before"), ACTOR=("linked_by",))
_DEVICE = _held(
    erased=("notes",),
    SETUP=(
        *("ae_title", "name", "vendor", "model", "modality", "preset", "addresses", "called_ae_title"),
        *("certificate_subject", "host", "station_filter", "station_ae_titles", "offered_statuses"),
        *("time_zone", "over_maximum", "station_name", "specific_character_set", "misfit"),
        *("coding_scheme_designator", "protocol_codes_sent", "protocol_codes", "mpps_strictness"),
    ),
)
# A rule names a phantom, which is nobody.
_QA_RULE = _held(
    SETUP=(
        *("name", "weekdays", "id_scope", "id_pattern", "name_pattern", "modality"),
        *("procedure_description", "protocol_name"),
    ),
)
_SOURCE_SETUP = (
    *("name", "kind", "site_id", "protocol_name", "hisris_coding_designator"),
    *("scheduled_station_aetitle", "session_conditions", "without_time", "identity_policy"),
    *("patient_id_pattern", "patient_name_pattern", "allowed_visits", "ids_are"),
)
_SOURCE = _held(SETUP=_SOURCE_SETUP)
_REDCAP = _held(
    SETUP=(
        *("url", "token_variable", "token_file", "write_token_variable", "server_timezone", "ca_bundle"),
        *("session_kind", "session_instrument", "session_events"),
    ),
    ACTOR=("token_set_by", "write_token_set_by"),
)
# Headers, never what stands below them.
_TABLE = _held(
    SETUP=(
        *("place", "file_name", "record_column", "session_column", "instance_column", "sheet", "encoding"),
        *("delimiter", "date_orders"),
    ),
)
_CALPENDO = _held(
    SETUP=(
        *("url", "user_variable", "password_variable", "password_file", "ca_bundle", "time_zone"),
        *("booking_type", "resources", "scanners", "states", "further_paths", "date_literal"),
    ),
    ACTOR=("user_name", "password_set_by"),
)
_ARCHIVE = _held(
    SETUP=(
        *("name", "kind", "stations", "host", "called_ae_title", "calling_ae_title", "client_certificate"),
        *("client_key", "url", "authentication", "secret_variable", "secret_file", "ca_bundle"),
    ),
    ACTOR=("user_name", "secret_set_by"),
)
_WRITE_RULE = _held(SETUP=("field", "fact", "codes", "event"))
_RULE = _held(SETUP=("target", "field", "level", "events", "transforms", "default"))

REGISTER: Mapping[str, Held] = {
    "worklist.WorklistItem": Held(_ITEM.erased | set(DERIVED), _ITEM.nobody),  # `save` derives them
    "worklist.HistoricalWorklistItem": _with_history(_ITEM),
    "worklist.PerformedStep": _STEP,
    "worklist.HistoricalPerformedStep": _with_history(_STEP),
    "worklist.PerformedSeries": _held(erased=(*steps.OF_SERIES, "series_instance_uid")),
    "worklist.PerformedStepItem": _LINK,
    "worklist.HistoricalPerformedStepItem": _with_history(_LINK),
    "worklist.ItemSearchWord": _held(erased=("word",)),  # `save` writes them anew
    "worklist.StepSearchWord": _held(erased=("word",)),
    "worklist.Attention": _held(
        erased=("text", "note", "study_instance_uid"), CODE=("kind",), ACTOR=("resolved_by",)
    ),
    "worklist.ConfirmedPerson": _held(
        erased=("patient_id", "patient_name", "patient_sex", "reason"), ACTOR=("confirmed_by",)
    ),
    "worklist.DeviceActivity": _held(
        erased=("identifier", "sop_instance_uid", "comment"),
        CODE=("kind",),
        TECHNICAL=("ae_title", "called_ae_title", "address", "certificate_subject"),
    ),
    "worklist.Device": _DEVICE,
    "worklist.HistoricalDevice": _with_history(_DEVICE),
    "worklist.QaRule": Held(_QA_RULE.erased, {**_QA_RULE.nobody, "problem": TECHNICAL}),
    "worklist.HistoricalQaRule": _with_history(_QA_RULE),
    "worklist.QaScan": _held(CREDENTIAL=("digest",)),
    "worklist.CalendarFeed": _held(
        ACTOR=("username",), CREDENTIAL=("digest",), SETUP=("station", "shows", "language")
    ),
    "sources.SyncedStep": _held(
        erased=("record", "says", "written", "reason", "event", "instrument"), CODE=("withdrawal",)
    ),
    "sources.SyncIssue": _held(erased=("record", "text", "event", "instrument", "target", "field")),
    "sources.PendingRecord": _held(erased=("record",)),
    "sources.OriginalStep": _held(erased=("patient_id", "study_instance_uid")),
    "sources.OriginalRow": _held(TECHNICAL=("table",), CREDENTIAL=("fingerprint",)),
    "sources.OriginalDatabase": _held(SETUP=("name",), ACTOR=("imported_by",)),
    "sources.ErasedRecord": _held(CREDENTIAL=("digest", "key"), ACTOR=("erased_by",)),
    "sources.SyncRun": _held(erased=("message",), CODE=("trigger", "outcome"), ACTOR=("actor",)),
    "sources.SourceState": _held(
        erased=("message",),
        CODE=("state", "claim"),
        ACTOR=("requested_by",),
        COUNTS=("held", "allowed", "looked_at"),
        SETUP=("clock_zone", "warnings"),
        TECHNICAL=("claimed_by",),
    ),
    "sources.FirstStepsEnd": _held(ACTOR=("hidden_by",)),
    "sources.DataSource": _SOURCE,
    "sources.RedcapProject": Held(
        frozenset(),
        {
            **_REDCAP.nobody,
            **dict.fromkeys(("token_cipher", "write_token_cipher", "trigger_cipher"), CREDENTIAL),
        },
    ),
    "sources.HistoricalRedcapProject": _with_history(_REDCAP),
    "sources.TableFile": _TABLE,
    "sources.SeenTable": _held(CREDENTIAL=("fingerprint",)),
    "sources.HistoricalTableFile": _with_history(_TABLE),
    # A participant's rows are taken out of `cipher`.
    "sources.UploadedTable": _held(erased=("name", "cipher"), ACTOR=("uploaded_by",)),
    "sources.CalpendoSite": Held(frozenset(), {**_CALPENDO.nobody, "password_cipher": CREDENTIAL}),
    "sources.HistoricalCalpendoSite": _with_history(_CALPENDO),
    "sources.IdentifyingAgreement": _held(CODE=("how",), PROJECT=("uses",), ACTOR=("agreed_by",)),
    "sources.HistoricalDataSource": _with_history(_SOURCE),
    "sources.MappingRule": _RULE,
    "sources.HistoricalMappingRule": _with_history(_RULE),
    "sources.WriteRule": _WRITE_RULE,
    "sources.HistoricalWriteRule": _with_history(_WRITE_RULE),
    "sources.OutcomeWrite": _held(CODE=("state",), CREDENTIAL=("sent", "replaceable")),
    "sources.WriteIssue": _held(erased=("theirs", "ours", "field"), CODE=("kind",)),
    "sources.WriteState": _held(erased=("message",), CODE=("claim",)),
    "sources.KnownDictionary": _held(
        CREDENTIAL=("access",),
        PROJECT=("content", "event_names", "field_lines", "instrument_lines", "identifier_marks"),
    ),
    "archives.Archive": Held(frozenset({"test_problem"}), {**_ARCHIVE.nobody, "secret_cipher": CREDENTIAL}),
    "archives.HistoricalArchive": _with_history(_ARCHIVE),
    "archives.ArchiveCheck": _held(erased=("problem",), CODE=("finding",)),
    "archives.ArchiveState": _held(erased=("problem", "days_problem"), CODE=("claim",)),
    # The rows go.
    "archives.ArchivedStudy": _held(
        erased=(
            *("study_instance_uid", "patient_id", "patient_name", "patient_sex", "accession_number"),
            *("study_description", "modalities", "station_name", "series_instance_uids"),
        )
    ),
    "notices.Subscription": _held(
        ACTOR=("username",),
        SETUP=("kinds", "offered", "studies", "timing", "way", "webhook_url", "language"),
        CREDENTIAL=("secret_cipher",),
    ),
    "notices.Delivery": _held(erased=("error",), CODE=("reason", "state")),
    "notices.NoticedFact": _held(KEYS=("key",), CODE=("kind",), STUDY=("study",)),
    "privacy.Erasure": _held(
        erased=("reason",), ACTOR=("by",), CODE=("why",), PSEUDONYM=("pseudonym",), COUNTS=("counts",)
    ),
    "accounts.User": _held(
        ACTOR=("username", "full_name", "email", "oidc_subject"), CREDENTIAL=("password",), CODE=("role",)
    ),
    "accounts.SignInFailure": _held(CREDENTIAL=("username_digest",), TECHNICAL=("address", "browser")),
    "accounts.AuditEvent": _held(
        ACTOR=("username", "subject"),
        TECHNICAL=("address", "method", "path"),
        CODE=("kind", "detail"),
        DJANGO=("parameters",),
        KEYS=("rows",),
        CREDENTIAL=("previous", "digest"),
    ),
    "accounts.KnownAddress": _held(CREDENTIAL=("username_digest",), TECHNICAL=("address",)),
    "counting.Tally": _held(COUNTS=("name", "labels")),
    "counting.ProcessReading": _held(COUNTS=("name", "labels"), TECHNICAL=("process",)),
    "sessions.Session": _held(erased=("session_data",), CREDENTIAL=("session_key",)),
    "admin.LogEntry": _held(erased=("object_repr",), KEYS=("object_id",), DJANGO=("change_message",)),
    "contenttypes.ContentType": _held(DJANGO=("app_label", "model")),
    "auth.Permission": _held(DJANGO=("name", "codename")),
    "auth.Group": _held(DJANGO=("name",)),
    # A task is given keys of sources, and returns nothing of a record.
    "django_q.Task": _held(
        DJANGO=("id", "name", "func", "hook", "group", "cluster"), KEYS=("args", "kwargs", "result")
    ),
    "django_q.Schedule": _held(
        DJANGO=(
            *("name", "func", "hook", "schedule_type", "cron", "task", "cluster"),
            "intended_date_kwarg",
        ),
        KEYS=("args", "kwargs"),
    ),
    "django_q.OrmQ": _held(DJANGO=("key",), KEYS=("payload",)),
}
