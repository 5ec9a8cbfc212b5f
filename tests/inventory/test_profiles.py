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
        ([RuleText("a", device_class="ctd", reason="media")], {"rule 1"}),
        ([RuleText("a", exclude=True, reason="whim")], {"rule 1"}),
        ([RuleText("re:(", exclude=True), RuleText("a", "re:[", exclude=True)], {"rule 1", "rule 2"}),
        ([RuleText("a", exclude=True, signature="x")], {"rule 1"}),
        ([RuleText("a\0", exclude=True), RuleText("\ud800", exclude=True)], {"rule 1", "rule 2"}),
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


FULL = RuleText(
    "re:data/(a|b)", "*.raw", device_class="adcp", location="port", signature="0:7f7f", label="2014", model="no"
)


@pytest.mark.parametrize("form", profiles.FORMATS)
def test_a_profile_comes_back_from_what_it_was_written_to(form):
    rules = [RuleText("photos", exclude=True, reason="media"), FULL, *make.RULES]
    profile, _ = profiles.save(vessel=make.vessel(), rules=rules, by=CONSOLE, note="für alle")
    assert profiles.from_text(profiles.export(profile, form)) == rules
    assert profiles.from_text(profiles.export(profile, form).encode()) == rules


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("rules: [", 1),
        ("rules:\n  - directory: a\n   name: b\n", 3),
        ("!!python/object:os.system x", 1),
        ("a: \x01", None),
    ],
)
def test_yaml_that_is_none_names_its_line(text, line):
    with pytest.raises(NotLikeThis) as caught:
        profiles.from_text(text)
    assert caught.value.faults[0].line == line


@pytest.mark.parametrize("data", [b"\xff", b"x" * (profiles.LONGEST_TEXT + 1), b"", b"- a\n- b\n"])
def test_other_files_are_refused(data):
    with pytest.raises(NotLikeThis):
        profiles.from_text(data)


def test_by_command_a_profile_goes_out_and_comes_in(tmp_path, capsys):
    vessel = make.vessel()
    with pytest.raises(CommandError, match="no such profile"):
        call_command("export_profile", f"--vessel={vessel.pk}")
    profiles.save(vessel=vessel, rules=make.RULES, by=CONSOLE)
    call_command("export_profile", f"--vessel={vessel.pk}", "--format=yaml")
    assert profiles.from_text(capsys.readouterr().out) == make.RULES
    call_command("export_profile", f"--vessel={vessel.pk}", "--format=yaml", f"--output={tmp_path / 'p.yaml'}")
    call_command("load_profile", str(tmp_path / "p.yaml"), f"--vessel={make.rival_vessel().pk}")
    assert profiles.texts(profiles.active(make.rival_vessel())) == make.RULES
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export_profile", f"--vessel={vessel.pk}", f"--output={tmp_path}/none/p.yaml")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_profiles(path):
    call_command("load_profile", str(path), f"--vessel={make.vessel().pk}")
    active = profiles.active(make.vessel())
    assert active is not None
    assert active.rules.count() == len(json.loads(path.read_text())["rules"]) > 0


def test_a_profile_for_no_vessel_is_refused(tmp_path):
    with pytest.raises(CommandError, match="no vessel"):
        call_command("load_profile", str(tmp_path / "x.json"), "--vessel=NONE")
