"""Classification: the first rule wins, what no rule matches stays in sight, and a new version tells what it changed."""

from __future__ import annotations

import pytest
from django.utils import timezone

from inventory import classify, profiles
from inventory.models import Classification, Dataset, Distribution
from inventory.profiles import RuleText
from portal import jobs
from portal.access import CONSOLE
from portal.models import Cruise, JournalEntry, Work
from portal.refusals import NotLikeThis, NotNow, NotYou
from tests import make

pytestmark = pytest.mark.django_db


def sorted_out(distribution: Distribution) -> dict[str, str]:
    """Path -> class of its data set, "excluded", or "none"."""
    files = distribution.files.select_related("dataset")
    return {f.path: f.dataset.device_class if f.dataset else "excluded" if f.excluded else "none" for f in files}


def again(distribution: Distribution, rules: list[RuleText]) -> Classification:
    profiles.save(vessel=distribution.cruise.vessel, rules=rules, by=CONSOLE)
    return classify.classify(distribution=distribution, by=CONSOLE)


def test_every_file_goes_where_its_first_rule_says(home):
    made = make.distribution(home, "classified")
    assert sorted_out(made) == {
        "data/gnss/raw/day1": "gnss",
        "data/ctd/raw/cast001.hex": "ctd",
        "data/ctd/raw/cast001.hdr": "ctd",
        "data/adcp/raw/a.raw": "adcp",
        "docs/report.txt": "documents",
        "science/notes.txt": "excluded",
        "misc/forgotten.bin": "none",
    }
    last = made.classifications.get()
    assert (last.matched, last.excluded, last.unmatched) == (5, 1, 1)
    ctd = Dataset.objects.get(cruise=made.cruise, device_class="ctd")
    assert (ctd.make, ctd.model, ctd.file_format, ctd.state) == ("Sea-Bird", "SBE 911plus", "seasoft", "draft")


def test_order_decides(home):
    made = make.distribution(home, "verified")
    again(made, [RuleText("**", "*.hdr", device_class="documents"), RuleText("**", device_class="underway")])
    found = sorted_out(made)
    assert found.pop("data/ctd/raw/cast001.hdr") == "documents"
    assert set(found.values()) == {"underway"}


def test_a_preview_writes_nothing_and_names_what_is_left(home):
    made = make.distribution(home, "verified")
    found = classify.preview(made, make.RULES)
    assert (found.excluded, found.unmatched, found.examples) == (1, 1, ["misc/forgotten.bin"])
    assert found.devices[("ctd", "Sea-Bird", "SBE 911plus", "ctd", "")] == 2
    assert not Dataset.objects.exists()
    assert set(sorted_out(made).values()) == {"none"}


def test_the_same_profile_again_changes_nothing(home):
    made = make.distribution(home, "classified")
    first = made.classifications.get()
    assert classify.classify(distribution=made, by=CONSOLE) == first
    assert made.classifications.count() == 1
    assert JournalEntry.objects.filter(verb="distribution.classify").count() == 1


def test_a_new_version_records_what_it_changed(home):
    made = make.distribution(home, "classified")
    rules = [
        RuleText("misc", device_class="documents", label="docs"),
        RuleText("**", "*.hdr", exclude=True),
        *make.RULES,
    ]
    last = again(made, rules)
    assert last.number == 2
    ctd = Dataset.objects.get(cruise=made.cruise, device_class="ctd")
    documents = Dataset.objects.get(cruise=made.cruise, device_class="documents")
    assert last.changes == {ctd.name: [2, 1], documents.name: [1, 2]}
    assert (last.matched, last.excluded, last.unmatched) == (5, 2, 0)


def test_an_emptied_data_set_is_retired_and_comes_back_as_itself(home):
    made = make.distribution(home, "classified")
    adcp = Dataset.objects.get(cruise=made.cruise, device_class="adcp")
    last = again(made, [rule for rule in make.RULES if rule.device_class != "adcp"])
    adcp.refresh_from_db()
    assert (adcp.state, last.changes) == ("retired", {adcp.name: [1, 0]})
    assert adcp not in Dataset.objects.standing()
    again(made, make.RULES)
    adcp.refresh_from_db()
    assert (adcp.state, adcp.files_now().count()) == ("draft", 1)
    assert Dataset.objects.filter(cruise=made.cruise, device_class="adcp").count() == 1


def test_missing_files_count_to_their_data_set(home):
    cruise = make.cruise(state="ended")
    from inventory import intake

    root = make.delivery(home / "d")
    (root / "data/ctd/raw/cast001.hex").unlink()
    made = intake.receive(cruise=cruise, root=root, by=CONSOLE).distribution
    assert jobs.perform("inventory.verify", str(made.pk))
    again(made, make.RULES)
    ctd = Dataset.objects.get(cruise=cruise, device_class="ctd")
    assert sorted(ctd.files.values_list("state", flat=True)) == ["matched", "missing"]


def test_nothing_is_classified_before_it_is_read_or_without_a_profile(home):
    made = make.distribution(home)
    profiles.save(vessel=made.cruise.vessel, rules=make.RULES, by=CONSOLE)
    with pytest.raises(NotNow):
        classify.classify(distribution=made, by=CONSOLE)
    assert not Dataset.objects.exists()


def test_a_vessel_without_profile_is_told(home):
    made = make.distribution(home, "verified")
    with pytest.raises(NotLikeThis, match="no distribution profile"):
        classify.classify(distribution=made, by=CONSOLE)
    assert classify.waiting_to_classify() == []


def test_an_approved_record_is_not_classified_anew(home):
    review = make.round_of_review(home, "approved")
    profiles.save(vessel=review.cruise.vessel, rules=make.RULES[1:], by=CONSOLE)
    with pytest.raises(NotNow, match="approved"):
        classify.classify(distribution=review.distribution, by=CONSOLE)
    assert review.distribution.classifications.count() == 1


@pytest.mark.parametrize("name", ["operator", "chief", "watch", "rival", "stranger"])
def test_classifying_is_the_offices(home, name):
    made = make.distribution(home, "verified")
    profiles.save(vessel=made.cruise.vessel, rules=make.RULES, by=CONSOLE)
    with pytest.raises(NotYou):
        classify.classify(distribution=made, by=make.person(name))


def test_the_job_classifies_what_waits_once(home):
    made = make.distribution(home, "verified")
    profiles.save(vessel=made.cruise.vessel, rules=make.RULES, by=CONSOLE)
    assert classify.waiting_to_classify() == [str(made.pk)]
    assert jobs.drain(["inventory.classify"]) == 1
    assert jobs.drain(["inventory.classify"]) == 0
    jobs.perform("inventory.classify", str(made.pk))
    assert made.classifications.count() == 1


def test_the_content_decides_where_it_can_be_read(home):
    raw = {f"data/x/{name}.raw": content for name, content in (("a", b"\x7f\x7f 1"), ("b", b"1234XML0"), ("c", b"?"))}
    made = make.distribution(home, "verified", files=raw)
    rules = [
        RuleText("**", "*.raw", device_class="adcp", signature="0:7f7f"),
        RuleText("**", "re:.*[.]raw", device_class="splitbeam", signature="4:584d4c30"),
    ]
    found = classify.preview(made, rules)
    assert (sum(found.devices.values()), found.unmatched) == (2, 1)
    again(made, rules)
    assert sorted_out(made) == {"data/x/a.raw": "adcp", "data/x/b.raw": "splitbeam", "data/x/c.raw": "none"}
    for path in raw:
        (home / made.cruise.cruise_id / path).unlink()
    again(made, [*rules, RuleText("elsewhere", exclude=True)])
    assert set(sorted_out(made).values()) == {"adcp"}


def test_where_a_device_stands_makes_a_data_set_of_its_own(home):
    made = make.distribution(home, "verified", files={"a/port.raw": b"1", "a/stbd.raw": b"2"})
    again(made, [RuleText("a", f"{side}.raw", device_class="metstation", location=side) for side in ("port", "stbd")])
    names = set(Dataset.objects.values_list("location", flat=True))
    assert names == {"port", "stbd"}
    assert made.classifications.get().sizes == {d.name: 1 for d in Dataset.objects.all()}


def test_many_rules_and_slices_come_to_the_same(home, monkeypatch):
    made = make.distribution(home, "classified")
    before = sorted_out(made)
    monkeypatch.setattr("inventory.assignment.WRITE", 2)
    again(made, [*make.RULES, *(RuleText(f"never/{n}", device_class="ctd") for n in range(60))])
    assert sorted_out(made) == before


def test_two_classifications_are_compared(home, browse):
    made = make.distribution(home, "classified")
    first = made.classifications.get()
    second = again(made, make.RULES[:-1])
    third = again(made, make.RULES)
    documents = Dataset.objects.get(cruise=made.cruise, device_class="documents").name
    assert classify.compared(first, second) == {documents: [1, 0]}
    assert classify.compared(first, third) == {}
    address = f"/cruise/{made.cruise.cruise_id}/classification/"
    assert "same numbers" in browse(None).get(f"{address}?a=1&b=3").content.decode()
    assert "Files in 2" in browse(None).get(f"{address}?a=1&b=2").content.decode()
    Classification.objects.filter(pk=first.pk).update(sizes={})
    assert "before sizes were recorded" in browse(None).get(f"{address}?a=1&b=2").content.decode()
    assert browse(None).get(f"{address}?a=x&b=9").status_code == 200


def test_a_data_sets_page_shows_what_is_filled_in(home, browse):
    dataset = make.dataset(home)
    dataset.details = {"keywords": ["salinity", "front"], "proposalId": "", "scientificMetadata": {"bins": 24}}
    dataset.location, dataset.first_at, dataset.last_at = "main winch", dataset.since, dataset.since
    dataset.save()
    assert dataset.described() == [("keywords", "salinity, front"), ("scientific metadata", '{"bins": 24}')]
    body = browse(None).get(f"/cruise/{dataset.cruise.cruise_id}/dataset/{dataset.uuid}/").content.decode()
    for text in ("main winch", "salinity, front", "Measured"):
        assert text in body
    assert "Proposal" not in body


def test_many_files_are_classified_by_the_worker_as_who_asked(home, browse, monkeypatch):
    made = make.distribution(home, "classified")
    monkeypatch.setattr(classify, "AT_ONCE", 3)
    profiles.save(vessel=made.cruise.vessel, rules=make.RULES[1:], by=CONSOLE)
    address = f"/cruise/{made.cruise.cruise_id}/classification/"
    office = browse("manager")
    assert office.post(f"{address}apply/").status_code == 302
    page = office.get(address).content.decode()
    assert "The worker classifies the files" in page
    assert "The worker was asked to apply" in page
    assert made.classifications.count() == 1
    assert jobs.drain(["inventory.classify"]) == 1
    last = made.classifications.order_by("number").last()
    assert last is not None
    assert (last.number, last.by_name) == (2, str(make.person("manager")))
    assert "The worker was asked" not in browse("manager").get(address).content.decode()
    assert classify.waiting_to_classify() == []
    assert jobs.perform("inventory.classify", str(made.pk))  # once more changes nothing
    assert made.classifications.count() == 2


def test_who_may_not_classify_may_not_ask_for_it(home):
    made = make.distribution(home, "classified")
    with pytest.raises(NotYou):
        classify.ask(distribution=made, by=make.person("operator"))
    assert classify.waiting_to_classify() == []


def test_what_was_asked_for_and_is_not_possible_any_more_is_let_go(home):
    review = make.round_of_review(home)
    made = review.distribution
    profiles.save(vessel=made.cruise.vessel, rules=make.RULES[1:], by=CONSOLE)
    classify.ask(distribution=made, by=make.person("manager"))
    Cruise.objects.filter(pk=made.cruise.pk).update(approved_at=timezone.now())
    assert jobs.drain(["inventory.classify"]) == 1
    assert made.classifications.count() == 1
    assert classify.waiting_to_classify() == []
    assert "is approved" in Work.objects.get(door="inventory.classify").message
