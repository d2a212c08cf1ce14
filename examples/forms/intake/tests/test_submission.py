"""What is accepted and what is not."""

import json
from typing import Any

from django.test import SimpleTestCase

from intake.submission import InvalidSubmission, Submission


def body(**changes: Any) -> bytes:
    """A valid document with changes to it."""
    return json.dumps({"form_id": "f1", "case_id": "c1", "fields": {"weight": 12.5}} | changes).encode()


class SubmissionTest(SimpleTestCase):
    def test_accepts_every_kind_of_value(self) -> None:
        fields = {"text": "Möwe", "int": 10**30, "float": 0.5, "yes": True, "nothing": None}
        submission = Submission.parse(body(fields=fields))
        self.assertEqual(submission, Submission("f1", "c1", fields))

    def test_names_every_problem_at_once(self) -> None:
        with self.assertRaises(InvalidSubmission) as caught:
            Submission.parse(b'{"form_id": "a b", "fields": {}, "extra": 1}')
        self.assertEqual(caught.exception.errors.keys(), {"form_id", "case_id", "fields", "extra"})

    def test_refuses_what_is_no_document(self) -> None:
        deep = b"[" * 200_000
        many_digits = b'{"form_id": ' + b"1" * 5000 + b"}"
        for data in (b"", b"\xff\xfe\xfa", b"[]", b'"text"', b"{", deep, many_digits):
            with self.subTest(data[:20]), self.assertRaises(InvalidSubmission) as caught:
                Submission.parse(data)
            self.assertIn("body", caught.exception.errors)

    def test_refuses_what_the_database_cannot_hold(self) -> None:
        bad = [
            {"a": "nul\0"},
            {"a": "\ud800"},
            {"nul\0": 1},
            {"": 1},
            {"a": [1]},
            {"a": {}},
            {"a": "x" * 10_001},
            {"x" * 65: 1},
            {"a": float("nan")},
            {"a": float("inf")},
            {str(n): n for n in range(201)},
            [],
            None,
        ]
        for fields in bad:
            with self.subTest(str(fields)[:40]), self.assertRaises(InvalidSubmission) as caught:
                Submission.parse(body(fields=fields))
            self.assertEqual(caught.exception.errors.keys(), {"fields"})

    def test_refuses_ids_that_do_not_fit_into_an_address(self) -> None:
        for form_id in ("", "a/b", "a\n", "x" * 65, 7, None, "ä"):
            with self.subTest(form_id), self.assertRaises(InvalidSubmission):
                Submission.parse(body(form_id=form_id))
