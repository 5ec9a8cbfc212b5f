"""The profile editor: a sheet of rules that buttons change, a preview that writes nothing, versions side by side."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from inventory import profiles, trial
from inventory.models import Dataset, Profile
from inventory.profiles import RuleText, active, differences, texts
from inventory.rules import Matcher
from inventory.suggestions import Group, suggest
from inventory.views import sheet
from portal.access import CONSOLE
from tests import make

pytestmark = pytest.mark.django_db


def filled(rules: list[RuleText], do: str = "preview", **more: Any) -> dict[str, Any]:
    """What the browser sends of a sheet with these rules when the button `do` is pressed."""
    data: dict[str, Any] = {name: [getattr(rule, name) for rule in rules] for name in sheet.TEXTS}
    data["goes"] = [f"-{rule.reason}" if rule.exclude else rule.device_class for rule in rules]
    data["navigation_rank"] = [rule.navigation_rank or "" for rule in rules]
    return data | {"do": do, "base": "1"} | more


def test_a_saved_sheet_is_the_next_version(home, browse):
    made = make.distribution(home, "classified")
    client, address = browse("manager"), f"/profiles/{made.cruise.vessel_id}/"
    assert client.get(address).status_code == 200
    rules = [
        RuleText("re:misc|other", "*.bin", device_class="winch", location="aft", signature="0:00", navigation_rank=3),
        RuleText("photos", exclude=True, reason="media"),
        *make.RULES,
    ]
    response = client.post(address, filled(rules, "save", note="more"))
    assert response.status_code == 302
    now = active(made.cruise.vessel)
    assert now is not None
    assert (texts(now), now.version, now.note) == (rules, 2, "more")
    late = client.post(address, filled(make.RULES, "save"))
    assert late.status_code == 422
    assert "meanwhile" in late.content.decode()
    assert Profile.objects.count() == 2
    body = client.get(f"{address}changes/?a=1&b=2").content.decode()
    assert "re:misc|other" in body
    assert client.get(f"{address}changes/?a=1&b=9").status_code == 404
    assert profiles.from_text(client.get(f"{address}2.yaml").content) == rules
    assert client.get(f"{address}2.xml").status_code == 404


def test_faults_stand_beside_their_fields_and_nothing_is_saved(home, browse):
    vessel = make.cruise().vessel
    rules = [RuleText("re:a(", device_class="ctd"), RuleText("b"), RuleText("c", device_class="ctd", signature="x")]
    for do in ("save", "preview"):
        response = browse("manager").post(f"/profiles/{vessel.pk}/", filled(rules, do, base="0"))
        assert response.status_code == 422
        body = response.content.decode()
        for field in ("directory-1", "goes-2", "signature-3"):
            assert f'id="{field}-fault"' in body
    assert not Profile.objects.exists()


@pytest.mark.parametrize(
    ("do", "order"),
    [
        ("up-2", "bac"),
        ("down-2", "acb"),
        ("remove-2", "ac"),
        ("up-1", "abc"),
        ("down-3", "abc"),
        ("remove-9", "abc"),
        ("odd", "abc"),
        ("up-x", "abc"),
        ("add", ["a", "b", "c", ""]),
        ('take-{"directory": "d-e", "device_class": "ctd"}', ["a", "b", "c", "d-e"]),
    ],
)
def test_buttons_change_the_sheet(rf, do, order):
    rules = [RuleText(name, device_class="ctd") for name in "abc"]
    assert [rule.directory for rule in sheet.changed(rules, do, rf.post("/"))] == list(order)


def test_the_template_and_a_file_fill_the_sheet(home, browse):
    vessel = make.cruise().vessel
    client, address = browse("manager"), f"/profiles/{vessel.pk}/"
    body = client.post(address, {"do": "template", "base": "0"}).content.decode()
    assert body.count("data-line") == len(profiles.from_text(sheet.TEMPLATE.read_bytes())) > 20
    sent = SimpleUploadedFile("p.yaml", b"rules:\n- directory: from-file\n  device_class: ctd\n")
    assert "from-file" in client.post(address, {"do": "read", "base": "0", "file": sent}).content.decode()
    text = json.dumps({"rules": [{"directory": "from-text", "exclude": True}]})
    assert "from-text" in client.post(address, {"do": "read", "base": "0", "text": text}).content.decode()
    bad = client.post(address, {"do": "read", "base": "0", "text": "rules: ["})
    assert bad.status_code == 422
    assert "line 1" in bad.content.decode()


def test_the_preview_tells_what_changes_and_writes_nothing(home, browse):
    made = make.distribution(home, "classified")
    rules = [RuleText("**", "*.hdr", exclude=True), RuleText("misc", device_class="winch"), *make.RULES[1:]]
    found = trial.attempt(made, rules, make.RULES)
    assert found.rules == [1, 1, 1, 1, 1, 1]
    assert (found.matched, found.excluded, found.unmatched, found.whole) == (5, 1, 1, True)
    ctd = next(row for row in found.changes if "CTD" in row.name)
    assert (ctd.before, ctd.gained, ctd.lost, ctd.after) == (2, 0, 1, 1)
    assert (len(found.changes), found.same) == (2, 3)
    assert [(g.directory, g.extension, g.files) for g in found.groups] == [("science", ".txt", 1)]
    assert found.suggestions[0].rule["reason"] == "science"
    page = browse("manager").post(
        f"/profiles/{made.cruise.vessel_id}/",
        filled(rules, cruise=made.cruise.cruise_id),
        headers={"X-Preview": "live"},
    )
    assert page.status_code == 200
    assert 'data-files-of-rules="1 1 1 1 1 1"' in page.content.decode()
    assert "<html" not in page.content.decode()
    assert not Dataset.objects.filter(device_class="winch").exists()
    assert Profile.objects.count() == 1


def test_a_large_delivery_is_tried_in_part(home, monkeypatch):
    made = make.distribution(home, "verified")
    monkeypatch.setattr(trial, "MOST_TRIED", 3)
    found = trial.attempt(made, make.RULES, [])
    assert (found.tried, found.whole) == (3, False)


@pytest.mark.parametrize(
    ("directory", "name", "rule"),
    [
        ("data/ctd/raw", "x.dat", {"directory": "data/ctd/**", "device_class": "ctd"}),
        ("cruise", "001.hex", {"directory": "cruise", "name": "*.hex", "device_class": "ctd", "make": "Sea-Bird"}),
        ("em", "0001.kmall", {"name": "*.kmall", "device_class": "multibeam"}),
        ("scs/raw", "GNSS_Furuno_GP170_bow-20260302T000000Z.txt", {"name": "GNSS[_-]*", "device_class": "gnss"}),
        ("scs/raw", "odd.txt", {"directory": "scs/**", "device_class": "underway"}),
        ("docs", "a.pdf", {"directory": "docs/**", "device_class": "documents"}),
        ("science/x", "a.xlsx", {"directory": "science/**", "exclude": True, "reason": "science"}),
        ("x", "IMG.JPG", {"name": "*.JPG", "reason": "media"}),
        ("x", "Thumbs.db", {"name": "Thumbs.db", "reason": "temporary"}),
        ("POSMV-1[a]", "x", {"directory": "POSMV-1[[]a]/**", "device_class": "ins"}),
    ],
)
def test_suggestions_speak_the_templates_words_and_fit_their_files(directory, name, rule):
    extension = name[name.rindex(".") :] if "." in name else ""
    (made,) = suggest([Group(directory, extension, 7, name)])
    assert rule.items() <= made.rule.items()
    assert made.files == 7
    text = profiles.from_text(f'{{"rules": [{made.text}]}}')
    assert profiles.faults(text) == []
    assert Matcher.of(text).rule_for(f"{directory}/{name}") is not None


def test_suggestions_are_gathered_and_the_strange_has_none():
    groups = [Group("ctd/a", ".hex", 5, "1.hex"), Group("ctd/b", ".dat", 6, "1.dat"), Group("zz", ".qq", 100, "a.qq")]
    assert [(s.rule["directory"], s.files) for s in suggest(groups)] == [("ctd/**", 11)]


def test_versions_differ_by_what_was_added_removed_and_moved():
    a, b, c, d = (RuleText(name, device_class="ctd") for name in "abcd")
    assert differences([a, b, c], [c, a, d]) == [("moved", 3, 1, c), ("removed", 2, None, b), ("added", None, 3, d)]
    assert differences([a, b], [a, b]) == []


def test_the_fleets_template_is_a_profile():
    profile, _ = profiles.save(vessel=make.vessel(), rules=profiles.from_text(sheet.TEMPLATE.read_bytes()), by=CONSOLE)
    matcher = Matcher.of(texts(profile))
    found = matcher.rule_for("openrvdas/raw/gnss_furuno_gp170_bow-20260302T000000Z.txt")
    assert (found.device_class, found.navigation_rank) == ("gnss", 1)
    assert matcher.rule_for("ctd/raw/Thumbs.db").reason == "temporary"
