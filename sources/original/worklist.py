"""A row of the original's worklist becomes an item here, or keeps its Study Instance UID for a pull."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction

from pylantir_site.environment.originals import WORKLIST_TABLE
from sources.models import OriginalDatabase, OriginalRow, OriginalStep
from sources.original.remembered import RowKey
from sources.original.reports import RowLeftOut, RowOutcome, RowReport
from sources.original.rows import Fate, RowPlan
from sources.sync.values import text_of
from worklist.items import identifiers, intake, lifecycle, whose
from worklist.models import WorklistItem

_NEVER_LEFT_OUT = frozenset(
    {
        *("patient_name", "patient_id", "modality", "scheduled_start_date", "scheduled_start_time"),
        *("study_instance_uid", "performed_procedure_step_status"),
    }
)
ANOTHER_PERSON = (
    "This patient ID is another person's here, by name, birth date or sex. Correct one of them, or add a "
    "confirmed person where two share it, and import again."
)
HERE_ALREADY = "An item here has its Study Instance UID already, and stays as it is."
OF_ANOTHER = "An item of another patient has its Study Instance UID: a new one is made."
SAME_APPOINTMENT = "Another row keeps its Study Instance UID for the same patient ID, day and time."
EXAMINED_SINCE = "The original has it as examined since it came in, and so has its item now."
ANOTHER_ID_BY_NOW = (
    "The original has it as examined since, and its item here has another patient ID by now: correct one of "
    "them, or close the item by hand."
)
NO_MORE_SCHEDULED = "It waited for a pull until now: it has been examined since."


@dataclass(frozen=True)
class WorklistImport:
    """Rows of one database come in by one actor."""

    database: OriginalDatabase
    name: str
    actor: str
    settled: Collection[RowKey] = frozenset()  # they are told without a transaction for each

    def take(self, plan: RowPlan) -> RowReport:
        """Import the row and remember it, in one transaction; a row that is left out is not remembered."""
        if RowKey(plan.row, plan.fingerprint) in self.settled:
            return self._report(plan, RowOutcome.KNOWN)
        try:
            with transaction.atomic():
                return self._taken(plan)
        except RowLeftOut as left:
            return self._report(plan, RowOutcome.LEFT, (str(left), *plan.contradicts))

    def _taken(self, plan: RowPlan) -> RowReport:
        known = self._known(plan)
        waits = known is not None and OriginalStep.objects.filter(row=known, session=None).exists()
        if known is not None and not (waits and plan.fate is Fate.ITEM):
            return self._followed(plan, known)
        if plan.fate is Fate.LEFT:
            return self._report(plan, RowOutcome.LEFT, (*plan.notes, *plan.contradicts))
        if waits:
            OriginalStep.objects.filter(row=known).delete()
        row = known or self._remember(plan)
        if plan.fate is Fate.STEP:
            self._keep_for_a_pull(plan, row)
            return self._report(plan, RowOutcome.STEP, plan.contradicts)
        item, notes = self._made(plan)
        OriginalRow.objects.filter(pk=row.pk).update(item=item)
        since = (NO_MORE_SCHEDULED,) if waits else ()
        return self._report(
            plan, RowOutcome.ITEM, (*since, *plan.notes, *notes, *plan.contradicts), item_pk=item.pk
        )

    def _followed(self, plan: RowPlan, known: OriginalRow) -> RowReport:
        """Let the item of a row that came in before have the status that scanners reported since."""
        item = _item_of(known)
        if item is None or plan.examined is None or item.performed_procedure_step_status == plan.examined:
            return self._report(plan, RowOutcome.KNOWN)
        if item.patient_id != plan.patient_id.strip():
            raise RowLeftOut(ANOTHER_ID_BY_NOW)
        reason = f"Row {plan.row} of the original's {self.name}: examined there."
        if not lifecycle.follow_another_server(item, to=plan.examined, actor=self.actor, reason=reason):
            return self._report(plan, RowOutcome.KNOWN)
        return self._report(plan, RowOutcome.EXAMINED, (EXAMINED_SINCE,), item_pk=item.pk)

    def _known(self, plan: RowPlan) -> OriginalRow | None:
        return OriginalRow.objects.filter(database=self.database, **_key(plan)).first()

    def _remember(self, plan: RowPlan) -> OriginalRow:
        return OriginalRow.objects.create(database=self.database, **_key(plan))

    def _keep_for_a_pull(self, plan: RowPlan, row: OriginalRow) -> None:
        if WorklistItem.objects.filter(study_instance_uid=plan.uid).exists():
            raise RowLeftOut(HERE_ALREADY)
        if OriginalStep.objects.filter(**plan.values).exists():
            raise RowLeftOut(SAME_APPOINTMENT)
        if OriginalStep.objects.filter(study_instance_uid=plan.uid).exists():
            raise RowLeftOut("Another database's row keeps the same Study Instance UID.")
        OriginalStep.objects.create(row=row, study_instance_uid=plan.uid, **plan.values)

    def _made(self, plan: RowPlan) -> tuple[WorklistItem, list[str]]:
        """Make the item, leaving out what no item may have. Return it with what is to be told of it."""
        uid, notes = _free_uid(plan)
        values = {**plan.values, "study_instance_uid": uid or identifiers.new_uid()}
        reason = f"Row {plan.row} of the original's {self.name}."
        while True:
            try:
                return intake.create(values, actor=self.actor, reason=reason), notes
            except ValidationError as error:
                unusable = _unusable(error, values)
                if not unusable:
                    raise RowLeftOut(_refusal(error)) from error
            for field, why in unusable.items():
                notes.append(f"{_label(field)}: left out. {why}")
                del values[field]

    def _report(
        self, plan: RowPlan, outcome: RowOutcome, notes: tuple[str, ...] = (), **more: Any
    ) -> RowReport:
        return RowReport(WORKLIST_TABLE, plan.row, outcome, tuple(notes), plan.who, **more)


def _item_of(row: OriginalRow) -> WorklistItem | None:
    """Return the item that was made of the row, here or by the pull that took its Study Instance UID."""
    step = OriginalStep.objects.filter(row=row).exclude(session=None).first()
    if row.item is not None or step is None:
        return row.item
    return WorklistItem.objects.filter(study_instance_uid=step.study_instance_uid).first()


def _key(plan: RowPlan) -> dict[str, Any]:
    return {"table": WORKLIST_TABLE, "row": plan.row, "fingerprint": plan.fingerprint}


def _free_uid(plan: RowPlan) -> tuple[str, list[str]]:
    item = WorklistItem.objects.filter(study_instance_uid=plan.uid).first() if plan.uid else None
    if item is None:
        return plan.uid, []
    if item.patient_id == plan.values["patient_id"].strip():
        raise RowLeftOut(HERE_ALREADY)
    return "", [OF_ANOTHER]


def _unusable(error: ValidationError, values: Mapping[str, Any]) -> dict[str, str]:
    """Return what may be left out of what intake refuses, with why; nothing where more is wrong than that."""
    errors: Mapping[str, list[ValidationError]] = getattr(error, "error_dict", {})
    if any(field in _NEVER_LEFT_OUT or field not in values for field in errors):
        return {}
    return {field: " ".join(map(text_of, found)) for field, found in errors.items()}


def _refusal(error: ValidationError) -> str:
    return " ".join(dict.fromkeys(_sentences(error)))


def _sentences(error: ValidationError) -> Iterator[str]:
    errors: Mapping[str, list[ValidationError]] = getattr(error, "error_dict", {NON_FIELD_ERRORS: [error]})
    for field, found in errors.items():
        for each in found:
            if each.code == whose.ANOTHER_PERSON:
                yield ANOTHER_PERSON
            else:
                yield text_of(each) if field == NON_FIELD_ERRORS else f"{_label(field)}: {text_of(each)}"


def _label(field: str) -> str:
    column: Any = WorklistItem._meta.get_field(field)
    label = str(column.verbose_name)
    return label[:1].upper() + label[1:]
