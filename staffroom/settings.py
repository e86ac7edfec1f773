"""The options as Django settings: one module for every place. What can differ between places is an option."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.utils.csp import CSP

from staffroom import logs, options
from staffroom.people import sign_in

PACKAGE = Path(__file__).resolve().parent
DATA = options.data_folder()
DEBUG = options.get("debug")
SECRET_KEY = options.secret()
SITE_URL = (options.get("site_url") or f"http://localhost:{options.get('port')}").rstrip("/")
_site = urlsplit(SITE_URL)
IS_HTTPS = _site.scheme == "https"
ALLOWED_HOSTS = [_site.hostname or "localhost", *options.get("allowed_hosts")]
if not IS_HTTPS and _site.hostname == "localhost":
    ALLOWED_HOSTS += ["127.0.0.1", "[::1]"]
CSRF_TRUSTED_ORIGINS = [SITE_URL]

ROOMS = [
    "staffroom.home",
    "staffroom.knowing.impact",
    "staffroom.seeing.lessons",
    "staffroom.conversations",
    "staffroom.frameworks",
    "staffroom.exchange",
    "staffroom.records",
    "staffroom.files",
    "staffroom.jobs",
    "staffroom.permissions",
    "staffroom.people",
    "staffroom.ui",
]
INSTALLED_APPS = [
    *ROOMS,
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_tasks_db",
    "django_htmx",
    "django_vite",
    "ninja",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    *(["allauth.socialaccount.providers.openid_connect"] if options.get("oidc") else []),
    *(["allauth.socialaccount.providers.saml"] if options.get("saml") else []),
]
MIDDLEWARE = [
    "staffroom.entrance.request_log",
    "staffroom.entrance.tools_door",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "staffroom.ui.middleware.htmx_redirects",
    "staffroom.ui.middleware.ended_sessions",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "staffroom.entrance.rate_limit",
    "django.contrib.messages.middleware.MessageMiddleware",
    "staffroom.ui.middleware.addresses_of_forms",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "staffroom.people.second_factor.require_second_factor",
    "django_htmx.middleware.HtmxMiddleware",
]
FORM_RENDERER = "staffroom.ui.forms.Renderer"
ROOT_URLCONF = "staffroom.urls"
ASGI_APPLICATION = "staffroom.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["staffroom.ui.templatetags.quick"],
            "libraries": {"i18n": "staffroom.ui.templatetags.said"},
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "django.template.context_processors.csp",
            ],
        },
    }
]


def _database(url: str) -> dict[str, Any]:
    """Django's words for a database address; empty means SQLite in the data folder."""
    parts = urlsplit(url)
    if parts.scheme in ("postgres", "postgresql"):
        return {
            "ENGINE": "staffroom.people.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": parts.hostname or "",
            "PORT": str(parts.port or ""),
            "CONN_MAX_AGE": 600,
            "CONN_HEALTH_CHECKS": True,
        }
    if url and parts.scheme != "sqlite":
        raise options.BadOption(f"database_url: {parts.scheme}:// is not known; use sqlite:/// or postgres://")
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": unquote(parts.path[1:]) if url else DATA / "staffroom.sqlite3",
        # Threads of one process each keep their connection: two to three times faster reads.
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # FULL: what was answered survives a power cut, too; NORMAL may lose the last transactions (never the file). A checkpoint
            # every 32 MB: a page that many transactions change is copied from the log into the file once.
            # What is deleted is overwritten, whatever the library's own default: erased is erased.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA secure_delete=ON; "
            "PRAGMA wal_autocheckpoint=8000; PRAGMA cache_size=-8000; PRAGMA mmap_size=134217728; PRAGMA temp_store=MEMORY;",
        },
    }


DATABASES = {"default": _database(options.get("database_url"))}
REDIS_URL = options.get("redis_url")
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "staffroom.people.shared_cache.SharedCache",
        "LOCATION": REDIS_URL,
    }
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}
CHANNEL_LAYERS: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL]},
    }
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
}


def _storage(url: str) -> dict[str, Any]:
    """Where files lie: an S3 bucket by address, or the data folder."""
    if not url:
        return {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": DATA / "files"},
        }
    parts = urlsplit(url)
    if parts.scheme not in ("s3", "s3+http"):
        raise options.BadOption(f"files_url: {parts.scheme}:// is not known; use s3:// or s3+http://")
    host = f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "access_key": unquote(parts.username or ""),
            "secret_key": unquote(parts.password or ""),
            "bucket_name": parts.path.strip("/"),
            "endpoint_url": f"{'http' if parts.scheme == 's3+http' else 'https'}://{host}",
            "addressing_style": "path",
            "file_overwrite": False,
            "default_acl": None,
        },
    }


STORAGES: dict[str, dict[str, Any]] = {
    "default": _storage(options.get("files_url")),
    # Names with hashes, and compressed: once `staffroom start` has collected them. Until then as they lie in the package.
    "staticfiles": {
        "BACKEND": "staffroom.ui.collecting.Collected"
        if not DEBUG and ("STAFFROOM_COLLECTING" in os.environ or (DATA / "static" / "staticfiles.json").exists())
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
STATIC_URL = "/static/"
STATIC_ROOT = DATA / "static"
DJANGO_VITE = {
    "default": {
        "dev_mode": False,
        "static_url_prefix": "ui/built",
        "manifest_path": PACKAGE / "ui" / "static" / "ui" / "built" / "manifest.json",
    }
}

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": []}}
LEASE_S = options.get("lease_s")


def _mailer(url: str) -> dict[str, Any]:
    """How mail leaves: by SMTP, or into a folder where a host can read it."""
    if not url:
        return {
            "BACKEND": "django.core.mail.backends.filebased.EmailBackend",
            "OPTIONS": {"file_path": str(DATA / "mail")},
        }
    parts = urlsplit(url)
    return {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "OPTIONS": {
            "host": parts.hostname,
            "port": parts.port or 587,
            "username": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "use_tls": parts.scheme == "smtp",
            "use_ssl": parts.scheme == "smtps",
        },
    }


MAILERS = {"default": _mailer(options.get("email_url"))}
DEFAULT_FROM_EMAIL = SERVER_EMAIL = options.get("email_from")

AUTH_USER_MODEL = "people.Person"
AUTHENTICATION_BACKENDS = ["staffroom.people.sessions.Accounts"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_ADAPTER = "staffroom.people.adapter.AccountAdapter"
ACCOUNT_SIGNUP_FORM_CLASS = "staffroom.people.forms.NameForm"
ACCOUNT_FORMS = {
    "login": "staffroom.people.account_forms.SignInForm",
    "add_email": "staffroom.people.account_forms.AddressForm",
    "change_password": "staffroom.people.account_forms.ChangePasswordForm",
    "set_password": "staffroom.people.account_forms.SetPasswordForm",
    "reset_password": "staffroom.people.account_forms.ForgottenPasswordForm",
    "reset_password_from_key": "staffroom.people.account_forms.NewPasswordForm",
    "reauthenticate": "staffroom.people.account_forms.ConfirmForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_CHANGE_EMAIL = True  # one address each: it is replaced once the new one is confirmed
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if IS_HTTPS else "http"
ALLAUTH_TRUSTED_PROXY_COUNT = options.get("trusted_proxies")
MFA_ADAPTER = "staffroom.people.adapter.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "staffroom.people.account_forms.SecondFactorForm",
    "reauthenticate": "staffroom.people.account_forms.ConfirmSecondFactorForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Staffroom"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not IS_HTTPS
SECOND_FACTOR_REQUIRED = options.get("mfa_required")
OPEN_SIGN_UP = options.get("open_sign_up")
INVITATION_DAYS = options.get("invitation_days")
SOCIALACCOUNT_ADAPTER = "staffroom.people.adapter.OutsideSignInAdapter"
# A link, not a form: `form-action` below forbids a form that ends at another site.
SOCIALACCOUNT_LOGIN_ON_GET = True
# Whoever a district's own sign-in service names by a verified address is the person with that address here.
SOCIALACCOUNT_EMAIL_AUTHENTICATION = SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_PROVIDERS = sign_in.providers(options.get("oidc"), options.get("saml"))

LANGUAGE_CODE = options.get("language")
# Only what pages are written in: else a browser that asks for German would get German dates and errors within English text, all of
# it read aloud as German.
LANGUAGES = list({LANGUAGE_CODE: LANGUAGE_CODE, "en": "English"}.items())
TIME_ZONE = options.get("time_zone")
USE_I18N = USE_TZ = True
# Whole numbers in templates are grouped: 9,000. In addresses and attributes, `stringformat` keeps them as they are.
USE_THOUSAND_SEPARATOR = True

SESSION_ENGINE = "staffroom.people.sessions"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31536000 if IS_HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if options.get("trusted_proxies") else None
X_FRAME_OPTIONS = "DENY"
SECURE_CSP = {
    "default-src": [CSP.SELF],
    "script-src": [CSP.SELF, CSP.NONCE],
    "style-src": [CSP.SELF, CSP.NONCE],
    "img-src": [CSP.SELF, "data:", "blob:"],
    "media-src": [CSP.SELF, "blob:"],
    "connect-src": [CSP.SELF],
    "font-src": [CSP.SELF],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
}
WEB_THREADS = options.get("web_threads")
TRUSTED_PROXIES = options.get("trusted_proxies")
IS_BEHIND_PROXY = TRUSTED_PROXIES > 0
_rates = {"api": options.get("api_per_minute"), "uploads": options.get("uploads_per_minute")}
RATE_LIMITS = {kind: rate for kind, rate in _rates.items() if rate > 0}
LOGGING = logs.configuration(options.get("log_format"), is_debug=DEBUG)
FORWARD_TO_PRIVATE = options.get("forward_to_private")
UPLOAD_MAX_BYTES = options.get("upload_max_gb") * 1024**3
QUOTA_BYTES = options.get("quota_gb") * 1024**3
UPLOAD_DAYS = options.get("upload_days")
MEDIA_S = options.get("media_minutes") * 60
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
