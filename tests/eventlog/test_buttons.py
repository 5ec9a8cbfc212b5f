"""Buttons: from the orders, from the last cruise, added, changed, ordered, hidden, checked."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventlog import asked, buttons, logbook
from eventlog.models import Log, Revision, Template
from portal.access import CONSOLE
from portal.models import Cruise
from portal.refusals import NotLikeThis, NotNow, NotYou
from tests import make

NET = {"instrument": "Bongo net", "action": "deploy", "kind": "net"}
ASKED = [
    {"name": "mesh", "label": "Mesh", "type": "choice", "choices": ["150 µm", "335 µm"], "required": True},
    {"name": "wire_out", "label": "Wire out", "type": "number", "unit": "m"},
    {"name": "why", "label": "Why?", "type": "text", "when": {"field": "mesh", "is": "150 µm"}},
]


def wheres(caught):
    return {fault.where for fault in caught.value.faults}


@pytest.mark.django_db
def test_the_orders_make_buttons_with_keys():
    log = make.log()
    keys = {t.key: str(t) for t in log.templates.exclude(key="")}
    assert keys["1"] == "CTD deploy"
    assert keys["3"] == "CTD recover"
    assert keys["5"] == "Multibeam start"
    assert not log.templates.filter(instrument="Ship").exclude(key="").exists()
    assert Revision.objects.filter(log=log, thing="template", verb="plan").count() == log.templates.count()


@pytest.mark.django_db
def test_buttons_of_the_last_cruise_come_with_one_click():
    old, chief = make.log(), make.person("chief")
    template, _ = buttons.add(log=old, by=chief, fields=NET | {"key": "b", "label": "Net in", "fields": ASKED})
    deploy = old.templates.get(instrument="CTD", action="deploy")
    buttons.amend(template=deploy, by=chief, fields={"label": "CTD in"})
    new = make.log(depart_date=dt.date(2026, 4, 2), arrive_date=dt.date(2026, 4, 9))
    assert buttons.last_log(new, chief) == old
    made = buttons.copy_from(log=new, other=old, by=chief)
    assert {str(t) for t in made} == {"Bongo net deploy", "CTD deploy"}
    copied = new.templates.get(instrument="Bongo net")
    assert (copied.key, copied.label, copied.fields) == ("b", "Net in", template.fields)
    assert new.templates.get(instrument="CTD", action="deploy").label == "CTD in"
    assert buttons.copy_from(log=new, other=old, by=chief) == []


@pytest.mark.django_db
def test_buttons_of_a_log_that_one_may_not_read_are_not_copied():
    rival = make.log()
    Cruise.objects.filter(pk=rival.cruise.pk).update(vessel=make.rival_vessel())
    rival.cruise.parties.all().delete()
    rival = Log.objects.get(pk=rival.pk)
    with pytest.raises(NotYou):
        buttons.copy_from(log=make.log(), other=rival, by=make.person("operator"))


@pytest.mark.django_db
def test_adding_changing_ordering_hiding():
    log, chief, key = make.log(), make.person("chief"), uuid.uuid4()
    template, new = buttons.add(log=log, by=chief, fields=NET, uuid=key)
    assert (new, buttons.add(log=log, by=chief, fields=NET, uuid=key)) == (True, (template, False))
    buttons.amend(template=template, by=chief, fields={"is_hidden": True, "fields": ASKED})
    template.refresh_from_db()
    assert (template.is_hidden, template.fields) == (True, ASKED)
    recover = log.templates.get(instrument="CTD", action="recover")
    ordered = buttons.arrange(log=log, by=chief, order=[template.uuid, recover.uuid])
    assert [t.pk for t in log.templates.all()][:2] == [template.pk, recover.pk]
    assert len(ordered) == log.templates.count()
    numbers = list(Revision.objects.filter(thing_uuid=template.uuid).order_by("number").values_list("verb", "number"))
    assert numbers == [("add", 1), ("amend", 2), ("amend", 3)]


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["watch", "stranger", "rival"])
def test_arranging_is_not_for_everybody(name):
    log, who = make.log(), make.person(name)
    with pytest.raises(NotYou):
        buttons.add(log=log, by=who, fields=NET)
    with pytest.raises(NotYou):
        buttons.arrange(log=log, by=who, order=[])


@pytest.mark.django_db
def test_buttons_of_a_closed_log_stay():
    log = make.log("closed")
    with pytest.raises(NotNow):
        buttons.add(log=log, by=CONSOLE, fields=NET)
    with pytest.raises(NotNow):
        buttons.amend(template=Template.objects.filter(log=log)[0], by=CONSOLE, fields={"label": "x"})


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"instrument": ""}, "instrument"),
        ({"action": "x" * 81}, "action"),
        ({"key": "ab"}, "key"),
        ({"key": "/"}, "key"),
        ({"key": "1"}, "key"),
        ({"instrument": "CTD"}, "action"),
        ({"order": -1}, "order"),
        ({"order": True}, "order"),
        ({"is_hidden": "yes"}, "is_hidden"),
        ({"fields": {}}, "fields"),
        ({"fields": [{"name": "a b"}]}, "fields[0].name"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_no_button_is_refused(fields, where):
    with pytest.raises(NotLikeThis) as caught:
        buttons.add(log=make.log(), by=make.person("chief"), fields=NET | fields)
    assert where in wheres(caught)


@pytest.mark.parametrize(
    ("row", "where"),
    [
        ("text", "fields[1]"),
        ({"name": "mesh"}, "fields[1].name"),
        ({"name": "a", "type": "date"}, "fields[1].type"),
        ({"name": "a", "type": "choice"}, "fields[1].choices"),
        ({"name": "a", "type": "choice", "choices": ["x", "x"]}, "fields[1].choices"),
        ({"name": "a", "choices": ["x", "y"]}, "fields[1].choices"),
        ({"name": "a", "unit": "m"}, "fields[1].unit"),
        ({"name": "a", "required": "yes"}, "fields[1].required"),
        ({"name": "a", "when": "mesh"}, "fields[1].when"),
        ({"name": "a", "when": {"field": "b", "is": 1}}, "fields[1].when"),
        ({"name": "a", "when": {"field": "mesh", "is": "1 mm"}}, "fields[1].when"),
        ({"name": "a", "label": "x" * 81}, "fields[1].label"),
        ({"name": "a", "colour": "red"}, "fields[1].colour"),
    ],
)
def test_each_fault_of_a_field_has_its_place(row, where):
    assert where in {fault.where for fault in asked.declared([ASKED[0], row])[1]}


def test_declared_fields_are_plain_and_stay_so():
    fields, faults = asked.declared(ASKED)
    assert (fields, faults) == (ASKED, [])
    assert asked.declared(fields) == (fields, [])


def test_answers_are_held_against_what_is_asked():
    assert [f.where for f in asked.lacking(ASKED, {})] == ["extra.mesh"]
    assert [f.where for f in asked.lacking(ASKED, {"mesh": "1 mm", "wire_out": "far"})] == [
        "extra.mesh",
        "extra.wire_out",
    ]
    assert asked.lacking(ASKED, {"mesh": "335 µm", "wire_out": 12.5}) == []
    assert not asked.is_asked(ASKED[2], {"mesh": "335 µm"})
    assert asked.is_asked(ASKED[2], {"mesh": "150 µm"})


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
ROW = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("name", "label", "type", "unit", "choices", "required", "when"), ANY)
)


@given(ANY | st.lists(ROW, max_size=4), st.dictionaries(st.text(max_size=8), ANY, max_size=4))
def test_anything_may_be_sent_as_fields(fields, answers):
    found, faults = asked.declared(fields)
    if not faults:
        assert asked.declared(found) == (found, [])
        asked.lacking(found, answers)


@pytest.mark.django_db
def test_the_linter_names_columns_used_once_and_what_cannot_be_ended():
    log, chief = make.log(), make.person("chief")
    buttons.add(log=log, by=chief, fields=NET | {"fields": [{"name": "bottles"}, {"name": "wire"}]})
    buttons.add(log=log, by=chief, fields=NET | {"action": "Deploy", "fields": [{"name": "bottle"}, {"name": "wire"}]})
    says = {row["says"] for row in buttons.lint(log)}
    assert "The field bottles adds a column that is used once." in says
    assert "The fields bottle and bottles may be one." in says
    assert "Deploy and deploy differ in capitals or signs alone." in says
    assert "Bongo net can be begun and has no button that ends it." in says
    assert not any("wire" in sentence for sentence in says)


@pytest.mark.django_db
def test_what_was_opened_is_not_opened_twice_with_its_buttons():
    cruise = make.cruise()
    log = logbook.log_of(cruise)
    buttons.add(log=log, by=CONSOLE, fields=NET | {"key": "1"})
    logbook.open_log(cruise=cruise, by=CONSOLE)
    assert log.templates.filter(instrument="Bongo net").count() == 1
    assert log.templates.get(key="1").instrument == "Bongo net"
