"""System checks that refuse settings which make no sense together."""

from __future__ import annotations

import os
import shutil
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from portal.demo.people import ACCOUNTS, PASSWORD


@register(Tags.security)
def production(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Production is reached over https, has a long secret, its own contact, and no demonstration accounts' domain."""
    if settings.MODE != "production":
        return []
    found: list[CheckMessage] = []
    if len(settings.SECRET_KEY) < 40:
        found.append(Error("SECRET_KEY has fewer than 40 characters.", id="leadline.E001"))
    if not settings.SITE_URL.startswith("https://"):
        found.append(
            Warning("LEADLINE_URL is not https: passwords and tokens would travel in clear.", id="leadline.W001")
        )
    if settings.REPOSITORY_CONTACT.endswith(".example"):
        found.append(Error("LEADLINE_CONTACT is not set; harvesters need an address.", id="leadline.E002"))
    if f"local:{settings.HOME / 'deep-storage'}" == settings.DEEP_STORAGE and settings.SITE != "ship":
        found.append(
            Warning("LEADLINE_DEEP_STORAGE is not set: copies lie on the disk of LEADLINE_HOME.", id="leadline.W003")
        )
    if settings.LOCAL_REGISTRAR and settings.SITE != "ship":
        found.append(Warning("REGISTRAR_URL is not set: identifiers come from the test registrar.", id="leadline.W002"))
    return found


@register(Tags.files)
def storages(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A storage behind rclone needs the program, and its remote told in the environment."""
    found: list[CheckMessage] = []
    for name in ("LEADLINE_DEEP_STORAGE", "LEADLINE_PERMANENT_ARCHIVE"):
        kind, _, where = str(getattr(settings, name.removeprefix("LEADLINE_"))).partition(":")
        if kind != "rclone":
            continue
        if not shutil.which("rclone"):
            found.append(Warning(f"{name} needs rclone, which is not installed.", id="leadline.W004"))
        variable = f"RCLONE_CONFIG_{where.partition(':')[0].upper()}_TYPE"
        if variable not in os.environ:
            found.append(Warning(f"{name} names a remote of rclone, and {variable} is not set.", id="leadline.W005"))
    return found


@register(Tags.security)
def registrar(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A real registrar needs credentials and a prefix that is not the test one."""
    if settings.LOCAL_REGISTRAR:
        return []
    found: list[CheckMessage] = []
    if not (settings.REGISTRAR_USER and settings.REGISTRAR_PASSWORD):
        found.append(Error("REGISTRAR_USER and REGISTRAR_PASSWORD are needed with REGISTRAR_URL.", id="leadline.E003"))
    if not settings.DOI_PREFIX.startswith("10."):
        found.append(Error(f"DOI_PREFIX is {settings.DOI_PREFIX!r}; it begins with 10.", id="leadline.E004"))
    return found


@register(Tags.compatibility)
def spelling(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A LEADLINE_ variable that nothing reads is most likely a typing error."""
    return [
        Error(f"{name} is not a setting of Leadline.", hint="See docs/settings.md.", id="leadline.E005")
        for name in settings.UNKNOWN_VARIABLES
    ]


@register(Tags.files)
def home(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """All state lives in LEADLINE_HOME: it must be possible to write there."""
    try:
        settings.HOME.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return [Error(f"LEADLINE_HOME {settings.HOME} cannot be made: {error.strerror}", id="leadline.E006")]
    if not os.access(settings.HOME, os.W_OK):
        return [Error(f"LEADLINE_HOME {settings.HOME} is not writable.", id="leadline.E006")]
    return []


@register(Tags.files)
def drop_folder(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The drop folder can be listed, and holds none of what we write ourselves."""
    drop = settings.DROP_FOLDER
    if drop is None or settings.SITE == "ship":
        return []
    found: list[CheckMessage] = []
    if drop == settings.HOME or drop in settings.HOME.parents:
        found.append(Error(f"LEADLINE_DROP {drop} holds LEADLINE_HOME.", hint="Watch another.", id="leadline.E009"))
    try:
        if drop == settings.HOME / "drop":
            drop.mkdir(parents=True, exist_ok=True)
        with os.scandir(drop) as listing:
            next(listing, None)
    except OSError as error:
        hint = "Make it and let the account of Leadline list it, or set LEADLINE_DROP=off."
        found.append(Error(f"LEADLINE_DROP {drop} cannot be read: {error.strerror}", hint=hint, id="leadline.E008"))
    return found


@register(Tags.database)
def demonstration_accounts(app_configs: Any, databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Production refuses to start on a database in which a demonstration account still opens."""
    if settings.MODE != "production" or not databases:
        return []
    from portal.models import Person

    addresses = [account.email for account in ACCOUNTS]
    open_ones = [
        person.email
        for person in Person.objects.filter(email__in=addresses, is_active=True)
        if person.check_password(PASSWORD)
    ]
    if not open_ones:
        return []
    return [
        Error(
            f"Demonstration accounts are open to anybody who read the manual: {', '.join(open_ones)}.",
            hint="Start production on a database of its own, or deactivate these accounts.",
            id="leadline.E007",
        )
    ]
