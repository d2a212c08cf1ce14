"""What the worker does."""

from typing import Any

from celery import Celery, shared_task
from celery.signals import worker_ready

from intake import pipeline


@shared_task
def process_change(change_id: int) -> None:
    """Processes one change."""
    pipeline.process(change_id)


@shared_task
def sweep() -> None:
    """Processes what lost its task."""
    pipeline.sweep()


@worker_ready.connect
def _sweep_on_start(sender: Any, **_: object) -> None:
    """Changes may have waited while no worker was there."""
    app: Celery = sender.app
    app.send_task(sweep.name)
