"""The page of the feeds: who sees it, what it says, and adding, ranking and disabling a feed."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from eventlog.models import Feed
from eventlog.navigation import store, watch
from eventlog.navigation.reading import Reader
from portal.models import JournalEntry
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def cruise():
    return make.cruise(state="at sea")


def url(name: str, cruise) -> str:
    return reverse(name, args=[cruise.cruise_id])


@pytest.mark.parametrize(
    ("who", "status"),
    [(None, 302), ("stranger", 404), ("rival", 404), ("watch", 200), ("chief", 200), ("manager", 200)],
)
def test_who_sees_the_feeds(cruise, browse, who, status):
    answer = browse(who).get(url("feeds", cruise))
    assert answer.status_code == status


def test_the_page_says_what_the_watch_found(cruise, browse):
    feed = Feed.objects.create(vessel=cruise.vessel, name="bridge", kind="udp", address=":10110")
    reader = Reader()
    now = timezone.now()
    for second in range(30):
        reader.add(now - dt.timedelta(seconds=second), 36.5, -25.25, quality=1)
        reader.compare(now, now - dt.timedelta(seconds=259))
    reader.read("$GPGGA,damaged*00", now)
    store.keep(feed, reader.take(), at=now)
    watch.look(cruise.vessel_id, now)
    page = browse("watch").get(url("feeds", cruise)).content.decode()
    assert "This server&#x27;s clock runs 259 s ahead of the time of GPS" in page
    assert "+259.0" in page
    assert "36°30.000" in page
    assert "the checksum does not agree" in page
    assert "Set the feed" not in page
    assert "Set the feed" in browse("operator").get(url("feeds", cruise)).content.decode()


def test_a_feed_is_added_ranked_and_disabled(cruise, browse):
    client = browse("chief")
    new = {"name": "bridge", "kind": "udp", "address": ":10110", "rank": "2"}
    assert client.post(url("add-feed", cruise), new).status_code == 302
    client.post(url("set-feed", cruise), {"name": "bridge", "rank": "1"})
    client.post(url("set-feed", cruise), {"name": "bridge", "enabled": "no"})
    feed = Feed.objects.get()
    assert (feed.rank, feed.is_enabled, feed.address) == (1, False, ":10110")
    told = JournalEntry.objects.filter(verb="feed.set").order_by("pk").values_list("changes", flat=True)
    assert list(told)[1:] == [{"rank": [2, 1]}, {"is_enabled": [True, False]}]


def test_what_cannot_be_comes_back_with_what_was_typed(cruise, browse):
    answer = browse("chief").post(
        url("add-feed", cruise), {"name": "bridge", "kind": "tcp", "address": "no port", "rank": "1"}
    )
    assert answer.status_code == 422
    assert "no port" in answer.content.decode()
    assert "write host:port" in answer.content.decode()
    assert browse("watch").post(url("add-feed", cruise), {}).status_code == 403
