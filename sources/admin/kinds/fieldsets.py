"""These groups of fields a source has whatever its kind."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from sources.mapping import targets

WHEN = (gettext_lazy("When"), {"fields": ("sync_interval", ("window_start", "window_end"))})
APPOINTMENTS = (
    gettext_lazy("Which appointments"),
    {"fields": (("horizon_back_days", "horizon_ahead_days"),)},
)
EACH_SESSION = gettext_lazy("Each session is one appointment, and becomes one item of the worklist.")
PRIVACY = (gettext_lazy("Privacy"), {"fields": ("identity_policy",)})
NAMING = (
    gettext_lazy("Naming"),
    {
        "fields": (
            ("patient_id_pattern", "longest_patient_id"),
            ("patient_name_pattern", "longest_patient_name"),
            "allowed_visits",
            "ids_are",
        ),
        "description": gettext_lazy(
            "A session that breaks one of these rules is not offered, and is an issue. "
            "An item that there is stays as it is."
        ),
        "classes": ("collapse",),
    },
)
CONSTANTS = (
    gettext_lazy("Constants"),
    {"fields": ("site_id", targets.STATION, ("protocol_name", "hisris_coding_designator"))},
)
GUARDS = (
    gettext_lazy("Guards"),
    {
        "fields": (
            ("most_records_gone", "most_records_gone_percent"),
            ("most_withdrawn", "most_withdrawn_percent"),
            ("most_renamed", "most_renamed_percent"),
            ("most_added", "most_added_percent"),
        ),
        "description": gettext_lazy("What a pull may do unasked; beyond that a person looks first."),
        "classes": ("collapse",),
    },
)
