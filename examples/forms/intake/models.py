"""Primary data (forms and their change log) and what is derived from it (case summaries)."""

from django.db import models


class Form(models.Model):
    """A form as it was received. Never changed afterwards."""

    id = models.CharField(primary_key=True, max_length=64)
    case_id = models.CharField(max_length=64)
    fields = models.JSONField()
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (models.Index(fields=["case_id", "received_at"], name="form_of_case"),)

    def __str__(self) -> str:
        return self.id


class Change(models.Model):
    """Says that a form was stored. Written in the form's transaction, so that neither exists without the other."""

    form = models.OneToOneField(Form, on_delete=models.CASCADE)
    processed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=["id"], condition=models.Q(processed_at=None), name="change_to_process"),)

    def __str__(self) -> str:
        return f"change {self.pk} of form {self.form_id}"


class CaseSummary(models.Model):
    """What is known of a case, derived from its forms. Can be deleted and made again at any time."""

    case_id = models.CharField(primary_key=True, max_length=64)
    forms = models.PositiveIntegerField(default=0)
    values = models.JSONField(default=dict)
    last_form = models.CharField(max_length=64, default="")
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.case_id
