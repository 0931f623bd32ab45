"""What people often write when they resolve a point is offered here, ready to be chosen.

Notes are stored as they stand here, in English; pages show them in the reader's language.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_noop

from worklist.models import AttentionKind

CHECKED = gettext_noop("Checked at the scanner: right person.")
TOLD = gettext_noop("Told the radiographer.")
NOTES: Mapping[str, tuple[str, ...]] = {
    AttentionKind.IDENTITY: (CHECKED, gettext_noop("Corrected at the scanner."), TOLD),
    AttentionKind.IMAGES_IDENTITY: (
        gettext_noop("Corrected in the archive."),
        gettext_noop("The archive names participants otherwise on purpose."),
        TOLD,
    ),
    AttentionKind.SHARED_ID: (gettext_noop("They share the ID on purpose."), TOLD),
    AttentionKind.UNSCHEDULED: (
        gettext_noop("Scanned without an appointment."),
        gettext_noop("A phantom or a test, nobody's images."),
        TOLD,
    ),
    AttentionKind.STRAY_STUDY: (
        gettext_noop("A phantom or a test, nobody's images."),
        gettext_noop("Scanned without an appointment."),
        gettext_noop("Of no study here."),
    ),
    AttentionKind.WRONG_ENTRY: (gettext_noop("The images were moved to the right person."), CHECKED, TOLD),
    AttentionKind.CANCELLED: (gettext_noop("It was examined after all."), TOLD),
    AttentionKind.WEIGHT: (gettext_noop("Weight was retyped."), TOLD),
    AttentionKind.IMAGES_WEIGHT: (gettext_noop("Weight was retyped."), TOLD),
    AttentionKind.STALE: (gettext_noop("The examination goes on."), TOLD),
    AttentionKind.SIMILAR_ID: (gettext_noop("These are two people."), TOLD),
    AttentionKind.TWO_STUDIES: (
        gettext_noop("Both studies are of this session."),
        gettext_noop("They were merged in the archive."),
        TOLD,
    ),
    AttentionKind.FEWER_SERIES: (
        gettext_noop("Sent again from the scanner."),
        gettext_noop("The missing series are not wanted."),
        TOLD,
    ),
    AttentionKind.PROTOCOL: (gettext_noop("The other protocol was meant."), TOLD),
    AttentionKind.DEVIATION: (gettext_noop("The images are complete."), TOLD),
    AttentionKind.NOT_PERFORMED: (
        gettext_noop("Did not come."),
        gettext_noop("Examined without a report."),
    ),
    AttentionKind.NOT_ARCHIVED: (
        gettext_noop("Sent again from the scanner."),
        gettext_noop("Kept in another archive."),
        TOLD,
    ),
}
