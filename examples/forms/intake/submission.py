"""What a client sends, checked before anything is stored."""

import json
import math
import re
from dataclasses import dataclass

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MAX_FIELDS = 200
_MAX_NAME = 64
_MAX_TEXT = 10_000

Value = str | int | float | bool | None


class InvalidSubmission(Exception):
    """The submission cannot be accepted; `errors` says why, by field."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {reason}" for field, reason in errors.items()))
        self.errors = errors


@dataclass(frozen=True)
class Submission:
    """A valid submission."""

    form_id: str
    case_id: str
    fields: dict[str, Value]

    @classmethod
    def parse(cls, body: bytes) -> "Submission":
        """Reads a JSON document. Raises `InvalidSubmission` with every problem that it has."""
        try:
            data = json.loads(body)
        # A document can also be nested too deeply, or hold a number of too many digits for Python.
        except (ValueError, RecursionError) as error:
            raise InvalidSubmission({"body": f"not a JSON document: {error}"}) from error
        if not isinstance(data, dict):
            raise InvalidSubmission({"body": "not a JSON object"})
        errors = dict.fromkeys(data.keys() - {"form_id", "case_id", "fields"}, "unknown")
        for key in ("form_id", "case_id"):
            if not isinstance(data.get(key), str) or not _ID.fullmatch(data[key]):
                errors[key] = "must be 1 to 64 letters, digits, '_' or '-'"
        if problem := _problem_of_fields(data.get("fields")):
            errors["fields"] = problem
        if errors:
            raise InvalidSubmission(errors)
        return cls(**data)


def _problem_of_fields(fields: object) -> str | None:
    if not isinstance(fields, dict) or not 1 <= len(fields) <= _MAX_FIELDS:
        return f"must be an object of 1 to {_MAX_FIELDS} values"
    for name, value in fields.items():
        if not 1 <= len(name) <= _MAX_NAME or not _storable(name):
            return f"has a name that is not 1 to {_MAX_NAME} characters of text: {name[:_MAX_NAME]!a}"
        if isinstance(value, str) and (len(value) > _MAX_TEXT or not _storable(value)):
            return f"{name}: must be text of at most {_MAX_TEXT} characters"
        if isinstance(value, float) and not math.isfinite(value):
            return f"{name}: must be a finite number"
        if not isinstance(value, Value):
            return f"{name}: must be text, a number, true, false or null"
    return None


def _storable(text: str) -> bool:
    """PostgreSQL's text has no NUL and no lone surrogates."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
