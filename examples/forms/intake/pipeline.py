"""The asynchronous half of the data flow: a change becomes part of its case's summary.

`process` derives the summary from the stored forms and marks the change as processed in one transaction. It can run
twice, late or out of order, and in several workers at a time: the result is the same. A lost task is therefore nothing
worse than a delay, which `sweep` ends.
"""

import logging

from django.db import transaction
from django.utils import timezone

from intake.models import CaseSummary, Change, Form

logger = logging.getLogger(__name__)


def process(change_id: int) -> bool:
    """Processes a change; says whether there was anything to do."""
    with transaction.atomic():
        # A row that another worker holds is that worker's; it is not waited for.
        pending = Change.objects.select_for_update(of=("self",), skip_locked=True).select_related("form")
        change = pending.filter(pk=change_id, processed_at=None).first()
        if change is None:
            return False
        _summarise(change.form.case_id)
        change.processed_at = timezone.now()
        change.save(update_fields=["processed_at"])
    return True


def sweep(limit: int = 1000) -> int:
    """Processes what lost its task, oldest first; says how many changes that were."""
    waiting = Change.objects.filter(processed_at=None).order_by("pk").values_list("pk", flat=True)[:limit]
    done = sum(process(change_id) for change_id in list(waiting))
    if done:
        logger.info("swept %d changes", done)
    return done


def _summarise(case_id: str) -> None:
    """Derives a case's summary from all of its forms."""
    CaseSummary.objects.get_or_create(case_id=case_id)
    # Two changes of one case queue up here, so that the later one sees all forms and has the last word.
    summary = CaseSummary.objects.select_for_update().get(case_id=case_id)
    forms = list(Form.objects.filter(case_id=case_id).order_by("received_at", "id"))
    summary.forms = len(forms)
    summary.values = {name: value for form in forms for name, value in form.fields.items()}
    summary.last_form = forms[-1].id
    summary.save()
