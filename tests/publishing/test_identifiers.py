"""DOIs: reserved by us, registered with a real (local) registrar, kept up to date, and never twice."""

from __future__ import annotations

import datetime as dt
import json
import socket
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings
from django.utils import timezone

from inventory.models import Dataset
from portal import jobs
from portal.models import Cruise, Work
from portal.refusals import NotLikeThis, NotNow
from publishing import identifiers
from publishing.models import Identifier, Submission
from publishing.registrar.client import Registrar
from tests import make

pytestmark = pytest.mark.django_db
WHOLE: dict[str, Any] = {
    "url": "http://testserver/cruise/X/",
    "titles": [{"title": "X"}],
    "creators": [{"name": "Ships"}],
    "publisher": {"name": "Leadline"},
    "publicationYear": 2026,
    "types": {"resourceTypeGeneral": "Event"},
}


def _told(registrar: str, doi: str) -> dict[str, Any]:
    answer = requests.get(f"{registrar}/dois/{doi}", timeout=5)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()["data"]["attributes"]
    return found


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _later(monkeypatch: pytest.MonkeyPatch, **more: float) -> None:
    now = timezone.now() + dt.timedelta(**more)
    monkeypatch.setattr(timezone, "now", lambda: now)


def test_a_published_cruise_and_its_data_sets_are_registered(home: Path, registrar: str) -> None:
    cruise = make.round_of_review(home / "in", "approved").cruise
    jobs.drain()

    own = Identifier.objects.get(cruise=cruise, dataset=None)
    assert own.doi == f"10.5072/{cruise.cruise_id.lower()}"
    assert set(Identifier.objects.values_list("state", "registrar")) == {("registered", registrar)}
    told = _told(registrar, own.doi)
    assert told["state"] == "findable"
    assert told["types"]["resourceTypeGeneral"] == "Event"
    assert told["url"] == f"http://testserver/cruise/{cruise.cruise_id}/"
    assert told["publicationYear"] == timezone.now().year
    assert told["contributors"][0]["nameIdentifiers"][0]["nameIdentifier"] == "https://orcid.org/0000-0002-1825-0097"
    assert told["fundingReferences"][0]["awardNumber"] == "OCE-1"
    assert told["geoLocations"][0]["geoLocationBox"]["southBoundLatitude"] == pytest.approx(36.0)
    assert "@example.org" not in json.dumps(told)
    parts = {related["relatedIdentifier"] for related in told["relatedIdentifiers"]}
    assert {related["relationType"] for related in told["relatedIdentifiers"]} == {"HasPart"}
    sets = Identifier.objects.filter(cruise=cruise, dataset__isnull=False).select_related("dataset")
    assert parts == {identifier.doi for identifier in sets}
    for identifier in sets:
        assert identifier.dataset is not None
        told = _told(registrar, identifier.doi)
        assert told["state"] == "findable"
        assert told["types"]["resourceTypeGeneral"] == "Dataset"
        assert told["url"].endswith(f"/dataset/{identifier.dataset.uuid}/")
        assert told["relatedIdentifiers"][0]["relationType"] == "IsPartOf"
        assert told["relatedIdentifiers"][0]["relatedIdentifier"] == own.doi
    for attributes in map(identifiers.metadata, Identifier.objects.all()):
        for name in ("doi", "url", "titles", "creators", "publisher", "publicationYear", "types"):
            assert attributes[name], name


def test_the_registrar_resolves_to_the_landing_page(home: Path, registrar: str) -> None:
    cruise = make.round_of_review(home / "in", "approved").cruise
    jobs.drain()

    answer = requests.get(f"{registrar}/10.5072/{cruise.cruise_id}", timeout=5, allow_redirects=False)
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"http://testserver/cruise/{cruise.cruise_id}/"
    assert requests.get(f"{registrar}/10.5072/nothing", timeout=5).status_code == 404


def test_everything_twice_is_one_identifier_each(home: Path, registrar: str) -> None:
    cruise = make.round_of_review(home / "in", "approved").cruise
    jobs.drain()
    before = list(Identifier.objects.order_by("pk").values("doi", "registered_at", "metadata_sha256"))

    assert jobs.drain() == 0
    for key in Identifier.objects.values_list("pk", flat=True):
        assert jobs.perform("publishing.register", str(key))
    assert identifiers.reserve(cruise).doi == before[0]["doi"]
    dataset = Dataset.objects.filter(cruise=cruise)[0]
    assert identifiers.reserve(cruise, dataset) == Identifier.objects.get(dataset=dataset)
    assert list(Identifier.objects.order_by("pk").values("doi", "registered_at", "metadata_sha256")) == before
    assert len(requests.get(f"{registrar}/dois", timeout=5).json()["data"]) == 5


def test_the_same_put_twice_is_the_same_thing(registrar: str) -> None:
    client = Registrar.from_settings()
    client.put("10.5072/x", WHOLE)
    first = client.get("10.5072/x")
    client.put("10.5072/x", WHOLE)
    assert client.get("10.5072/x") == first
    assert client.get("10.5072/y") is None
    assert len(requests.get(f"{registrar}/dois", timeout=5).json()["data"]) == 1


def test_what_changes_is_told_again(home: Path, registrar: str) -> None:
    cruise = make.round_of_review(home / "in", "approved").cruise
    jobs.drain()
    Cruise.objects.filter(pk=cruise.pk).update(title="A better title")

    assert identifiers.outdate(cruise=cruise) == 1
    assert Identifier.objects.get(cruise=cruise, dataset=None).state == "stale"
    jobs.drain()

    own = Identifier.objects.get(cruise=cruise, dataset=None)
    assert own.state == "registered"
    assert "A better title" in _told(registrar, own.doi)["titles"][0]["title"]


def test_an_unreachable_registrar_delays_and_loses_nothing(
    home: Path, registrar: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = f"http://127.0.0.1:{_closed_port()}"
    with pytest.raises(NotNow, match="cannot be reached"):
        Registrar(gone, "a", "b").put("10.5072/x", WHOLE)
    make.round_of_review(home / "in", "approved")
    monkeypatch.setattr(settings, "REGISTRAR_URL", gone)
    jobs.drain()

    assert set(Identifier.objects.values_list("state", flat=True)) == {"reserved"}
    assert not Submission.objects.exists(), "a bag carries a registered identifier"
    assert "cannot be reached" in Work.objects.filter(door="publishing.register", state="failed")[0].message
    assert jobs.drain() == 0, "it rests"

    monkeypatch.setattr(settings, "REGISTRAR_URL", registrar)
    _later(monkeypatch, hours=2)
    jobs.drain()
    assert set(Identifier.objects.values_list("state", flat=True)) == {"registered"}
    assert Submission.objects.filter(state="staged").count() == 4


def test_a_wrong_prefix_and_bad_credentials_are_told_in_words(
    home: Path, registrar: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.round_of_review(home / "in", "approved")
    monkeypatch.setattr(settings, "DOI_PREFIX", "10.9999")
    jobs.drain(["publishing.release", "publishing.register"])
    failed = Work.objects.get(door="publishing.register", state="failed")
    assert "10.9999/" in failed.message
    assert "the prefix 10.5072 alone" in failed.message

    monkeypatch.setattr(settings, "REGISTRAR_PASSWORD", "wrong")
    with pytest.raises(NotLikeThis, match="401") as refused:
        Registrar.from_settings().put("10.5072/x", WHOLE)
    assert refused.value.faults[0].what == "Bad credentials."
    assert requests.get(f"{registrar}/dois", timeout=5).json()["data"] == []


@pytest.mark.parametrize("missing", sorted(WHOLE))
def test_missing_fields_are_named(registrar: str, missing: str) -> None:
    attributes = {name: value for name, value in WHOLE.items() if name != missing}
    with pytest.raises(NotLikeThis) as refused:
        Registrar.from_settings().put("10.5072/x", attributes)
    assert {fault.where for fault in refused.value.faults} == {missing}
    assert refused.value.faults[0].what == "Can't be blank"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b'{"data": {"attributes": 5}}', 400),
        (b'{"data": {"attributes": ["doi"]}}', 400),
        (json.dumps({"data": {"attributes": WHOLE | {"event": "publish", "types": "Event"}}}).encode(), 422),
        (json.dumps({"data": {"attributes": WHOLE | {"event": "publish", "creators": 5}}}).encode(), 422),
        (json.dumps({"data": {"attributes": WHOLE | {"event": "publish", "url": "javascript:x"}}}).encode(), 422),
        (json.dumps({"data": {"attributes": WHOLE | {"event": "publish", "publicationYear": "soon"}}}).encode(), 422),
    ],
)
def test_the_registrar_answers_nonsense_with_an_error(registrar: str, body: bytes, status: int) -> None:
    auth = (settings.REGISTRAR_USER, settings.REGISTRAR_PASSWORD)
    answer = requests.put(f"{registrar}/dois/10.5072/x", data=body, auth=auth, timeout=5)
    assert answer.status_code == status
    assert answer.json()["errors"]


def test_two_devices_never_share_an_identifier(home: Path) -> None:
    dataset = make.dataset(home / "in")
    names = {identifiers.doi_of(found.cruise, found) for found in Dataset.objects.filter(cruise=dataset.cruise)}
    assert len(names) == 4
    assert identifiers.doi_of(dataset.cruise, dataset) == identifiers.doi_of(dataset.cruise, dataset)
