"""Pages of the inventory: who may see them, what they send, and which directories may be received."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from inventory.models import Dataset, Distribution, Flag, Hold, Review, TrackProduct
from inventory.profiles import active
from portal import jobs
from tests import make

pytestmark = pytest.mark.django_db
WHO = ["admin", "manager", "operator", "chief", "watch", "expert", "rival", "stranger", None]
EVERYBODY = [200] * 9
OFFICE = [200, 200, 403, 403, 403, 403, 403, 403, 302]
REVIEWERS = [200, 200, 200, 200, 403, 403, 403, 403, 302]
RECEIVERS = [200, 200, 200, 403, 403, 403, 403, 403, 302]
HOLDERS = [403, 403, 403, 200, 403, 403, 403, 403, 302]
PAGES = {
    "inventory/": EVERYBODY,
    "inventory/?in=data/ctd/raw": EVERYBODY,
    "inventory/?q=*.hex&state=matched": EVERYBODY,
    "inventory/download/csv": EVERYBODY,
    "inventory/download/md5deep": EVERYBODY,
    "inventory/download/hashdeep": EVERYBODY,
    "inventory/download/dfxml?said=delivered": EVERYBODY,
    "inventory/download/csv?shipment=1": EVERYBODY,
    "inventory/download/csv?shipment=2": [404] * 9,
    "inventory/download/xlsx": [404] * 9,
    "inventory/compare/": EVERYBODY,
    "inventory/compare/?before=1&now=1&word=changed&page=2": EVERYBODY,
    "inventory/compare/?as=csv": EVERYBODY,
    "inventory/compare/?now=7": [404] * 9,
    "inventory/compare/sent/?manifest=0&name=x&now=1": [404] * 9,
    "inventory/history/": EVERYBODY,
    "inventory/history/?q=ctd": EVERYBODY,
    "inventory/history/?path=never": [404] * 9,
    "inventory/history/?path=%00": EVERYBODY,
    "classification/": EVERYBODY,
    "track.geojson": EVERYBODY,
    "track/1min.geocsv": EVERYBODY,
    "track/odd.geocsv": [404] * 9,
    "dataset": EVERYBODY,
    "hold": HOLDERS,
    "review/": REVIEWERS,
    "receive/": RECEIVERS,
    "copies/": REVIEWERS,
}


def status(response: Any) -> int:
    """The status of a response that is read to its end, as a browser does."""
    if response.streaming:
        sent(response)
    return int(response.status_code)


def sent(response: Any) -> bytes:
    return b"".join(response.streaming_content)


@pytest.mark.parametrize("name", WHO, ids=str)
def test_who_sees_what(home, browse, name):
    cruise, client = make.round_of_review(home).cruise, browse(name)
    dataset = Dataset.objects.get(cruise=cruise, device_class="ctd")
    places = {"dataset": f"dataset/{dataset.uuid}/", "hold": f"dataset/{dataset.uuid}/hold/"}
    found = {page: status(client.get(f"/cruise/{cruise.cruise_id}/{places.get(page, page)}")) for page in PAGES}
    assert found == {page: statuses[WHO.index(name)] for page, statuses in PAGES.items()}
    version = active(cruise.vessel)
    assert version is not None
    assert client.get("/arrivals/").status_code == (200 if name == "rival" else RECEIVERS[WHO.index(name)])
    for page in (
        "",
        f"{cruise.vessel_id}/",
        f"{cruise.vessel_id}/{version.version}.json",
        f"{cruise.vessel_id}/changes/?a=1&b=1",
    ):
        assert client.get(f"/profiles/{page}").status_code == OFFICE[WHO.index(name)]


def test_nothing_is_there_before_the_first_shipment(browse):
    cruise = make.cruise(state="ended")
    for page in ("inventory/", "classification/", "inventory/download/csv", "track/1min.geocsv"):
        assert browse("operator").get(f"/cruise/{cruise.cruise_id}/{page}").status_code == 404
        assert browse("stranger").get(f"/cruise/{cruise.cruise_id}/{page}").status_code == 404
    assert browse("operator").get(f"/cruise/{cruise.cruise_id}/review/").status_code == 200
    assert browse("operator").get(f"/cruise/{cruise.cruise_id}/track.geojson").json()["features"] == []


def test_what_is_to_be_done_next_is_offered(browse):
    for state, act in (("at sea", "Log events"), ("ended", "Receive the distribution")):
        cruise = make.cruise(state=state)
        assert browse("operator").get(f"/cruise/{cruise.cruise_id}/").context["next_act"].act == act


def test_downloads_say_what_was_found(home, browse):
    made = make.distribution(home, "classified")
    start = f"/cruise/{made.cruise.cruise_id}/"
    rows = list(csv.DictReader(io.StringIO(sent(browse(None).get(start + "inventory/download/csv")).decode())))
    assert {row["path"]: row["md5"] for row in rows} == dict(made.files.values_list("path", "md5"))
    product = TrackProduct.objects.get(track__distribution=made, kind="control")
    assert sent(browse(None).get(start + "track/control.geocsv")) == (home / product.path).read_bytes()
    shape = json.loads(browse(None).get(start + "track.geojson").content)
    assert made.cruise.cruise_id in json.dumps(shape)


def test_a_list_of_the_disk_wants_the_disk_and_a_form_of_manifests(home, browse):
    made = make.distribution(home, "classified")
    download = f"/cruise/{made.cruise.cruise_id}/inventory/download/"
    listed = sent(browse(None).get(download + "md5deep", {"said": "disk"})).decode()
    assert f"  ./{made.manifest_name}\n" in listed
    assert f"./{made.manifest_name}" not in sent(browse(None).get(download + "md5deep")).decode()
    assert "has no row" in browse(None).get(download + "csv", {"said": "disk"}).content.decode()
    (Path(made.root) / made.manifest_name).write_bytes(b"not the one that was received")
    assert f"./{made.manifest_name}" not in sent(browse(None).get(download + "md5deep", {"said": "disk"})).decode()
    shutil.rmtree(made.root)
    answer = browse(None).get(download + "md5deep", {"said": "disk"})
    assert answer.status_code == 422
    assert "Mount it" in answer.content.decode()


@pytest.mark.skipif(shutil.which("hashdeep") is None, reason="hashdeep is not installed")
def test_hashdeep_audits_the_disk_against_our_download(home, browse):
    made = make.distribution(home, "classified")
    download = f"/cruise/{made.cruise.cruise_id}/inventory/download/hashdeep"
    (home / "known").write_bytes(sent(browse(None).get(download, {"said": "disk"})))
    audit = ["hashdeep", "-r", "-l", "-a", "-k", str(home / "known"), "."]
    assert subprocess.run(audit, cwd=made.root, capture_output=True, check=False).returncode == 0
    (home / made.cruise.cruise_id / made.manifest_name).unlink()
    assert subprocess.run(audit, cwd=made.root, capture_output=True, check=False).returncode != 0
    (home / "known").write_bytes(sent(browse(None).get(download)))
    assert subprocess.run(audit, cwd=made.root, capture_output=True, check=False).returncode == 0
    (home / made.cruise.cruise_id / "docs/report.txt").write_bytes(b"all bad!\n")
    assert subprocess.run(audit, cwd=made.root, capture_output=True, check=False).returncode != 0


def test_only_directories_of_the_drop_folders_are_received(home, browse):
    cruise, client = make.cruise(state="ended"), browse("operator")
    allowed = make.delivery(home / "deliveries/disk1")
    outside = make.delivery(home / "elsewhere")
    (home / "deliveries/link").symlink_to(outside)
    address = f"/cruise/{cruise.cruise_id}/receive/"
    body = client.get(address).content.decode()
    assert str(allowed) in body
    assert "deliveries/link" not in body
    assert str(outside) not in body
    for wrong in (outside, home / "deliveries/link", home / "deliveries/../elsewhere", home / "deliveries", "/etc"):
        assert client.post(address, {"directory": str(wrong)}).status_code == 422
    assert not Distribution.objects.exists()
    assert client.post(address, {"directory": str(allowed)}).status_code == 302
    assert jobs.drain(["inventory.receive"]) == 1
    assert Distribution.objects.get().root == str(allowed)


def test_a_refused_manifest_is_shown_with_its_line(home, browse):
    cruise = make.cruise(state="ended")
    root = make.delivery(home / "deliveries/disk1")
    (root / "delivery.md5").write_text("     4  " + "0" * 32 + "  ../../etc/passwd\n")
    response = browse("operator").post(f"/cruise/{cruise.cruise_id}/receive/", {"directory": str(root)})
    assert response.status_code == 422
    assert "line 1" in response.content.decode()


def test_holding_by_page(home, browse):
    dataset = make.dataset(home)
    address = f"/cruise/{dataset.cruise.cruise_id}/dataset/{dataset.uuid}/"
    bad = browse("chief").post(address + "hold/", {"until": "2031-01-01", "reason": "my typed reason"})
    assert bad.status_code == 422
    assert "my typed reason" in bad.content.decode()
    assert browse("operator").post(address + "hold/", {"until": "2028-03-01", "reason": "x"}).status_code == 403
    assert browse("chief").post(address + "hold/", {"until": "2028-03-01", "reason": "a thesis"}).status_code == 302
    assert Hold.objects.get().reason == "a thesis"
    assert "a thesis" in browse(None).get(address).content.decode()
    assert browse("manager").post(address + "lift/").status_code == 302
    assert Hold.objects.get().lifted_at is not None


def test_signing_and_flagging_by_page(home, browse):
    cruise = make.round_of_review(home).cruise
    start = f"/cruise/{cruise.cruise_id}/"
    given = {"kind": "missing", "path": "x", "comment": "lost"}
    assert browse("watch").post(start + "inventory/flag/", given).status_code == 403
    assert browse("chief").post(start + "inventory/flag/", given).status_code == 302
    answer = f"{start}inventory/flag/{Flag.objects.get().pk}/"
    assert browse("chief").post(answer, {"answer": "no"}).status_code == 403
    assert browse("manager").post(answer, {"answer": "found"}).status_code == 302
    assert Flag.objects.get().answer == "found"
    assert browse("watch").post(start + "review/sign/", {"role": "chief scientist"}).status_code == 403
    assert browse("chief").post(start + "review/sign/", {"role": "king"}).status_code == 422
    browse("chief").post(start + "review/sign/", {"role": "operator"})
    assert Review.objects.get().signatures.count() == 0
    browse("chief").post(start + "review/sign/", {"role": "chief scientist"})
    browse("operator").post(start + "review/sign/", {"role": "operator"})
    assert Review.objects.get().state == "approved"
