"""The site: settings, addresses, entry points of the web server and of the worker."""

from forms.celery import app as celery_app

__all__ = ["celery_app"]
