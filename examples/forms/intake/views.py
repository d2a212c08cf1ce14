"""The API."""

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST, require_safe

from intake import reception
from intake.models import CaseSummary, Form
from intake.submission import InvalidSubmission, Submission


@require_POST
def receive_form(request: HttpRequest) -> HttpResponse:
    """Stores a form: 201 when it is new, 200 when the same form was sent before, 409 when another has its id."""
    try:
        submission = Submission.parse(request.body)
    except RequestDataTooBig:
        return JsonResponse({"errors": {"body": "too large"}}, status=413)
    except InvalidSubmission as error:
        return JsonResponse({"errors": error.errors}, status=400)
    try:
        stored = reception.store(submission)
    except reception.FormConflict:
        return JsonResponse({"errors": {"form_id": "another form has this id"}}, status=409)
    return JsonResponse(_form(stored.form), status=201 if stored.created else 200)


@require_safe
def show_form(request: HttpRequest, form_id: str) -> HttpResponse:
    """A form as it was received."""
    return JsonResponse(_form(get_object_or_404(Form, id=form_id)))


@require_safe
def show_case(request: HttpRequest, case_id: str) -> HttpResponse:
    """The summary of a case; 404 until its first form was processed."""
    summary = get_object_or_404(CaseSummary, case_id=case_id)
    return JsonResponse(
        {
            "case_id": summary.case_id,
            "forms": summary.forms,
            "values": summary.values,
            "last_form": summary.last_form,
            "updated_at": summary.updated_at,
        }
    )


def _form(form: Form) -> dict[str, object]:
    return {"form_id": form.id, "case_id": form.case_id, "fields": form.fields, "received_at": form.received_at}
