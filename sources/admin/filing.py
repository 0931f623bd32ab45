"""*Where will it be filed?* shows records as an archive would file them: for the screen alone."""

from __future__ import annotations

from typing import Any, NamedTuple

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sources.admin import filing_words
from sources.admin.buttons import page, refused
from sources.admin.links import Links, session_in_words
from sources.contract import SessionKey, Stance
from sources.errors import SourceError
from sources.filing import collisions, images, presets
from sources.filing.collisions import Collision, FiledSession
from sources.filing.filed import Filed, FiledPart
from sources.filing.images import Discarded
from sources.filing.schemes import SCHEMES
from sources.models import DataSource
from sources.sync import preview as previews
from worklist.devices import stations
from worklist.models import Device

RECORDS, MOST_RECORDS = 20, 500


class FilingPreviewForm(forms.Form):
    scheme = forms.ChoiceField(label=gettext_lazy("Archive"), choices=list(filing_words.SCHEMES.items()))
    scanner = forms.ChoiceField(label=gettext_lazy("Scanner"), required=False)
    records = forms.IntegerField(label=gettext_lazy("First records"), min_value=1, max_value=MOST_RECORDS)

    def __init__(self, scanners: list[Device], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        any_scanner = ("", _("any that discards nothing"))
        choice: Any = self.fields["scanner"]
        choice.choices = [any_scanner, *((str(each.pk), str(each)) for each in scanners)]


class ShownPart(NamedTuple):
    label: str
    attribute: str


class ShownRemark(NamedTuple):
    text: Any
    warns: bool


class ShownFiling(NamedTuple):
    record: str
    where: str
    link: str
    parts: tuple[ShownPart, ...]
    remarks: list[ShownRemark]


class ShownCollision(NamedTuple):
    of_records: bool
    place: str
    sessions: list[str]


class ScannerLosses(NamedTuple):
    """`scanner` discards these, or None where nobody knows; `missed` are those that the items carry."""

    scanner: str
    discarded: tuple[Discarded, ...] | None
    missed: list[str]


def filing(model_admin: Any, request: HttpRequest, source: DataSource) -> HttpResponse:
    """Show where each session that is wanted would be filed, and above all two that are filed as one."""
    scanners = list(Device.objects.filter(enabled=True).exclude(ae_title=Device.ANY))
    usual = {"scheme": usual_scheme(source), "scanner": _usual_scanner(source, scanners), "records": RECORDS}
    asked = FilingPreviewForm(scanners, request.POST if "records" in request.POST else usual)
    if not asked.is_valid():
        return refused(
            request, source, _("Name an archive, and 1 to %(most)s records.") % {"most": MOST_RECORDS}
        )
    scheme = SCHEMES[asked.cleaned_data["scheme"]]
    scanner = next((each for each in scanners if str(each.pk) == asked.cleaned_data["scanner"]), None)
    try:
        read = previews.preview(source, records=asked.cleaned_data["records"], with_trace=False)
    except SourceError as error:
        return refused(request, source, error)
    discarded = _discarded(scanner)
    lost = {each.attribute for each in discarded or ()}
    every = [(record.record, session) for record in read.records for session in record.sessions]
    wanted = [(record, session) for record, session in every if session.stance is Stance.WANTED]
    filed = [
        FiledSession(record, session.key, scheme.file(images.of_session(session.values, lost)))
        for record, session in wanted
    ]
    carried = {name for _record, session in wanted for name in images.of_session(session.values)}
    links = Links()
    return page(
        model_admin,
        request,
        source,
        "filing",
        _("Where %(source)s will be filed") % {"source": source},
        form=asked,
        lacking=read.lacking,
        losses=_losses(scanner, discarded, carried),
        collisions=[_collision(each) for each in collisions.find(filed, scheme)],
        sessions=[_shown(source, links, each) for each in filed],
        kept_out=sum(session.stance is Stance.UNCLEAR for _record, session in every),
    )


def usual_scheme(source: DataSource) -> str:
    """Return the scheme of the preset whose rows the mapping has, or what its Patient Comments look like."""
    rows = dict(source.rules.values_list("target", "transforms"))
    preset = presets.recognised(rows)
    if preset is not None:
        return preset.scheme
    return "flywheel" if "fw://" in rows.get("PatientComments", "") else "xnat"


def _usual_scanner(source: DataSource, scanners: list[Device]) -> str:
    own = set(filter(None, source.scheduled_station_aetitle.split("\\")))
    found = (str(each.pk) for each in scanners if own & set(stations.of(each, each.ae_title)))
    return next(found, "")


def _discarded(scanner: Device | None) -> tuple[Discarded, ...] | None:
    if scanner is None:
        return ()
    return images.discarded_by(preset=scanner.preset, vendor=scanner.vendor, modality=scanner.modality)


def _losses(
    scanner: Device | None, discarded: tuple[Discarded, ...] | None, carried: set[str]
) -> ScannerLosses | None:
    if scanner is None:
        return None
    missed = [
        filing_words.attribute_name(each.attribute) for each in discarded or () if each.attribute in carried
    ]
    return ScannerLosses(str(scanner), discarded, missed)


def _shown(source: DataSource, links: Links, each: FiledSession) -> ShownFiling:
    remarks = [
        ShownRemark(filing_words.REMARKS[remark], remark in filing_words.WARNS)
        for remark in each.filed.remarks
    ]
    link = links.url(source, each.record, each.key)
    return ShownFiling(each.record, session_in_words(each.key), link, _parts(each.filed), remarks)


def _parts(filed: Filed) -> tuple[ShownPart, ...]:
    return tuple(map(_part, (filed.project, filed.subject, filed.session)))


def _part(part: FiledPart) -> ShownPart:
    return ShownPart(part.label, filing_words.attribute_name(part.attribute) if part.attribute else "")


def _collision(collision: Collision) -> ShownCollision:
    return ShownCollision(
        collision.of_records,
        " / ".join(collision.place),
        [_named(each.record, each.key) for each in collision.sessions],
    )


def _named(record: str, key: SessionKey) -> str:
    where = session_in_words(key)
    return f"{record} ({where})" if where else record
