"""The settings file."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from django.core.exceptions import ImproperlyConfigured
from django.test import SimpleTestCase

from forms.site_file import read_site_file


class SiteFileTest(SimpleTestCase):
    def read(self, text: str) -> str:
        """Reads a file with this text; returns the site's secret key."""
        with TemporaryDirectory() as folder:
            path = Path(folder, "site.ini")
            path.write_text(text, encoding="utf-8")
            with patch.dict(os.environ, FORMS_SETTINGS=str(path)):
                return read_site_file()["site"]["secret_key"]

    def test_values_are_literal(self) -> None:
        value = "a%(b)s;#=:'\"$ä"
        self.assertEqual(self.read(f"[site]\nsecret_key = {value}\n[database]\n[broker]\n"), value)

    def test_what_is_missing_is_named(self) -> None:
        with self.assertRaisesMessage(ImproperlyConfigured, "no section [broker]"):
            self.read("[site]\n[database]\n")
        with patch.dict(os.environ), self.assertRaisesMessage(ImproperlyConfigured, "FORMS_SETTINGS"):
            del os.environ["FORMS_SETTINGS"]
            read_site_file()
