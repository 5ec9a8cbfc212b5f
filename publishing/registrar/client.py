"""Client of the DataCite REST API (JSON:API, https://support.datacite.org/reference)."""

from __future__ import annotations

from typing import Any

import requests
from django.conf import settings

from portal.refusals import Fault, NotLikeThis, NotNow

MEDIA_TYPE = "application/vnd.api+json"
TIMEOUT = (5, 30)  # seconds to connect, to answer


class Registrar:
    """One registrar: address and account."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url, self.auth = url.rstrip("/"), (user, password)

    @classmethod
    def from_settings(cls) -> Registrar:
        """The registrar of the settings: DataCite, its test system, or the local one."""
        return cls(settings.REGISTRAR_URL, settings.REGISTRAR_USER, settings.REGISTRAR_PASSWORD)

    def put(self, doi: str, attributes: dict[str, Any]) -> None:
        """Registers a DOI as findable, or updates it: the same call twice is the same thing.

        Raises NotNow when the registrar cannot be reached or is busy, NotLikeThis with its words when it refuses.
        """
        body = {"data": {"id": doi, "type": "dois", "attributes": {**attributes, "doi": doi, "event": "publish"}}}
        answer = self._send("PUT", f"/dois/{doi}", body)
        if answer.status_code == 404:  # a registrar that creates by POST alone
            answer = self._send("POST", "/dois", body)
        if answer.status_code in (429, 500, 502, 503, 504):
            raise NotNow(f"The registrar answers {answer.status_code}; it will be asked again.")
        if answer.status_code not in (200, 201):
            raise NotLikeThis(f"The registrar refuses {doi} ({answer.status_code}).", _faults(answer))

    def get(self, doi: str) -> dict[str, Any] | None:
        """The attributes that the registrar holds for a DOI, or None."""
        answer = self._send("GET", f"/dois/{doi}", None)
        if answer.status_code == 404:
            return None
        found: dict[str, Any] = answer.json()["data"]["attributes"]
        return found

    def _send(self, method: str, path: str, body: dict[str, Any] | None) -> requests.Response:
        try:
            return requests.request(
                method,
                self.url + path,
                json=body,
                auth=self.auth,
                timeout=TIMEOUT,
                allow_redirects=False,
                headers={"Accept": MEDIA_TYPE, **({"Content-Type": MEDIA_TYPE} if body else {})},
            )
        except requests.RequestException as error:
            raise NotNow(f"The registrar at {self.url} cannot be reached: {type(error).__name__}.") from error


def _faults(answer: requests.Response) -> list[Fault]:
    try:
        errors = answer.json().get("errors", [])
    except (ValueError, AttributeError):
        return [Fault("", answer.text[:500])]
    return [Fault(str(e.get("source", "")), str(e.get("title", ""))[:500]) for e in errors if isinstance(e, dict)][:20]
