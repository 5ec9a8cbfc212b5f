"""Profiles: versions that are never changed, and JSON that is refused rule by rule."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from inventory import profiles
from inventory.models import Profile
from inventory.profiles import RuleText
from portal.access import CONSOLE
from portal.refusals import NotLikeThis, NotYou
from tests import make

pytestmark = pytest.mark.django_db
EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "docs/examples").glob("profile-*.json"))


def test_each_change_is_a_version_and_the_same_again_is_none():
    vessel = make.vessel()
    first, new = profiles.save(vessel=vessel, rules=make.RULES, by=make.person("manager"), note="first")
    assert (first.version, new, profiles.active(vessel)) == (1, True, first)
    assert profiles.save(vessel=vessel, rules=make.RULES, by=CONSOLE) == (first, False)
    second, new = profiles.save(vessel=vessel, rules=make.RULES[1:], by=CONSOLE)
    first.refresh_from_db()
    assert (second.version, new, second.active, first.active) == (2, True, True, False)
    assert profiles.texts(first) == make.RULES
    assert profiles.texts(second) == make.RULES[1:]
    assert Profile.objects.filter(vessel=vessel, active=True).get() == second


@pytest.mark.parametrize("name", ["operator", "chief", "expert", "stranger"])
def test_profiles_are_the_offices(name):
    make.cruise()
    with pytest.raises(NotYou):
        profiles.save(vessel=make.vessel(), rules=make.RULES, by=make.person(name))
    assert not Profile.objects.exists()


@pytest.mark.parametrize(
    ("rules", "places"),
    [
        ([], {"rules"}),
        ([RuleText("a")], {"rule 1"}),
        ([RuleText("a", device_class="ctd"), RuleText("b", device_class="teapot")], {"rule 2"}),
        ([RuleText("a/../b", exclude=True)], {"rule 1"}),
        ([RuleText("a", exclude=True, make="x" * 81, label="x" * 61)], {"rule 1"}),
        ([RuleText("a", exclude=True)] * 1001, {"rules"}),
    ],
)
def test_faulty_rules_are_named(rules, places):
    with pytest.raises(NotLikeThis) as caught:
        profiles.save(vessel=make.vessel(), rules=rules, by=CONSOLE)
    assert {fault.where for fault in caught.value.faults} == places
    assert not Profile.objects.exists()


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("{", {""}),
        ("[" * 100_000, {""}),
        ("[]", {"rules"}),
        ('{"rules": {}}', {"rules"}),
        ('{"rules": [1, {"name": "x"}]}', {"rule 1", "rule 2"}),
        ('{"rules": [{"directory": "a", "colour": "red"}]}', {"rule 1"}),
        ('{"rules": [{"directory": 1}]}', {"rule 1"}),
        ('{"rules": [{"directory": "a", "exclude": "yes"}]}', {"rule 1"}),
        ('{"rules": [{"directory": "a", "navigation_rank": 0}]}', {"rule 1"}),
        ('{"rules": [{"directory": "a", "navigation_rank": true}]}', {"rule 1"}),
    ],
)
def test_json_that_is_no_profile_is_refused(text, places):
    with pytest.raises(NotLikeThis) as caught:
        profiles.from_json(text)
    assert {fault.where for fault in caught.value.faults} == places


def test_a_profile_comes_back_from_its_json():
    profile, _ = profiles.save(vessel=make.vessel(), rules=make.RULES, by=CONSOLE)
    assert profiles.from_json(profiles.to_json(profile)) == make.RULES


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_profiles(path):
    call_command("load_profile", str(path), f"--vessel={make.vessel().pk}")
    active = profiles.active(make.vessel())
    assert active is not None
    assert active.rules.count() == len(json.loads(path.read_text())["rules"]) > 0


def test_a_profile_for_no_vessel_is_refused(tmp_path):
    with pytest.raises(CommandError, match="no vessel"):
        call_command("load_profile", str(tmp_path / "x.json"), "--vessel=NONE")
