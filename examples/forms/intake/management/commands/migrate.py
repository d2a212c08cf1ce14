"""Django's `migrate`, safe to run on several hosts at a time."""

from typing import Any

from django.core.management.commands import migrate
from django.db import connections, transaction

# Any number that nothing else in this database uses.
_LOCK = 0x666F726D73


class Command(migrate.Command):
    """Migrates in one transaction, under a lock that it holds: the second host waits, then finds nothing to do.

    The lock belongs to the transaction and not to the session, because a session behind a pooler in transaction mode is
    not ours. A migration with `atomic = False` cannot run here.
    """

    def handle(self, *args: Any, **options: Any) -> None:
        database = options["database"]
        if connections[database].vendor != "postgresql" or options["check_unapplied"]:
            return super().handle(*args, **options)
        with transaction.atomic(using=database), connections[database].cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            return super().handle(*args, **options)
