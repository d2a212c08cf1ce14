"""Django settings. What differs between environments comes from the site file; see `forms.site_file`."""

from pathlib import Path

from forms.site_file import read_site_file

_file = read_site_file()
_site, _database, _broker = _file["site"], _file["database"], _file["broker"]

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = _site["secret_key"]
DEBUG = _site.getboolean("debug", fallback=False)
ALLOWED_HOSTS = [host.strip() for host in _site["allowed_hosts"].split(",")]

INSTALLED_APPS = ["intake"]
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "forms.urls"
WSGI_APPLICATION = "forms.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"

# nginx ends TLS, and sets this header itself whatever the client sent.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

DATABASES = {
    "default": {
        "ENGINE": f"django.db.backends.{_database['engine']}",
        "NAME": _database["name"],
        "USER": _database.get("user", ""),
        "PASSWORD": _database.get("password", ""),
        "HOST": _database.get("host", ""),
        "PORT": _database.get("port", ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        # A connection pooler in transaction mode gives the next transaction to another server session.
        "DISABLE_SERVER_SIDE_CURSORS": True,
    }
}
if _database["engine"] == "postgresql":
    DATABASES["default"]["OPTIONS"] = {"connect_timeout": 5, "application_name": "forms"}

CELERY_BROKER_URL = _broker["url"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# A task is gone from the broker only when it is done. It may run twice: see `intake.pipeline`.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A request must not wait for a broker that is down: the change log keeps what the sweep will find.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 2, "socket_timeout": 5}
CELERY_BEAT_SCHEDULE = {"sweep": {"task": "intake.tasks.sweep", "schedule": 30.0, "options": {"expires": 30.0}}}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
}
