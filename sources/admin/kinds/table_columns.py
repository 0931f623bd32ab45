"""A page shows a table's headers and first rows, and takes which column is what.

The rows are participants' data: for the screen alone, of who may pull from the source.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from sources.admin import buttons
from sources.errors import SourceError
from sources.kinds import dictionary_of
from sources.models import DataSource, TableFile
from sources.models.tables import Delimiter, Encoding
from sources.sync import guards
from sources.tables.content import TableContent
from sources.tables.layout import DateOrder, TableLayout
from sources.tables.reading import Head, Table, read_head, read_table

ROWS_SHOWN = 10
LEFT_OUT_SHOWN = 10
REASON = "Its columns were chosen"
# What people call the column of a participant's ID; the first that is there is proposed.
USUAL_IDS = (
    *("participant id", "subject id", "record id", "patient id", "study id", "participant", "subject"),
    *("pseudonym", "id", "code"),
)
MAY_NOT_SEE = gettext_lazy("First rows are shown to who may pull from the source.")
ORDERS = (
    ("", gettext_lazy("no dates typed as text, or 2026-03-02")),
    (DateOrder.DMY, gettext_lazy("day, month, year: 02.03.2026")),
    (DateOrder.MDY, gettext_lazy("month, day, year: 03/02/2026")),
    (DateOrder.YMD, gettext_lazy("year, month, day: 2026/03/02")),
)
NOT_NEEDED = ("", gettext_lazy("none"))


class HowRead(forms.Form):
    """This decides which headers there are."""

    sheet = forms.ChoiceField(label=gettext_lazy("Sheet"), required=False)
    header_row = forms.IntegerField(label=gettext_lazy("Row of the headers"), min_value=1, max_value=1000)
    encoding = forms.ChoiceField(label=gettext_lazy("Encoding"), choices=Encoding.choices, required=False)
    delimiter = forms.ChoiceField(
        label=gettext_lazy("Columns are separated by"), choices=Delimiter.choices, required=False
    )

    def __init__(self, *args: Any, is_workbook: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("encoding", "delimiter") if is_workbook else ("sheet",):
            del self.fields[name]

    def offer_sheets(self, sheets: tuple[str, ...], kept: str) -> None:
        """Offer the workbook's sheets, and the one that is kept although it may be gone."""
        if "sheet" in self.fields:
            names = dict.fromkeys(filter(None, (*sheets, kept)))
            self.fields["sheet"].choices = [("", _("the first")), *((name, name) for name in names)]  # type: ignore[attr-defined]


class WhichColumns(forms.Form):
    """This says which column is what, of the headers that there are."""

    record = forms.ChoiceField(
        label=gettext_lazy("Participant's ID"),
        help_text=gettext_lazy("The column that says whose row it is."),
    )
    session = forms.ChoiceField(
        label=gettext_lazy("Session"),
        required=False,
        help_text=gettext_lazy(
            "Where participants have several rows: the column that tells them apart, as a visit's name does. "
            "Not the date: an appointment that is moved would become another one."
        ),
    )
    instance = forms.ChoiceField(
        label=gettext_lazy("Number of the session"),
        required=False,
        help_text=gettext_lazy("Or a column with a whole number that tells them apart."),
    )

    def __init__(self, *args: Any, headers: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.headers = headers
        columns = [(header, header) for header in headers if header]
        for name in ("record", "session", "instance"):
            first = ("", "---------") if name == "record" else NOT_NEEDED
            self.fields[name].choices = [first, *columns]  # type: ignore[attr-defined]
        for number, header in enumerate(headers):
            if header:
                self.fields[_order_name(number)] = forms.ChoiceField(
                    label=header,
                    choices=ORDERS,
                    required=False,
                    initial=self.initial.get("date_orders", {}).get(header, ""),
                )

    def date_orders(self) -> dict[str, str]:
        chosen = {
            header: self.cleaned_data.get(_order_name(place)) for place, header in enumerate(self.headers)
        }
        return {header: order for header, order in chosen.items() if order}

    def key_fields(self) -> list[Any]:
        return [self["record"], self["session"], self["instance"]]

    def has_orders(self) -> bool:
        """Tell whether some column says how its dates are typed."""
        return any(field.value() for field in self.orders())

    def orders(self) -> Iterator[Any]:
        """Yield the choices of columns, for the page."""
        names = (_order_name(number) for number in range(len(self.headers)))
        return (self[name] for name in names if name in self.fields)


class _Shown(NamedTuple):
    """What the page shows of a file, or why it shows nothing."""

    how: HowRead
    columns: WhichColumns | None = None
    head: Head | None = None
    error: str = ""
    table: Table | None = None


def lay_out(model_admin: Any, request: HttpRequest, source: DataSource) -> HttpResponse:
    """Show a file and what is said of its columns; *Save* keeps that, once the whole file was read by it."""
    details: TableFile = source.table_file
    try:
        content = details.content()
    except SourceError as error:
        return buttons.refused(request, source, error)
    shown = _shown(request, details, content)
    if "save" in request.POST and shown.columns is not None and shown.columns.is_valid():
        shown = _read_whole(shown, details, content)
        if shown.table is not None:
            _save(request, source, details, shown)
            return buttons.to_page(source)
    return buttons.page(
        model_admin,
        request,
        source,
        "table_columns",
        _("Columns of %(source)s") % {"source": source},
        file_name=content.name,
        how=shown.how,
        columns=shown.columns,
        error=shown.error,
        head=_first_rows(shown.head) if request.user.has_perm("sources.pull_datasource") else None,
        may_not_see="" if request.user.has_perm("sources.pull_datasource") else MAY_NOT_SEE,
    )


def _shown(request: HttpRequest, details: TableFile, content: TableContent) -> _Shown:
    """Read the beginning of the file as the page says, or as it is kept."""
    given = request.POST if "header_row" in request.POST else None
    kept = {name: getattr(details, name) for name in ("sheet", "header_row", "encoding", "delimiter")}
    how = HowRead(given, initial=kept, is_workbook=content.name.lower().endswith(".xlsx"))
    how.offer_sheets(_sheets(content), details.sheet)
    if given is not None and not how.is_valid():
        return _Shown(how)
    said = {**kept, **(how.cleaned_data if given is not None else {})}
    try:
        head = read_head(content.data, content.name, TableLayout(**said))
    except SourceError as error:
        return _Shown(how, error=str(error))
    columns = WhichColumns(
        given if given is not None and "record" in given else None,
        headers=head.headers,
        initial=_initial(details, head.headers),
    )
    return _Shown(how, columns, head)


def _sheets(content: TableContent) -> tuple[str, ...]:
    try:
        return read_head(content.data, content.name, TableLayout()).sheets
    except SourceError:
        return ()


def _initial(details: TableFile, headers: tuple[str, ...]) -> dict[str, Any]:
    proposed = "" if details.record_column else _usual_id(headers)
    return {
        "record": details.record_column or proposed,
        "session": details.session_column,
        "instance": details.instance_column,
        "date_orders": details.date_orders,
    }


def _usual_id(headers: tuple[str, ...]) -> str:
    """Propose the column whose header people use for a participant's ID, or none."""
    folded = {" ".join(header.lower().replace("_", " ").split()): header for header in headers}
    return next((folded[usual] for usual in USUAL_IDS if usual in folded), "")


def _layout(shown: _Shown, details: TableFile) -> TableLayout:
    assert shown.columns is not None
    chosen: Mapping[str, Any] = shown.columns.cleaned_data
    orders = {header: DateOrder(order) for header, order in shown.columns.date_orders().items()}
    keys = {name: chosen[name] for name in ("record", "session", "instance")}
    return replace(details.layout(), **shown.how.cleaned_data, **keys, date_order=orders)


def _read_whole(shown: _Shown, details: TableFile, content: TableContent) -> _Shown:
    """Read all rows by what was chosen, as a pull will."""
    try:
        return shown._replace(table=read_table(content.data, content.name, _layout(shown, details)))
    except SourceError as error:
        return shown._replace(error=str(error))


def _save(request: HttpRequest, source: DataSource, details: TableFile, shown: _Shown) -> None:
    """Keep what was chosen, and say what it makes of the file."""
    before = details.access(), details.layout()
    details.take_layout(_layout(shown, details))
    if (details.access(), details.layout()) != before:
        source.save_with_details(request.user.get_username(), reason=REASON)
        guards.allow_nothing(source)
        buttons.resume(request, source, full=True)
    dictionary_of(source, fresh=True)  # the mapping's editor finds columns by it from now on
    assert shown.table is not None
    _tell(request, shown.table)


def _tell(request: HttpRequest, table: Table) -> None:
    participants = len({row.record for row in table.rows})
    rows = ngettext("%(count)s row was read", "%(count)s rows were read", len(table.rows))
    of = ngettext("of %(count)s participant.", "of %(count)s participants.", participants)
    messages.success(request, f"{rows % {'count': len(table.rows)}} {of % {'count': participants}}")
    for warning in table.warnings:
        messages.warning(request, warning)
    for each in table.left_out[:LEFT_OUT_SHOWN]:
        messages.warning(request, each.text)
    more = len(table.left_out) - LEFT_OUT_SHOWN
    if more > 0:
        text = ngettext("%(count)s more is kept out.", "%(count)s more are kept out.", more)
        messages.warning(request, text % {"count": more})


def _first_rows(head: Head | None) -> Head | None:
    return None if head is None else replace(head, rows=head.rows[:ROWS_SHOWN])


def _order_name(number: int) -> str:
    return f"order-{number}"
