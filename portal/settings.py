"""The one settings file: everything comes from the environment, and nonsense stops the start.

`docs/settings.md` lists every variable; `portal.checks` holds the checks that need more than one of them.
"""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from urllib.parse import unquote, urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from portal import logs
from portal.environment import Environment, Misconfigured

env = Environment(os.environ)
BASE_DIR = Path(__file__).resolve().parent.parent


def _own_secret(path: Path) -> str:
    """A secret of this installation, made once; for the demonstration on one machine only."""
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(48))
        return path.read_text(encoding="ascii")


def _database(url: str, home: Path) -> dict[str, object]:
    """The database of a URL: spatialite:///absolute/path or postgis://user:password@host:port/name."""
    scheme = url.partition(":")[0]
    if scheme not in ("spatialite", "postgis", "postgres", "postgresql"):
        raise Misconfigured(f"DATABASE_URL begins with {scheme!r}; write spatialite:///… or postgis://…")
    if scheme == "spatialite":
        name = unquote(urlsplit(url).path) or str(home / "leadline.sqlite3")
        return {
            "ENGINE": "portal.spatialite",
            "NAME": name,
            "TEST": {"NAME": ":memory:"},
            "OPTIONS": {
                "timeout": 20,
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            },
        }
    try:
        found = dict(dj_database_url.parse(url.replace(scheme, "postgis", 1), conn_max_age=60))
    except ValueError as error:
        raise Misconfigured(f"DATABASE_URL: {error}") from error
    return found | {"CONN_HEALTH_CHECKS": True}


def _mail(url: str, home: Path) -> dict[str, object]:
    """Django's mail settings of a URL: smtp://user:password@host:port, smtps://…, or file:///folder."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return {
            "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
            "EMAIL_FILE_PATH": parts.path or str(home / "mail"),
        }
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise Misconfigured("EMAIL_URL must be smtp://host:port, smtps://host:port or file:///folder")
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or (465 if parts.scheme == "smtps" else 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_TIMEOUT": 30,
    }


def _queue_socket(home: Path) -> str:
    """Where the embedded queue listens: a socket file, never a port. Names over 100 bytes do not fit a socket."""
    socket = home / "queue" / "valkey.sock"
    if len(str(socket)) <= 100:
        return f"unix://{socket}"
    return f"unix:///tmp/leadline-{os.getuid()}-{abs(hash_name(str(home))):x}/valkey.sock"


def _storage(name: str, unset: str) -> str:
    """Where copies are kept: local:/absolute/path, rclone:remote:bucket/path, or off. It has no credentials in it."""
    address = env.text(name, unset)
    if (
        not re.match(r"(off|local:/.*|rclone:[A-Za-z0-9_]+:/?[A-Za-z0-9][A-Za-z0-9._/-]*)\Z", address)
        or "/.." in address
    ):
        raise Misconfigured(
            f"{name} is {address!r}; write local:/absolute/path, rclone:remote:bucket/path (letters, digits, . _ - /; "
            "the remote is told by RCLONE_CONFIG_REMOTE_TYPE and its fellows), or off"
        )
    return address


def hash_name(text: str) -> int:
    """A stable number for a text (Python's own hash changes from process to process)."""
    import zlib

    return zlib.crc32(text.encode())


try:
    MODE = env.choice("LEADLINE_MODE", "demonstration", ("demonstration", "production", "test"))
    SITE = env.choice("SITE", "all", ("all", "ship", "shore"))
    HOME = Path(env.text("LEADLINE_HOME", str(BASE_DIR / "var"))).expanduser().resolve()
    PORT = env.number("PORT", 8000, least=1, most=65535)
    SITE_URL = env.text("LEADLINE_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
    _address = urlsplit(SITE_URL)
    if _address.scheme not in ("http", "https") or not _address.hostname or _address.path:
        raise Misconfigured(f"LEADLINE_URL is {SITE_URL!r}; write the address alone, as in https://leadline.example")

    SECRET_KEY = env.text("SECRET_KEY")
    if not SECRET_KEY and MODE != "production":
        SECRET_KEY = _own_secret(HOME / "secret-key")
    if not SECRET_KEY:
        raise Misconfigured("SECRET_KEY (or SECRET_KEY_FILE) is not set; production needs a long random text")

    DATABASES = {"default": _database(env.text("DATABASE_URL", "spatialite://"), HOME)}
    _pool = env.number("DATABASE_POOL", 20, least=0, most=500)
    DATABASE_POOL = {"min_size": min(2, _pool), "max_size": _pool, "timeout": 10.0, "max_idle": 120.0}
    if not _pool or DATABASES["default"]["ENGINE"] == "portal.spatialite":
        DATABASE_POOL = {}
    EMBEDDED_QUEUE = not env.text("REDIS_URL")
    REDIS_URL = env.text("REDIS_URL") or _queue_socket(HOME)
    for _name, _value in _mail(env.text("EMAIL_URL", f"file://{HOME}/mail"), HOME).items():
        globals()[_name] = _value
    DEFAULT_FROM_EMAIL = env.text("LEADLINE_MAIL_FROM", f"Leadline <leadline@{_address.hostname}>")

    REPOSITORY_NAME = env.text("LEADLINE_REPOSITORY_NAME", "Leadline")
    REPOSITORY_CONTACT = env.text("LEADLINE_CONTACT", "data@leadline.example")
    SIGNUP = env.choice("LEADLINE_SIGNUP", "invited", ("invited", "open"))
    DELIVERY_ROOTS = [Path(name).resolve() for name in env.names("LEADLINE_DELIVERIES", str(HOME / "deliveries"))]
    _drop = env.text("LEADLINE_DROP", str(HOME / "drop") if MODE == "demonstration" else "off")
    if _drop != "off" and not _drop.startswith("/"):
        raise Misconfigured(f"LEADLINE_DROP is {_drop!r}; write /absolute/path, or off")
    DROP_FOLDER = None if _drop == "off" else Path(_drop).resolve()
    DROP_QUIET = env.number("LEADLINE_DROP_QUIET", 30, least=1, most=7 * 24 * 60)
    UPLOAD_BYTES = env.number("LEADLINE_UPLOAD_MB", 20_000, least=1, most=10_000_000) * 1_000_000
    ATTACHMENT_BYTES = env.number("LEADLINE_ATTACHMENT_MB", 50, least=1, most=2000) * 1_000_000
    WATCH_ROOTS = [Path(name) for name in env.names("LEADLINE_WATCH")]
    DEEP_STORAGE = _storage("LEADLINE_DEEP_STORAGE", "off" if MODE == "test" else f"local:{HOME / 'deep-storage'}")
    PERMANENT_ARCHIVE = _storage("LEADLINE_PERMANENT_ARCHIVE", "off")
    if DEEP_STORAGE == PERMANENT_ARCHIVE != "off":
        raise Misconfigured("LEADLINE_PERMANENT_ARCHIVE is the same place as LEADLINE_DEEP_STORAGE; name another")
    FIXITY_DAYS = env.number("LEADLINE_FIXITY_DAYS", 90, least=1, most=3660)
    STAGING = Path(env.text("LEADLINE_STAGING", str(HOME / "staging"))).resolve()

    REGISTRAR_URL = env.text("REGISTRAR_URL")
    REGISTRAR_PORT = env.number("REGISTRAR_PORT", min(PORT + 1, 65535), least=1, most=65535)
    LOCAL_REGISTRAR = not REGISTRAR_URL
    REGISTRAR_URL = (REGISTRAR_URL or f"http://127.0.0.1:{REGISTRAR_PORT}").rstrip("/")
    REGISTRAR_USER = env.text("REGISTRAR_USER", "LOCAL.TEST" if LOCAL_REGISTRAR else "")
    REGISTRAR_PASSWORD = env.text("REGISTRAR_PASSWORD", SECRET_KEY[:24] if LOCAL_REGISTRAR else "")
    DOI_PREFIX = env.text("DOI_PREFIX", "10.5072")

    ORCID_CLIENT_ID = env.text("ORCID_CLIENT_ID")
    ORCID_CLIENT_SECRET = env.text("ORCID_CLIENT_SECRET")
    ORCID_DOMAIN = env.choice("ORCID_DOMAIN", "orcid.org", ("orcid.org", "sandbox.orcid.org"))

    _log_format = env.choice("LOG_FORMAT", "json" if MODE == "production" else "text", ("json", "text"))
    _log_level = env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
    ALLOWED_HOSTS = sorted({_address.hostname, *env.names("LEADLINE_HOSTS")})
    if MODE != "production":
        ALLOWED_HOSTS += ["localhost", "127.0.0.1", "[::1]", "testserver"]
    TRUST_PROXY = env.flag("LEADLINE_TRUST_PROXY", default=False)
    env.known |= {"LEADLINE_TEST_HOME", "LEADLINE_SHARED"}  # read by the tests
    UNKNOWN_VARIABLES = env.unknown("LEADLINE_")
except Misconfigured as error:
    raise ImproperlyConfigured(str(error)) from error

DEBUG = False
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
ASGI_APPLICATION = "portal.asgi.application"
FORMAT_MODULE_PATH = "portal.formats"

FLOORS = ["portal", "eventlog"] if SITE == "ship" else ["portal", "eventlog", "inventory", "publishing"]
INSTALLED_APPS = [
    *FLOORS,
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.orcid",
    "rest_framework",
    "django_filters",
    "django_rq",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.gis",
    "django.contrib.humanize",
    "django.forms",
]
MIDDLEWARE = [
    "portal.middleware.request_id",
    "django.middleware.security.SecurityMiddleware",
    "portal.middleware.content_security",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "portal.errors.RefusalMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.frame.frame",
            ],
            "builtins": ["portal.templatetags.leadline"],
        },
    }
]
FORM_RENDERER = "portal.forms.renderer.Renderer"

# --- people ---------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "portal.Person"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
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
if MODE == "test":  # tests make thousands of accounts
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "portal.accounts.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = _address.scheme
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = REPOSITORY_NAME
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_PROVIDERS = {
    "orcid": {
        "BASE_DOMAIN": ORCID_DOMAIN,
        "MEMBER_API": False,
        "APPS": ([{"client_id": ORCID_CLIENT_ID, "secret": ORCID_CLIENT_SECRET, "key": ""}] if ORCID_CLIENT_ID else []),
    }
}

# --- safety ---------------------------------------------------------------------------------------------------
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _address.scheme == "https"
CSRF_TRUSTED_ORIGINS = [SITE_URL]
if _address.scheme == "https":
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_SSL_REDIRECT = not TRUST_PROXY
if TRUST_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "media-src 'self' blob:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "manifest-src 'self'; worker-src 'self'"
)

# --- files, queue, cache, mail ----------------------------------------------------------------------------------
BUILD = BASE_DIR / "build"
STATIC_URL = "/static/"
STATIC_ROOT = BUILD / "static"
STATICFILES_DIRS = [BUILD / "assets"] if (BUILD / "assets").is_dir() else []
MEDIA_ROOT = HOME / "files"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage" if MODE == "test" else "portal.assets.HashedModules"
        )
    },
}
RQ_QUEUES = {name: {"URL": REDIS_URL, "DEFAULT_TIMEOUT": 24 * 3600} for name in ("quick", "long")}
CACHES: dict[str, dict[str, object]] = {
    "default": (
        {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
        if EMBEDDED_QUEUE
        else {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": "leadline",
        }
    )
}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "portal.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["portal.authentication.Named"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "portal.authentication.AlwaysJson",
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "EXCEPTION_HANDLER": "portal.errors.api_exception",
    "DEFAULT_PAGINATION_CLASS": "portal.authentication.Pages",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "PAGE_SIZE": 100,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "DEFAULT_SCHEMA_CLASS": "portal.openapi.Schema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": REPOSITORY_NAME,
    "DESCRIPTION": "From sailing orders to archived, citable data. Errors are problem documents (RFC 9457).",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVERS": [{"url": SITE_URL}],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "LICENSE": {"name": "BSD-3-Clause", "identifier": "BSD-3-Clause"},
}

# GDAL 3.6 of Debian 12 is older than Django 5.2 likes; what we use of it (GeoJSON, WKB, distances) is not concerned.
SILENCED_SYSTEM_CHECKS = ["gis.W001"]
LOGGING = logs.configuration(form=_log_format, level=_log_level)
