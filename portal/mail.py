"""Letters: written in the transaction of what they tell, sent by the worker, each one once."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone

from portal.models import Cruise, Letter

ATTEMPTS = 8


def write(*, to: str, subject: str, body: str, key: str, cruise: Cruise | None = None) -> Letter:
    """Writes a letter down; one with the same key is not written again."""
    letter, _ = Letter.objects.get_or_create(
        key=key[:120],
        defaults={"to": to, "subject": " ".join(subject.split())[:200], "body": body, "cruise": cruise},
    )
    return letter


def written(key: str) -> bool:
    """Whether a letter with this key exists."""
    return Letter.objects.filter(key=key[:120]).exists()


def waiting() -> list[str]:
    """Letters to be sent: a failed one waits longer after each attempt, and is given up after ATTEMPTS."""
    now = timezone.now()
    letters = Letter.objects.filter(sent_at__isnull=True, attempts__lt=ATTEMPTS)
    return [
        str(letter.pk)
        for letter in letters.order_by("pk")[:500]
        if letter.written_at + dt.timedelta(minutes=2**letter.attempts - 1) <= now
    ]


def send(key: str) -> None:
    """Sends one letter. A server that refuses is noted on the letter and tried again later."""
    letter = Letter.objects.get(pk=key)
    if letter.sent_at:
        return
    domain = settings.DEFAULT_FROM_EMAIL.rstrip(">").rpartition("@")[2]
    # The same letter has the same id, so that a mail server can drop it should it come twice.
    message = EmailMessage(
        letter.subject, letter.body, to=[letter.to], headers={"Message-ID": f"<letter-{letter.pk}@{domain}>"}
    )
    try:
        message.send()
        outcome: dict[str, object] = {"sent_at": timezone.now(), "error": ""}
    except OSError as error:  # smtplib's own exceptions are OSErrors too
        outcome = {"error": f"{type(error).__name__}: {error}"[:1000]}
    with transaction.atomic():
        Letter.objects.filter(pk=letter.pk).update(attempts=letter.attempts + 1, **outcome)
