"""The file that an operator writes: an INI file whose path is in `FORMS_SETTINGS`."""

import os
from configparser import ConfigParser, Error
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def read_site_file() -> ConfigParser:
    """Reads the file named by the environment. Values are taken literally: `%` has no meaning in them."""
    path = os.environ.get("FORMS_SETTINGS")
    if not path:
        raise ImproperlyConfigured(
            "FORMS_SETTINGS is not set. Give it the path of a settings file; development.ini is one for tests."
        )
    parser = ConfigParser(interpolation=None)
    try:
        parser.read_string(Path(path).read_text(encoding="utf-8"), source=path)
    except (OSError, UnicodeDecodeError, Error) as error:
        raise ImproperlyConfigured(f"Cannot read the settings file {path}: {error}") from error
    for section in ("site", "database", "broker"):
        if section not in parser:
            raise ImproperlyConfigured(f"The settings file {path} has no section [{section}].")
    return parser
