"""Words for instruments and actions: known, near, proposed, accepted, replaced."""

from __future__ import annotations

import uuid

import pytest

from eventlog import intake, logbook, vocabulary
from eventlog.models import Revision, Term
from eventlog.terms import ACCEPTED
from portal.access import CONSOLE
from portal.refusals import NotLikeThis, NotYou
from tests import make

pytestmark = pytest.mark.django_db


def names(rows):
    return [row["name"] for row in rows]


def test_accepted_words_are_stocked_once_and_are_the_same_everywhere():
    vocabulary.stock()
    vocabulary.stock()
    assert Term.objects.filter(log=None).count() == len(ACCEPTED)
    assert len({word.uuid for word in ACCEPTED}) == len(ACCEPTED)
    assert str(ACCEPTED[0].uuid) == str(Term.objects.get(kind="action", name="deploy").uuid)


def test_near_words():
    log = make.log()
    assert names(vocabulary.near(log, "recoverd", "action"))[0] == "recover"
    assert vocabulary.near(log, "at depth", "action")[0] == {
        "name": "maxDepth",
        "score": 0.95,
        "why": "is the word used for at depth",
    }
    assert vocabulary.near(log, "Deploy", "action")[0]["why"] == "differs in capitals or signs alone"
    assert vocabulary.near(log, "ctd", "instrument")[0]["name"] == "CTD"
    assert vocabulary.near(log, "zzz", "action") == []


def test_a_proposed_word_is_known_at_once_and_accepted_later():
    log, key = make.log(), uuid.uuid4()
    said = {"log": log, "by": make.person("watch"), "kind": "instrument"}
    term, new = vocabulary.propose(**said, name="Sting Ray", meaning="a towed camera", aliases=["SR"], uuid=key)
    assert (new, term.is_proposed) == (True, True)
    assert vocabulary.propose(**said, name="Other name", uuid=key) == (term, False)
    assert vocabulary.propose(**said, name="Sting Ray") == (term, False)
    assert vocabulary.known(log, "instrument")["SR"] == "Sting Ray"
    assert "Sting Ray" not in vocabulary.known(make.log(), "instrument")
    with pytest.raises(NotYou):
        vocabulary.accept(log=log, term=term, by=make.person("watch"))
    assert vocabulary.accept(log=log, term=term, by=make.person("chief")).is_proposed is False
    vocabulary.accept(log=log, term=term, by=make.person("chief"))
    with pytest.raises(NotYou):
        vocabulary.accept(log=log, term=term, by=make.person("chief"), everywhere=True)
    vocabulary.accept(log=log, term=term, by=make.person("manager"), everywhere=True)
    assert "Sting Ray" in vocabulary.known(make.log(), "instrument")
    verbs = list(Revision.objects.filter(thing="term", log=log).order_by("number").values_list("verb", "number"))
    assert verbs == [("propose", 1), ("accept", 2)]


def test_a_word_is_replaced_with_its_events():
    log = make.log()
    event = make.event(log, action="lower")
    term, _ = vocabulary.propose(log=log, by=CONSOLE, kind="action", name="lower")
    deploy = Term.objects.get(log=None, kind="action", name="deploy")
    vocabulary.replace(log=log, term=term, with_term=deploy, by=make.person("chief"), events=True)
    event.refresh_from_db()
    assert (event.action, vocabulary.known(log, "action")["lower"]) == ("deploy", "deploy")
    assert event.revisions.get(number=2).reason == "lower is deploy"
    instrument = Term.objects.get(log=None, kind="instrument", name="CTD")
    for wrong in (instrument, term):
        with pytest.raises(NotLikeThis):
            vocabulary.replace(log=log, term=term, with_term=wrong, by=make.person("chief"))
    with pytest.raises(NotLikeThis):
        vocabulary.replace(log=log, term=deploy, with_term=term, by=CONSOLE)


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"kind": "colour", "name": "x"}, "kind"),
        ({"kind": "action", "name": " "}, "name"),
        ({"kind": "action", "name": "x" * 121}, "name"),
        ({"kind": "action", "name": "x", "meaning": "m" * 301}, "meaning"),
        ({"kind": "action", "name": "x", "aliases": ["a"] * 1 + [str(n) for n in range(60)]}, "aliases"),
        ({"kind": "action", "name": "x", "uri": "javascript:alert(1)"}, "uri"),
    ],
)
def test_what_is_no_word_is_refused(fields, where):
    with pytest.raises(NotLikeThis) as caught:
        vocabulary.propose(log=make.log(), by=make.person("watch"), **fields)
    assert where in {fault.where for fault in caught.value.faults}


def test_proposing_is_for_those_who_may_log_and_late_ones_say_why():
    log = make.log()
    with pytest.raises(NotYou):
        vocabulary.propose(log=log, by=make.person("stranger"), kind="action", name="x")
    logbook.close_log(cruise=log.cruise, by=CONSOLE)
    with pytest.raises(NotLikeThis):
        vocabulary.propose(log=log, by=make.person("chief"), kind="action", name="x")
    vocabulary.propose(log=log, by=make.person("chief"), kind="action", name="x", reason="was missing")


def test_spellings_are_found_and_made_one():
    log = make.log()
    for action in ("deploy", "Deploy", "DEPLOY", "recover"):
        make.event(log, action=action)
    (group,) = vocabulary.spellings(log, "action")
    assert group == {"words": {"DEPLOY": 1, "Deploy": 1, "deploy": 1}, "name": "deploy"}
    said = {"log": log, "kind": "action", "words": group["words"], "name": "deploy", "by": make.person("watch")}
    assert (vocabulary.respell(**said), vocabulary.respell(**said)) == (2, 0)
    assert vocabulary.spellings(log, "action") == []


def test_instruments_of_a_real_log(real_data):
    log = make.log()
    name = "R2R_ELOG_en720.csv"
    intake.import_events(log=log, name=name, data=(real_data / "r2r-elog" / name).read_bytes(), by=CONSOLE)
    assert vocabulary.spellings(log, "action") == []
    assert vocabulary.near(log, "MaxDepth", "action")[0]["name"] == "maxDepth"
