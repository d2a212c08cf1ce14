"""The API over HTTP, with the worker's part done in place."""

from unittest.mock import patch

from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import TestCase

from intake import pipeline
from intake.models import Form

FORM = {"form_id": "f1", "case_id": "c1", "fields": {"weight": 12}}


class ApiTest(TestCase):
    def setUp(self) -> None:
        task = patch("intake.reception.process_change.delay", side_effect=pipeline.process)
        self.delay = task.start()
        self.addCleanup(task.stop)

    def post(self, document: object) -> tuple[int, dict[str, object]]:
        """Posts a document; returns status and answer."""
        with self.captureOnCommitCallbacks(execute=True):
            response = self.client.post("/api/forms/", document, content_type="application/json")
        return response.status_code, response.json()

    def test_a_form_becomes_readable_and_its_case_too(self) -> None:
        status, answer = self.post(FORM)
        self.assertEqual(status, 201)
        self.assertEqual(self.client.get("/api/forms/f1/").json(), answer)
        case = self.client.get("/api/cases/c1/").json()
        self.assertEqual((case["forms"], case["values"], case["last_form"]), (1, {"weight": 12}, "f1"))

    def test_sending_again_and_conflict(self) -> None:
        self.assertEqual([self.post(FORM)[0], self.post(FORM)[0]], [201, 200])
        self.assertEqual(self.post(FORM | {"case_id": "c2"})[0], 409)

    def test_bad_and_large_documents(self) -> None:
        status, answer = self.post({"form_id": "f1"})
        self.assertEqual((status, set(answer["errors"])), (400, {"case_id", "fields"}))
        self.assertEqual(self.post(FORM | {"fields": {"a": "x" * 2**20}})[0], 413)
        self.assertFalse(Form.objects.exists())

    def test_unknown_things_and_other_methods(self) -> None:
        self.assertEqual(self.client.get("/api/forms/f9/").status_code, 404)
        self.assertEqual(self.client.get("/api/cases/c9/").status_code, 404)
        self.assertEqual(self.client.get("/api/forms/").status_code, 405)
        self.assertEqual(self.client.delete("/api/cases/c1/").status_code, 405)

    def test_health(self) -> None:
        self.assertEqual(self.client.get("/healthz").status_code, 200)
        self.assertEqual(self.client.get("/readyz").json(), {"ready": {"database": True, "broker": True}})

    def test_not_ready_names_what_does_not_answer(self) -> None:
        with patch.object(MigrationRecorder, "applied_migrations", side_effect=DatabaseError("db1")), self.assertLogs():
            response = self.client.get("/readyz")
        self.assertEqual(response.status_code, 503)
        self.assertEqual(response.json(), {"ready": {"database": False, "broker": True}})
        self.assertNotIn(b"db1", response.content)

    def test_not_ready_without_a_migration(self) -> None:
        MigrationRecorder(connection).record_unapplied("intake", "0001_initial")
        with self.assertLogs("intake") as logs:
            self.assertEqual(self.client.get("/readyz").status_code, 503)
        self.assertIn("intake.0001_initial", logs.output[0])
