"""The synchronous half of the data flow: a form and its change-log row are stored in one transaction."""

from dataclasses import dataclass

from django.db import IntegrityError, transaction

from intake.models import Change, Form
from intake.submission import Submission
from intake.tasks import process_change


class FormConflict(Exception):
    """A form of this id is there already, with other content."""


@dataclass(frozen=True)
class Stored:
    """A form that is safely in the database; `created` is false when it was there before."""

    form: Form
    created: bool


def store(submission: Submission) -> Stored:
    """Stores a form once, however often it is sent. Raises `FormConflict` when its id is taken by other content."""
    try:
        with transaction.atomic():
            form = Form.objects.create(id=submission.form_id, case_id=submission.case_id, fields=submission.fields)
            change = Change.objects.create(form=form)
            # Robust: the form is stored whatever happens to the broker, and the sweep finds the change.
            transaction.on_commit(lambda: process_change.delay(change.pk), robust=True)
    except IntegrityError:
        form = Form.objects.get(id=submission.form_id)
        if (form.case_id, form.fields) != (submission.case_id, submission.fields):
            raise FormConflict(submission.form_id) from None
        return Stored(form, created=False)
    return Stored(form, created=True)
