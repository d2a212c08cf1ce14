"""Whether the process lives, and whether it can work."""

import logging
from collections.abc import Callable

from celery import current_app
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

logger = logging.getLogger(__name__)


@require_safe
def alive(request: HttpRequest) -> HttpResponse:
    """Answers as long as the process does: a restart would not help against anything else."""
    return JsonResponse({"alive": True})


@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """200 when database and broker answer and no migration is missing, else 503 that names what is wrong."""
    answers = {"database": _answers(_ask_database), "broker": _answers(_ask_broker)}
    return JsonResponse({"ready": answers}, status=200 if all(answers.values()) else 503)


def _answers(ask: Callable[[], None]) -> bool:
    try:
        ask()
    except Exception:
        # The reason may name hosts and users: it belongs into the log, not into an answer to anyone.
        logger.exception("not ready")
        return False
    return True


def _ask_database() -> None:
    migrations = MigrationExecutor(connection)
    if missing := migrations.migration_plan(migrations.loader.graph.leaf_nodes()):
        raise LookupError(f"the database lacks {len(missing)} migrations, the first is {missing[0][0]}")


def _ask_broker() -> None:
    with current_app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, timeout=2)
