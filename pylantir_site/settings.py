"""Django's settings stand here: what a site may change comes from the environment (docs/deployment.md)."""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import ImproperlyConfigured
from tzlocal import get_localzone_name

from pylantir_site import __version__
from pylantir_site.cors import cors_settings
from pylantir_site.environment import atna, config_file, env, log_lines, oidc
from pylantir_site.environment.databases import databases, main_path
from pylantir_site.environment.secret_key import derived_key, kept_encryption_keys, kept_secret_key

PYLANTIR_CONFIG = env.text("PYLANTIR_CONFIG")
CONFIG = config_file.read(PYLANTIR_CONFIG)

DEBUG = env.boolean("DEBUG", default=False)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]"))

DATABASES = databases(CONFIG)
DATABASE_ROUTERS = ["pylantir_site.routers.UsersRouter"] if "users" in DATABASES else []
DATA_DIR = main_path(CONFIG).parent
SECRET_KEY = env.text("SECRET_KEY") or kept_secret_key(DATA_DIR)
# The first encrypts what sources keep secret, all decrypt it.
FIELD_ENCRYPTION_KEYS = env.fernet_keys("FIELD_ENCRYPTION_KEYS") or kept_encryption_keys(DATA_DIR)
# Without one, the first pseudonymous export makes it and keeps it in DATA_DIR.
EXPORT_KEY = env.signing_key("EXPORT_KEY")

INSTALLED_APPS = [
    "pylantir_site.apps.PylantirSiteConfig",  # before the admin: its templates go first
    "pylantir_site.apps.PylantirAdminConfig",
    "accounts",  # before auth: two of its commands are adapted
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    "django_filters",
    "django_q",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "simple_history",
    "worklist",
    "sources",
    "archives",
    "pylantir_site.notices.apps.NoticesConfig",
    "pylantir_site.counting.apps.CountingConfig",
    "pylantir_site.privacy.apps.PrivacyConfig",
]
MIDDLEWARE = [
    "pylantir_site.metrics.http.CountAnswers",
    "pylantir_site.headers.Headers",
    "pylantir_site.cors.ApiCors",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "pylantir_site.database.sessions.SessionsOfAnyDatabase",
    "pylantir_site.languages.AdminLanguage",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "pylantir_site.rest.audit.AuditMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.known_places.KnownBrowsers",
    "accounts.idle.IdleLimit",
    "accounts.first_password.MustChangePassword",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "pylantir_site.overview.unavailable.DatabaseFaults",
]
ROOT_URLCONF = "pylantir_site.urls"
WSGI_APPLICATION = "pylantir_site.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "libraries": {"trail": "pylantir_site.overview.trail"},
        },
    },
]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.BearerAuthentication"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "pylantir_site.rest.paging.BareList",
    "DEFAULT_PARSER_CLASSES": ["pylantir_site.rest.parsing.StrictJSONParser"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.permissions.ByRole"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "pylantir_site.rest.schema.ApiSchema",
    "EXCEPTION_HANDLER": "pylantir_site.rest.errors.handle",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "URL_FORMAT_OVERRIDE": None,  # `?format=` is a key like any other
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Pylantir API",
    "DESCRIPTION": "The worklist of a DICOM server for imaging research. `POST /auth/login` gives a token; "
    "send it as `Authorization: Bearer …`. Roles: *read* looks, *write* keeps the worklist, *admin* does "
    "everything. Dates and times are read as DICOM or ISO 8601 and written as DICOM. Every error is JSON "
    "with `detail`.",
    "VERSION": __version__,
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"persistAuthorization": False, "validatorUrl": None},
    "PREPROCESSING_HOOKS": ["pylantir_site.rest.schema.without_twins"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "pylantir_site.rest.schema.with_totals",
        "pylantir_site.rest.schema.with_tags",
    ],
    "ENUM_NAME_OVERRIDES": {
        "StatusEnum": "worklist.models.Status",
        "PerformedStatusEnum": "worklist.models.PerformedStatus",
        "KindEnum": "worklist.models.AttentionKind",
        "ActivityKindEnum": "worklist.models.DeviceActivity.Kind",
        "SexEnum": "worklist.models.Sex",
        "SourceStateEnum": "sources.models.State",
        "OutcomeEnum": "sources.models.RunOutcome",
        "TriggerEnum": "sources.models.Trigger",
        "RoleEnum": "accounts.roles.Role",
    },
}
JWT_SECRET_KEY = env.signing_key("JWT_SECRET_KEY") or derived_key(SECRET_KEY, "jwt")
SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    "SIGNING_KEY": JWT_SECRET_KEY,
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=30),
    "USER_ID_FIELD": "username",
    "USER_ID_CLAIM": "sub",
}
# What a client may ask for with `access_token_expire_minutes`.
ACCESS_TOKEN_MOST_MINUTES = env.integer("ACCESS_TOKEN_MOST_MINUTES", 1440, least=30, most=525_600)
# Failed sign-ins within so many minutes, in the admin and the API together, until the next must wait.
SIGN_IN_MINUTES = env.integer("SIGN_IN_MINUTES", 15, least=1, most=1440)
SIGN_IN_FAILURES_PER_USER = env.integer("SIGN_IN_FAILURES_PER_USER", 10, least=1, most=10_000)
SIGN_IN_FAILURES_PER_ADDRESS = env.integer("SIGN_IN_FAILURES_PER_ADDRESS", 50, least=1, most=100_000)
# What deletes what need not be kept for ever (pylantir_site.retention).
RETENTION = (
    "accounts.retention.prune",
    "worklist.devices.retention.prune",
    "sources.retention.prune",
    "archives.retention.prune",
    "pylantir_site.notices.retention.prune",
    "pylantir_site.privacy.retention.prune",
)
# Days after the last thing that happened of a participant; 0: for ever. Then who it was is erased.
PARTICIPANTS_KEPT_DAYS = env.integer("PARTICIPANTS_KEPT_DAYS", 0, least=0, most=36_500)
AUDIT_KEPT_DAYS = env.integer("AUDIT_KEPT_DAYS", 365, least=1, most=36_500)

AUTH_USER_MODEL = "accounts.User"
# The first makes them; the other knows passwords of imported accounts until they sign in.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "accounts.hashers.OriginalBCryptHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "admin:login"
# Consoles are shared: a session ends after so long without use, and with the browser.
SESSION_IDLE_MINUTES = env.integer("SESSION_IDLE_MINUTES", 720, least=5, most=10_080)
# And so long after the sign-in, however it is used: longer than a shift, shorter than to the next one.
SESSION_MAXIMUM_HOURS = env.integer("SESSION_MAXIMUM_HOURS", 16, least=1, most=168)
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
# So long after its last use it is kept: who comes back on the day after still reads that time was up.
SESSION_COOKIE_AGE = 60 * SESSION_IDLE_MINUTES + 24 * 3600
# Messages name participants: the default would put them into a cookie, which outlives the sign-out.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
CSRF_FAILURE_VIEW = "pylantir_site.overview.error_pages.csrf_failure"
OIDC = oidc.settings()  # None: people sign in with a password

USE_TZ = True
# Schedules are in the site's own wall-clock time, as a scanner's console shows it.
TIME_ZONE = env.time_zone("TIME_ZONE", get_localzone_name() or "UTC")
LANGUAGE_CODE = "en-us"
USE_I18N = True
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
FORMAT_MODULE_PATH = "pylantir_site.formats"

vars().update(cors_settings(CONFIG))

STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True  # a fresh clone serves its files without a collectstatic

BEHIND_TLS_PROXY = env.boolean("BEHIND_TLS_PROXY", default=False)
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True  # no script of ours reads them
if BEHIND_TLS_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = env.integer("HSTS_SECONDS", 31_536_000, least=0, most=63_072_000)
    SECURE_SSL_REDIRECT = True
    # Monitors ask beside the proxy, and what they read is about nobody.
    SECURE_REDIRECT_EXEMPT = [r"^health(/|$)", r"^metrics/?$"]
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    # Browsers take a cookie of such a name by HTTPS alone, and from no other host of the domain.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
# What holds for other hosts below this name, and in lists that browsers carry, is not for Pylantir to say.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_NUMBER_FILES = 1000  # the page that takes worklist files says itself what is too many

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SIMPLE_HISTORY_HISTORY_CHANGE_REASON_USE_TEXT_FIELD = True  # people give reasons in sentences

# So much must be free where the files lie, or the site is not ready; 0: nobody looks.
DISK_FREE_MINIMUM_MB = env.integer("DISK_FREE_MINIMUM_MB", 500, least=0, most=1_000_000)

PYLANTIR_ADMIN_PASSWORD = env.text("PYLANTIR_ADMIN_PASSWORD")
PYLANTIR_UID_ROOT = env.uid_root("PYLANTIR_UID_ROOT")

# The AE title of the DICOM server: what it is called, and what it calls itself to devices and in health.
MWL_AETITLE = env.ae_title("MWL_AETITLE", "MWL_SERVER")
MWL_ADDRESS = env.address("MWL_ADDRESS")  # where /health/ready finds the DICOM server
# TCP balancers that say whose connection they pass on: rules by address mean the scanner's then.
MWL_PROXY_PROTOCOL = env.networks("MWL_PROXY_PROTOCOL")
MWL_ADDRESS_TLS = env.boolean("MWL_ADDRESS_TLS", default=False)  # it is then only connected to
MWL_REQUIRE_CALLED_AETITLE = env.boolean("MWL_REQUIRE_CALLED_AETITLE", default=False)
MWL_MAXIMUM_ASSOCIATIONS = env.integer("MWL_MAXIMUM_ASSOCIATIONS", 100, least=1, most=1000)
MWL_MAXIMUM_ANSWERS = env.integer("MWL_MAXIMUM_ANSWERS", 0, least=0, most=1_000_000)  # 0: no limit
MWL_OVER_MAXIMUM = env.choice("MWL_OVER_MAXIMUM", "truncate", ("truncate", "refuse"))
MWL_NETWORK_TIMEOUT = env.integer("MWL_NETWORK_TIMEOUT", 60, least=1, most=3600)  # seconds

# Where audit messages go (PS3.15 A.5); None: nowhere.
ATNA = atna.settings(source_id=MWL_AETITLE)

DEVICE_ACTIVITY_KEPT_DAYS = env.integer("DEVICE_ACTIVITY_KEPT_DAYS", 90, least=0, most=36_500)  # 0: not kept

MPPS_STRICTNESS = env.choice("MPPS_STRICTNESS", "lenient", ("lenient", "strict"))
MPPS_DISCONTINUED = env.choice("MPPS_DISCONTINUED", "discontinued", ("discontinued", "scheduled"))
ATTENTION_INTERVAL = env.integer("ATTENTION_INTERVAL", 60, least=0, most=86_400)  # seconds; 0: not here
# By so much a weight at the scanner may differ before a person is told, for consoles round.
MPPS_WEIGHT_TOLERANCE_KG = env.decimal("MPPS_WEIGHT_TOLERANCE_KG", "0.5", least="0", most="100")
MPPS_STALE_HOURS = env.integer("MPPS_STALE_HOURS", 12, least=1, most=8760)

# The worker that pulls from sources. A task that fails is not tried again: the next pull is due soon enough.
# `retry` lies over `timeout`, or a long task would run twice.
WORKERS = env.integer("WORKERS", 1, least=1, most=64)  # a source that hangs keeps one of them busy
# A worker that gives no sign of life for so long is killed, and replaced.
WORKER_STUCK_SECONDS = env.integer("WORKER_STUCK_SECONDS", 60, least=5, most=3600)
Q_CLUSTER = {
    "name": "pylantir",
    "label": "Background work",
    "workers": WORKERS,
    "timeout": 3600,
    "retry": 3700,
    "ack_failures": True,
    "catch_up": False,
    "poll": 1.0,
    "save_limit": 200,
    "recycle": 200,
    **env.broker("REDIS_URL"),
}
# How large an answer of a source may be, as it came and inflated, and how many rows and columns it may have.
SOURCE_ANSWER_MEGABYTES = env.integer("SOURCE_ANSWER_MEGABYTES", 64, least=1, most=4096)
SOURCE_ANSWER_ROWS = env.integer("SOURCE_ANSWER_ROWS", 1_000_000, least=1000, most=100_000_000)
SOURCE_ANSWER_COLUMNS = env.integer("SOURCE_ANSWER_COLUMNS", 10_000, least=100, most=1_000_000)
# What of this machine a source may name: whoever edits one chooses where its token is sent.
SOURCE_TOKEN_VARIABLES = env.prefixes("SOURCE_TOKEN_VARIABLES", ("REDCAP_", "CALPENDO_", "PYLANTIR_TOKEN_"))
SOURCE_FILES_FOLDER = env.folder("SOURCE_FILES_FOLDER")
# Tables are uploaded, or watched below this folder; a file may be so large.
SOURCE_TABLES_FOLDER = env.folder("SOURCE_TABLES_FOLDER")
SOURCE_TABLE_MEGABYTES = env.integer("SOURCE_TABLE_MEGABYTES", 16, least=1, most=32)
# Days after which it is forgotten what an archive answered.
ARCHIVE_ANSWERS_KEPT_DAYS = env.integer("ARCHIVE_ANSWERS_KEPT_DAYS", 730, least=30, most=36_500)
SYNC_RUNS_KEPT_DAYS = env.integer("SYNC_RUNS_KEPT_DAYS", 90, least=1, most=3650)

# Seconds between two additions of what a process has counted to what all have; 0: it is not kept.
METRICS_INTERVAL = env.integer("METRICS_INTERVAL", 10, least=0, most=60)
METRICS_TOKEN = env.text("METRICS_TOKEN")  # empty: /metrics answers this machine alone

# Where links of notices lead: nothing that is sent knows under which name browsers reach the admin.
PUBLIC_URL = env.public_url("PUBLIC_URL")
NOTICES_KEPT_DAYS = env.integer("NOTICES_KEPT_DAYS", 90, least=1, most=3650)
EMAIL_HOST = env.text("EMAIL_HOST")  # without one no mail is sent
EMAIL_PORT = env.integer("EMAIL_PORT", 25, least=1, most=65_535)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env.boolean("EMAIL_USE_TLS", default=False)
EMAIL_USE_SSL = env.boolean("EMAIL_USE_SSL", default=False)
if EMAIL_USE_TLS and EMAIL_USE_SSL:
    raise ImproperlyConfigured("EMAIL_USE_TLS and EMAIL_USE_SSL are both set: keep one of them.")
EMAIL_TIMEOUT = 10  # seconds, for each answer of the mail server
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Pylantir <pylantir@localhost>")

LOG_FORMAT = env.choice("LOG_FORMAT", "text", log_lines.FORMATS)
LOGGING_CONFIG = "pylantir_site.environment.log_lines.configure"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": log_lines.FORMATTERS[LOG_FORMAT]}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["each once", "refused"],
        }
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "filters": {
        "each once": {"()": log_lines.EachOnce},
        "paths": {"()": "pylantir_site.rest.logs.WithoutWhatWasTyped"},
        "refused": {"()": "pylantir_site.rest.logs.OneLineEach"},
        "faults": {"()": "pylantir_site.database.fault_log.WithoutFaults"},
        "faults in words": {"()": "pylantir_site.database.fault_log.FaultsInWords"},
    },
    "loggers": {
        # Their INFO and DEBUG lines hold identifiers, and so participants.
        **{name: {"level": "WARNING"} for name in ("pynetdicom", "py.warnings")},
        # Two lines for every task, and every half minute has one.
        "django-q": {"level": "WARNING", "filters": ["faults in words"]},
        # It logs the path of what was refused.
        "django.request": {"filters": ["paths", "faults"]},
        "django.security.csrf": {"filters": ["paths"]},
    },
}
