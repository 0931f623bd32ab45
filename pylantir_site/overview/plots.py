"""A page draws what coordinators would rather look at than count: each plot has its table and its file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from django import forms
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pylantir_site import lists_as_csv
from pylantir_site.charts import axes, bars
from worklist.plots import outcomes, starts
from worklist.plots.outcomes import BY_HAND, Counted, ExamOutcome, PlottedOutcomes, Window
from worklist.plots.starts import PlottedStart, Punctuality

SPANS = (30, 90, 365)  # days
AHEAD = 14  # days that are booked
MOST_BARS = 110  # of a day each; where there are more, each is a week's
MOST_SCANNERS = 12
FURTHEST = 120  # minutes: what began earlier or later stands at the edge
DATE = "Y-m-d"


class PlotsForm(forms.Form):
    days = forms.ChoiceField(label=gettext_lazy("Days"))
    study = forms.ChoiceField(label=gettext_lazy("Study"), required=False)

    def __init__(self, *args: Any, studies: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        days, study = self.fields["days"], self.fields["study"]
        assert isinstance(days, forms.ChoiceField)
        assert isinstance(study, forms.ChoiceField)
        days.choices = [(str(each), _days_in_words(each)) for each in SPANS]
        named = [(each or BY_HAND, study_in_words(each)) for each in sorted(studies)]
        study.choices = [("", _("All studies")), *named]


class Piece(NamedTuple):
    """A piece of a bar is drawn by its outcome's class; `at` is how far it is from the left or the top."""

    outcome: ExamOutcome
    at: float
    length: float


class DrawnBar(NamedTuple):
    label: str
    sentence: str
    numbers: Sequence[int]
    total: int
    pieces: Sequence[Piece]
    place: bars.Extent = bars.Extent(0, 0)
    label_at: float | None = None


class Tick(NamedTuple):
    at: float
    text: str


class Columns(NamedTuple):
    """A drawing of bars side by side; `today_at` is where the present day is."""

    frame: Frame
    bars: Sequence[DrawnBar]
    ticks: Sequence[Tick]
    today_at: float


class Frame(NamedTuple):
    """The values of a drawing stand between these places of it."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int


class Dots(NamedTuple):
    """A scanner's drawing: from left to right the hour that was scheduled, upwards how late it began."""

    frame: Frame
    scanner: str
    sentence: str
    hours: Sequence[Tick]
    minutes: Sequence[Tick]
    on_time_at: float
    dots: Sequence[tuple[float, float]]


COLUMNS = Frame(760, 240, 44, 752, 10, 206)
LYING = Frame(260, 18, 1, 259, 1, 17)
DOTS = Frame(380, 200, 44, 352, 10, 168)


def plots_page(site: AdminSite, request: HttpRequest) -> HttpResponse:
    counted, form = _asked(request)
    found = starts.starts(counted.window) if _may_see_starts(request) else None
    by_scanner = starts.by_scanner(found or [])
    context = {
        **site.each_context(request),
        "title": _("Plots"),
        "form": form,
        "query": request.GET.urlencode(),
        "outcomes": list(ExamOutcome),
        "by_day": columns_of(counted),
        "by_station": _lying(_stations(counted)),
        "by_study": _lying(_studies(counted)),
        "shows_starts": found is not None,
        "starts": [_dots(each) for each in by_scanner[:MOST_SCANNERS]],
        "punctuality": [(each, in_words(each.median)) for each in by_scanner],
        "is_cut": len(found or []) == starts.MOST,
        "most_starts": starts.MOST,
        "on_time": starts.ON_TIME,
        "furthest": FURTHEST,
    }
    return TemplateResponse(request, "admin/plots.html", context)


def plot_as_csv(request: HttpRequest, plot: str) -> HttpResponseBase:
    """Answer the numbers behind a plot. None of them names a participant."""
    if plot not in FILES:
        raise Http404
    if plot == "starts" and not _may_see_starts(request):
        raise PermissionDenied
    counted, _form = _asked(request)
    return lists_as_csv.response(FILES[plot](counted), name=plot.replace("_", "-"))


def _asked(request: HttpRequest) -> tuple[PlottedOutcomes, PlotsForm]:
    """Return what the address asks for; what it cannot mean is the shortest span, of all studies."""
    if not request.user.has_perm("worklist.view_worklistitem"):
        raise PermissionDenied
    given = request.GET.get("days", "")
    days = int(given) if given in map(str, SPANS) else SPANS[0]
    today = timezone.localdate()
    window = Window(
        today - timedelta(days=days - 1), today + timedelta(days=AHEAD), today, request.GET.get("study", "")
    )
    counted = outcomes.outcomes(window)
    studies = {*counted.by_study, "" if window.study == BY_HAND else window.study}
    return counted, PlotsForm({"days": days, "study": window.study}, studies=studies)


def _may_see_starts(request: HttpRequest) -> bool:
    return request.user.has_perm("worklist.view_performedstep")


def columns_of(counted: PlottedOutcomes) -> Columns:
    """Lay out the bars of days, or of weeks where days are too many to be seen."""
    shown = counted.bars(days=_days_of_a_bar(counted.window))
    frame = COLUMNS
    highest = max((each.counted.total() for each in shown), default=0)
    upwards = axes.axis(0, highest, start=frame.bottom, end=frame.top, whole=True)
    places = bars.places(len(shown), start=frame.left, end=frame.right)
    labelled = bars.labelled(len(shown), most=9)
    drawn = [
        _bar(_day(each), each.counted, upwards)._replace(
            place=place, label_at=place.middle if has_label else None
        )
        for each, place, has_label in zip(shown, places, labelled, strict=True)
    ]
    today = next(
        place for each, place in zip(shown, places, strict=True) if each.last >= counted.window.today
    )
    ticks = [Tick(upwards.place(value), str(int(value))) for value in upwards.ticks]
    return Columns(frame, drawn, ticks, today.middle)


def _lying(counted: Iterable[tuple[str, Counted]]) -> list[DrawnBar]:
    rows = list(counted)
    longest = max((each.total() for _label, each in rows), default=0)
    along = axes.axis(0, longest, start=LYING.left, end=LYING.right, most=1, whole=True)._replace(
        high=max(longest, 1)
    )
    return [_bar(label, each, along) for label, each in rows]


def _bar(label: str, counted: Counted, axis: axes.Axis) -> DrawnBar:
    numbers = [counted[outcome] for outcome in ExamOutcome]
    extents = zip(ExamOutcome, bars.stack(numbers, axis), strict=True)
    pieces = [Piece(outcome, each.start, each.length) for outcome, each in extents if counted[outcome]]
    return DrawnBar(label, _sentence(label, counted), numbers, counted.total(), pieces)


def _sentence(label: str, counted: Counted) -> str:
    told = ", ".join(f"{outcome.label}: {counted[outcome]}" for outcome in ExamOutcome if counted[outcome])
    return f"{label}: {told}" if told else _("%(label)s: none") % {"label": label}


def _dots(punctuality: Punctuality) -> Dots:
    found, frame = punctuality.starts, DOTS
    hours, minutes = [each.hour for each in found], [_near(each) for each in found]
    along = axes.axis(min(hours), max(hours), start=frame.left, end=frame.right, most=5, whole=True)
    upwards = axes.axis(min(0, *minutes), max(0, *minutes), start=frame.bottom, end=frame.top, whole=True)
    return Dots(
        frame,
        scanner_in_words(punctuality.scanner),
        ngettext(
            "%(count)s examination, scheduled against begun; half of them: %(median)s or earlier.",
            "%(count)s examinations, scheduled against begun; half of them: %(median)s or earlier.",
            len(found),
        )
        % {"count": len(found), "median": in_words(punctuality.median)},
        [Tick(along.place(hour), f"{int(hour)}:00") for hour in along.ticks],
        [Tick(upwards.place(value), f"{int(value):+}" if value else "0") for value in upwards.ticks],
        upwards.place(0),
        [(along.place(hour), upwards.place(value)) for hour, value in zip(hours, minutes, strict=True)],
    )


def _near(start: PlottedStart) -> int:
    return max(-FURTHEST, min(FURTHEST, start.minutes))


def in_words(minutes: int) -> str:
    """Return how late something began, or how early."""
    if minutes == 0:
        return _("on time")
    if minutes > 0:
        return ngettext("%(count)s minute late", "%(count)s minutes late", minutes) % {"count": minutes}
    return ngettext("%(count)s minute early", "%(count)s minutes early", -minutes) % {"count": -minutes}


def study_in_words(study: str) -> str:
    return study or _("Made by hand")


def scanner_in_words(scanner: str) -> str:
    return scanner or _("Scanner not named")


def station_in_words(station: str) -> str:
    return ", ".join(filter(None, station.split("\\"))) or _("No scanner")


def _days_in_words(days: int) -> str:
    return ngettext("The last day", "The last %(count)s days", days) % {"count": days}


def _days_of_a_bar(window: Window) -> int:
    return 1 if (window.last - window.first).days < MOST_BARS else 7


def _day(each: outcomes.Bar) -> str:
    first, last = date_format(each.first, DATE), date_format(each.last, DATE)
    return first if first == last else _("%(first)s to %(last)s") % {"first": first, "last": last}


def _stations(counted: PlottedOutcomes) -> list[tuple[str, Counted]]:
    shown, others = outcomes.largest(counted.by_station, MOST_SCANNERS)
    rows = [(station_in_words(station), each) for station, each in shown.items()]
    return [*rows, (_("All others"), others)] if others else rows


def _studies(counted: PlottedOutcomes) -> list[tuple[str, Counted]]:
    study = counted.window.study
    chosen = {name: each for name, each in sorted(counted.by_study.items()) if study in ("", name or BY_HAND)}
    return [(study_in_words(name), each) for name, each in chosen.items()]


def _table(first: str, rows: Iterable[tuple[str, Counted]]) -> Iterable[Sequence[Any]]:
    yield [first, *(outcome.label for outcome in ExamOutcome), _("Together")]
    for label, counted in rows:
        yield [label, *(counted[outcome] for outcome in ExamOutcome), counted.total()]


def _days_table(counted: PlottedOutcomes) -> Iterable[Sequence[Any]]:
    return _table(_("Day"), ((_day(each), each.counted) for each in counted.bars()))


def _stations_table(counted: PlottedOutcomes) -> Iterable[Sequence[Any]]:
    every = ((station_in_words(station), each) for station, each in sorted(counted.by_station.items()))
    return _table(_("Scanner"), every)


def _studies_table(counted: PlottedOutcomes) -> Iterable[Sequence[Any]]:
    return _table(_("Study"), _studies(counted))


def _starts_table(counted: PlottedOutcomes) -> Iterable[Sequence[Any]]:
    yield [_("Day"), _("Scheduled"), _("Scanner"), _("Minutes late")]
    for each in starts.starts(counted.window):
        yield [each.day, each.scheduled, each.scanner, each.minutes]


FILES: dict[str, Callable[[PlottedOutcomes], Iterable[Sequence[Any]]]] = {
    "exams_by_day": _days_table,
    "exams_by_scanner": _stations_table,
    "exams_by_study": _studies_table,
    "starts": _starts_table,
}
