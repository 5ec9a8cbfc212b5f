"""The watch: wrong clocks, rolled-over dates, leaps, standstill, silence, and who is outvoted."""

from __future__ import annotations

import datetime as dt

import pytest

from eventlog.models import Feed
from eventlog.navigation import feeds, positions, store, taking, voting, watch
from eventlog.navigation.reading import Reader
from portal.access import CONSOLE
from portal.refusals import NotLikeThis, NotYou
from tests import make

T0 = dt.datetime(2026, 3, 3, 12, tzinfo=dt.UTC)


def feed(name: str, **fields) -> Feed:
    return Feed.objects.create(vessel=make.vessel(), name=name, **({"kind": "udp", "address": ":10110"} | fields))


def sail(
    into: Feed, minutes: int = 15, *, speed_deg: float = 1e-4, north: float = 0.0, leaps=(), behind_s: float = 0.2
):
    reader = Reader()
    for second in range(0, minutes * 60, 5):
        moment = T0 + dt.timedelta(seconds=second)
        reader.add(moment, 36.0 + north + (0.1 if second in leaps else 0.0), -25.0 + second * speed_deg / 2, quality=1)
        reader.compare(moment + dt.timedelta(seconds=behind_s), moment)
    store.keep(into, reader.take(), at=T0 + dt.timedelta(minutes=minutes))


def look(minutes: float = 15) -> dict[str, voting.Finding]:
    return watch.look(make.vessel().pk, T0 + dt.timedelta(minutes=minutes))


@pytest.mark.django_db
def test_sound_feeds_are_good():
    sail(feed("a"))
    sail(feed("b"))
    found = look()
    assert {name: (f.level, f.words) for name, f in found.items()} == {"a": ("good", []), "b": ("good", [])}
    kept = Feed.objects.get(name="a")
    assert kept.health["level"] == "good"
    assert kept.clock_offset_s == 0.2


@pytest.mark.django_db
def test_silence_and_newness():
    sail(feed("a"))
    feed("b")
    found = look(20)
    assert (found["a"].level, found["a"].words) == ("silent", ["Nothing has come for 5 min."])
    assert found["b"].level == "new"


@pytest.mark.django_db
def test_leaps_and_standstill_are_doubted_until_they_end():
    sail(feed("leaping"), leaps=(300, 600, 800))
    sail(feed("frozen"), speed_deg=0.0)
    sail(feed("sound"))
    found = look()
    assert found["leaping"].level == "bad"
    assert "6 leaps" in found["leaping"].words[0]
    assert "has not changed for 15 min" in " ".join(found["frozen"].words)
    assert found["sound"].level == "good"
    since = Feed.objects.get(name="frozen").health["bad_since"]
    look(16)
    assert Feed.objects.get(name="frozen").health["bad_since"] == since
    Feed.objects.filter(name="sound").update(is_enabled=False)
    Feed.objects.filter(name="leaping").update(is_enabled=False)
    look(16)
    assert "bad_since" not in Feed.objects.get(name="frozen").health  # alone, a ship at anchor looks the same


@pytest.mark.django_db
def test_the_one_that_lies_apart_is_named():
    sail(feed("a"))
    sail(feed("b"))
    sail(feed("astray", rank=1), north=0.1)
    found = look()
    assert "It lies 11,096 m" in found["astray"].words[0]
    assert "a, b agree" in found["astray"].words[0]
    assert found["a"].level == "good"


@pytest.mark.django_db
def test_a_receiver_whose_clock_is_wrong_is_outvoted_and_a_wrong_server_is_told():
    for name in "abc":
        sail(feed(name))
    sail(feed("wrong"), behind_s=18.2)
    found = look()
    assert found["wrong"].level == "bad"
    assert "18 s behind" in found["wrong"].words[0]
    told = voting.clocks({"a": {"clock_s": 259.0}}, {"a"})["a"]
    assert told.words == ["This server's clock runs 259 s ahead of the time of GPS; positions follow the GPS."]


@pytest.mark.real_data
@pytest.mark.django_db
def test_the_palmers_clocks_and_the_year_1994(real_data):
    folder = real_data / "nbp1406" / "data"
    names = ("s330", "gp02", "seap", "PCOD", "twnc", "cwnc", "gyr1")
    taking.import_files([folder / name for name in names], vessel=make.vessel())
    kept = {f.name: f for f in Feed.objects.all()}
    assert abs(kept["twnc"].clock_offset_s - 1718) < 1
    assert abs(kept["cwnc"].clock_offset_s - 1594) < 1
    assert "runs 1,718 s ahead" in kept["twnc"].health["words"][0]
    assert any("1994-12-16, 1,024 weeks back" in words for words in kept["PCOD"].health["words"])
    assert any("no checksum" in words for words in kept["gp02"].health["words"])
    assert kept["s330"].health["level"] == "good"
    # the fixes of PCOD are of 2014 and as good as the others; its date never wins, even if it is preferred
    Feed.objects.filter(name="PCOD").update(rank=1)
    said = positions.at(make.vessel().pk, dt.datetime(2014, 8, 1, 0, 5, tzinfo=dt.UTC))
    assert said["nav_feed"] == "PCOD"
    assert positions.at(make.vessel().pk, dt.datetime(1994, 12, 16, 0, 5, tzinfo=dt.UTC))["nav_method"] == "none"


@pytest.mark.django_db
def test_feeds_are_set_by_those_who_may():
    cruise = make.cruise(state="at sea")
    made = feeds.set_feed(cruise=cruise, by=make.person("operator"), name="gps", kind="udp", address=":10110", rank=1)
    again = feeds.set_feed(cruise=cruise, by=make.person("chief"), name="gps", is_enabled=False)
    assert made.pk == again.pk
    assert not again.is_enabled
    with pytest.raises(NotYou):
        feeds.set_feed(cruise=cruise, by=make.person("watch"), name="gps", rank=2)
    for fault in ({"address": "nowhere"}, {"address": ":99999"}, {"rank": 0}, {"kind": "smoke"}):
        with pytest.raises(NotLikeThis):
            feeds.set_feed(cruise=cruise, by=CONSOLE, name="gps", **fault)
