"""The first tables."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = ()

    operations = (
        migrations.CreateModel(
            name="CaseSummary",
            fields=[
                ("case_id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("forms", models.PositiveIntegerField(default=0)),
                ("values", models.JSONField(default=dict)),
                ("last_form", models.CharField(default="", max_length=64)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.CreateModel(
            name="Form",
            fields=[
                ("id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("case_id", models.CharField(max_length=64)),
                ("fields", models.JSONField()),
                ("received_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={"indexes": [models.Index(fields=["case_id", "received_at"], name="form_of_case")]},
        ),
        migrations.CreateModel(
            name="Change",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("processed_at", models.DateTimeField(null=True)),
                (
                    "form",
                    models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, to="intake.form"),
                ),
            ],
            options={
                "indexes": [
                    models.Index(condition=models.Q(("processed_at", None)), fields=["id"], name="change_to_process")
                ]
            },
        ),
    )
