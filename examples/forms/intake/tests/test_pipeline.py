"""Storing and processing, and what happens when a task is lost, doubled or late."""

from unittest.mock import patch

from django.test import TestCase

from intake import pipeline, reception
from intake.models import CaseSummary, Change, Form
from intake.submission import Submission


class PipelineTest(TestCase):
    def setUp(self) -> None:
        task = patch("intake.reception.process_change.delay")
        self.delay = task.start()
        self.addCleanup(task.stop)

    def store(self, form_id: str, **fields: object) -> int:
        """Stores a form of case c1; returns its change."""
        with self.captureOnCommitCallbacks(execute=True):
            reception.store(Submission(form_id, "c1", fields))
        return Change.objects.get(form_id=form_id).pk

    def summary(self) -> tuple[int, dict[str, object], str]:
        """What is derived for case c1."""
        found = CaseSummary.objects.get(case_id="c1")
        return found.forms, found.values, found.last_form

    def test_a_form_leaves_a_change_and_a_task(self) -> None:
        change = self.store("f1", weight=12)
        self.delay.assert_called_once_with(change)
        self.assertIsNone(Change.objects.get(pk=change).processed_at)

    def test_the_task_is_sent_after_the_commit_only(self) -> None:
        with self.captureOnCommitCallbacks() as callbacks:
            reception.store(Submission("f1", "c1", {"weight": 12}))
            self.delay.assert_not_called()
        self.assertEqual(len(callbacks), 1)

    def test_a_form_without_its_change_is_not_stored(self) -> None:
        with patch.object(Change.objects, "create", side_effect=RuntimeError), self.assertRaises(RuntimeError):
            reception.store(Submission("f1", "c1", {"weight": 12}))
        self.assertFalse(Form.objects.exists())

    def test_processing_summarises_the_case(self) -> None:
        for change in (self.store("f1", weight=12, name="Ada"), self.store("f2", weight=13)):
            self.assertTrue(pipeline.process(change))
        self.assertEqual(self.summary(), (2, {"weight": 13, "name": "Ada"}, "f2"))

    def test_processing_twice_changes_nothing(self) -> None:
        change = self.store("f1", weight=12)
        pipeline.process(change)
        before = Change.objects.get(pk=change).processed_at, self.summary()
        self.assertFalse(pipeline.process(change))
        self.assertEqual((Change.objects.get(pk=change).processed_at, self.summary()), before)

    def test_the_order_of_processing_does_not_matter(self) -> None:
        first, second = self.store("f1", weight=12), self.store("f2", weight=13)
        pipeline.process(second)
        pipeline.process(first)
        self.assertEqual(self.summary(), (2, {"weight": 13}, "f2"))

    def test_a_failed_processing_leaves_the_change_to_the_next(self) -> None:
        change = self.store("f1", weight=12)
        with patch.object(CaseSummary, "save", side_effect=RuntimeError), self.assertRaises(RuntimeError):
            pipeline.process(change)
        self.assertFalse(CaseSummary.objects.exists())
        self.assertTrue(pipeline.process(change))

    def test_a_broker_that_is_down_loses_nothing(self) -> None:
        self.delay.side_effect = ConnectionError
        with self.assertLogs("django.test", "ERROR"):
            self.store("f1", weight=12)
        self.assertEqual(pipeline.sweep(), 1)
        self.assertEqual(self.summary(), (1, {"weight": 12}, "f1"))
        self.assertEqual(pipeline.sweep(), 0)

    def test_a_sweep_takes_the_oldest_first_and_no_more_than_asked(self) -> None:
        first, second = self.store("f1", weight=12), self.store("f2", weight=13)
        self.assertEqual(pipeline.sweep(limit=1), 1)
        self.assertIsNotNone(Change.objects.get(pk=first).processed_at)
        self.assertIsNone(Change.objects.get(pk=second).processed_at)

    def test_the_same_form_again_is_stored_once(self) -> None:
        submission = Submission("f1", "c1", {"weight": 12.0, "name": "Ada"})
        self.assertTrue(reception.store(submission).created)
        self.assertFalse(reception.store(submission).created)
        self.assertEqual((Form.objects.count(), Change.objects.count()), (1, 1))

    def test_another_form_of_the_same_id_is_a_conflict(self) -> None:
        self.store("f1", weight=12)
        with self.assertRaises(reception.FormConflict):
            reception.store(Submission("f1", "c1", {"weight": 13}))
        self.assertEqual(Form.objects.get().fields, {"weight": 12})
