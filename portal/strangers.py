"""Whether a request comes from somebody we know, asked before its body is taken in."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.db import close_old_connections
from django.utils import timezone

from portal import tokens


def known(headers: dict[bytes, bytes]) -> bool:
    """Whether these headers carry the session of somebody signed in, or a token in force. What they may do: the view.

    For use outside a request; asks the database.
    """
    try:
        return _token(headers.get(b"authorization", b"")) or _session(headers.get(b"cookie", b""))
    finally:
        close_old_connections()


def _token(header: bytes) -> bool:
    scheme, _, secret = header.decode("latin-1").partition(" ")
    return scheme.lower() == "bearer" and tokens.find(secret.strip(), timezone.now()) is not None


def _session(header: bytes) -> bool:
    cookies: SimpleCookie = SimpleCookie()
    try:
        cookies.load(header.decode("latin-1"))
    except CookieError:
        return False
    cookie = cookies.get(settings.SESSION_COOKIE_NAME)
    if cookie is None:
        return False
    session: Any = import_module(settings.SESSION_ENGINE).SessionStore(cookie.value)
    return SESSION_KEY in session
