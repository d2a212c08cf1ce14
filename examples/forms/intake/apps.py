"""The application's entry in Django's registry."""

from django.apps import AppConfig


class IntakeConfig(AppConfig):
    """Registers the application."""

    name = "intake"
