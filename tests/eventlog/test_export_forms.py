"""Every form of export on real and on hostile logs: it checks itself, says the same twice, and others can read it."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import netCDF4
import pytest
from django.contrib.gis.gdal import DataSource
from lxml import etree, html

from eventlog import intake, logbook
from eventlog.exchange import r2r
from eventlog.exports import forms, making
from eventlog.models import Event, Log, Measurement, Place, Revision
from portal.access import CONSOLE
from portal.refusals import NotFound, NotLikeThis
from tests import make

pytestmark = pytest.mark.django_db
LOGS = ("ar32", "ar63", "en720")
HOSTILE = [
    '=HYPERLINK("http://x","y")',
    "+1",
    "-1",
    "@sum(1)",
    'a "quoted", word',
    "two\nlines",
    "lone\rreturn",
    "tab\there",
    "שלום עולם",
    "🐋🇵🇹",
    "</td><script>alert(1)</script>",
    "NaN",
    "\x01\x1f control",
    "'",
    "line\u2028separator",
    "e\u0301",
]
AT = dt.datetime(2026, 3, 2, 3, 14, 7, 120_000, tzinfo=dt.UTC)


def made(log: Log, form: str, **asked) -> bytes:
    """The bytes of an export."""
    export = making.make(log, form, **asked)
    with export.file as file:
        assert export.report.passed
        assert export.report.checks
        return file.read()


def kept(tmp_path: Path, log: Log, form: str, **asked) -> Path:
    path = tmp_path / f"export.{form}"
    path.write_bytes(made(log, form, **asked))
    return path


def rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


@pytest.fixture
def hostile() -> Log:
    """A log in which every text is a trap; one event is struck, one changed, two cross 180 degrees."""
    log = make.log()
    for number, text in enumerate(HOSTILE):
        made_at = AT + dt.timedelta(hours=5 * number)
        event = make.event(log, observed_at=made_at, comment=text, station="", cast="", extra={f"x {text[:9]}": text})
        if number == 0:
            Measurement.objects.create(event=event, source=text, name="", value=text, unit="°C")
    tow = {"instrument": "Bongo net", "station": "L9", "cast": "9"}
    make.event(log, observed_at=AT, latitude=-10.0, longitude=179.9, **tow)
    later = AT + dt.timedelta(hours=1)
    make.event(log, observed_at=later, latitude=-12.0, longitude=-179.9, action="recover", **tow)
    make.event(log, observed_at=AT, ended_at=AT + dt.timedelta(minutes=3), instrument="Multibeam", action="start")
    make.event(log, observed_at=AT, latitude=None, longitude=None, seafloor_m=None, extra={"depth_m": 12.5, "ok": True})
    struck = make.event(log, observed_at=AT, comment="never happened")
    logbook.strike(event=struck, by=make.person("chief"), reason="pressed <by> mistake")
    changed = make.event(log, observed_at=AT, comment="before")
    logbook.revise(event=changed, by=make.person("chief"), fields={"comment": "after"}, reason="typing error")
    return log


@pytest.fixture
def real(real_data) -> Log:
    """All three real R2R logs in one, with everything their people typed."""
    log = make.log()
    for path in sorted((real_data / "r2r-elog").glob("*.csv")):
        intake.import_events(log=log, name=path.name, data=path.read_bytes(), by=CONSOLE)
    return log


@pytest.fixture
def falkor(real_data) -> Log:
    """The Sealog of Falkor (too), with its auxiliary data; 14 events have no position."""
    log = make.log()
    folder = real_data / "sealog"
    events, aux = (next(folder.glob(f"*{kind}*.json")) for kind in ("event", "aux"))
    intake.import_events(log=log, name=events.name, data=events.read_bytes(), aux=aux.read_bytes(), by=CONSOLE)
    return log


# --- all forms ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", forms.FORMS)
def test_every_form_takes_a_hostile_log_and_says_the_same_twice(hostile, form):
    first = making.make(hostile, form)
    with first.file as file, making.make(hostile, form).file as again:
        assert file.read() == again.read()
    wanted = hostile.events.count() if forms.FORMS[form].struck else hostile.events.standing().count()
    assert (first.events, first.report.passed) == (wanted, True)
    assert first.told()["validation"]["checks"]


@pytest.mark.parametrize("form", forms.FORMS)
def test_every_form_takes_an_empty_log(form):
    assert made(make.log(), form)


@pytest.mark.parametrize("form", [name for name in forms.FORMS if name != "pdf"])
@pytest.mark.real_data
def test_every_form_takes_the_real_logs(real, form):
    export = making.make(real, form)
    export.file.close()
    assert export.events == real.events.count() == 353


@pytest.mark.parametrize("form", [name for name in forms.FORMS if name != "pdf"])
@pytest.mark.real_data
def test_every_form_takes_the_log_of_falkor(falkor, form):
    export = making.make(falkor, form)
    export.file.close()
    assert export.events == 525
    if form in ("csv", "geojson", "gpkg", "netcdf", "r2r-csv", "dwc"):
        assert any("14 of 525 events have no position" in note for note in export.report.notes)


@pytest.mark.parametrize("form", [name for name in forms.FORMS if name != "csvw"])
def test_names_are_hidden_from_those_who_may_not_read_them(form):
    event = make.event(comment="calm")
    logbook.revise(event=event, by=make.person("chief"), fields={"comment": "rough"})
    told, hidden = made(event.log, form), made(event.log, form, names=False)
    if form in ("csvw-zip", "dwc"):
        told, hidden = (b"".join(_members(data).values()) for data in (told, hidden))
    if form == "netcdf":
        told, hidden = (netCDF4.Dataset("m", memory=data)["author"][:].tobytes() for data in (told, hidden))
    if form not in ("pdf", "stations", "geojson", "dwc"):
        assert b"Keane" in told
    assert b"Keane" not in hidden


def _members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_selection_is_exported_and_says_so(hostile):
    some = hostile.events.filter(cast="9")
    assert [row["cast"] for row in rows(made(hostile, "csv", events=some))] == ["9", "9"]
    assert "a selection of" in json.loads(made(hostile, "geojson", events=some))["about"]["selection"]
    assert "all standing" in json.loads(made(hostile, "geojson"))["about"]["selection"]
    header = made(hostile, "csv", events=some).splitlines()[0]
    assert header == made(hostile, "csv").splitlines()[0], "a selection has the columns of the whole"


def test_an_unknown_form_and_too_long_a_pdf_are_refused(monkeypatch):
    log = make.event().log
    with pytest.raises(NotFound, match="gpkg"):
        making.make(log, "xlsx")
    import dataclasses

    monkeypatch.setitem(forms.FORMS, "pdf", dataclasses.replace(forms.FORMS["pdf"], most=0))
    with pytest.raises(NotLikeThis, match="at most 0 events"):
        making.make(log, "pdf")


# --- form by form ---------------------------------------------------------------------------------------------------


def test_csv_is_strict_and_exact(hostile):
    data = made(hostile, "csv")
    assert data.count(b"\r\n") >= 20
    found = rows(data)
    assert [row["comment"] for row in found if row["station"] == "" and row["extra"].startswith('{"x ')] == HOSTILE
    assert {"latitude (degrees_north)", "observed_at (UTC)", "derived_gap (s)", "extra_depth_m"} <= found[0].keys()
    bare = next(row for row in found if row["extra_depth_m"])
    assert (bare["extra_depth_m"], bare["extra_ok"], bare["latitude (degrees_north)"]) == ("12.5", "true", "")
    assert json.loads(bare["extra"]) == {"depth_m": 12.5, "ok": True}
    edited = next(row for row in found if row["comment"] == "after")
    assert (edited["revision"], edited["edits"]) == ("2", "1")


def test_csv_tells_manual_and_derived_positions_apart():
    event = make.event(latitude=None, longitude=None, seafloor_m=None)
    derived = {"nav_latitude": 1.5, "nav_longitude": 2.5, "nav_method": "interpolated", "nav_feed": "gp02"}
    Event.objects.filter(pk=event.pk).update(
        **derived, nav_gap_s=20.0, nav_uncertainty_m=31.5, nav_depth_m=float("nan")
    )
    (row,) = rows(made(event.log, "csv"))
    assert (row["latitude (degrees_north)"], row["position_source"]) == ("1.5", "derived")
    assert (row["derived_method"], row["derived_feed"]) == ("interpolated", "gp02")
    assert (row["derived_gap (s)"], row["derived_uncertainty (m)"]) == ("20.0", "31.5")
    assert row["derived_seafloor_depth (m)"] == "", "what is no number is nothing"
    Event.objects.filter(pk=event.pk).update(latitude=3.0, longitude=4.0)
    (row,) = rows(made(event.log, "csv"))
    assert (row["latitude (degrees_north)"], row["derived_latitude (degrees_north)"]) == ("3.0", "1.5")
    assert row["position_source"] == "entered"


def test_csvw_describes_the_csv_beside_it(hostile):
    members = _members(made(hostile, "csvw-zip"))
    cruise = hostile.cruise.cruise_id
    about = json.loads(members[f"{cruise}-metadata.json"])
    events, measured = about["tables"]
    assert about["@context"][0] == "http://www.w3.org/ns/csvw"
    assert members[events["url"]] == made(hostile, "csv")
    header = next(csv.reader(io.StringIO(members[events["url"]].decode(), newline="")))
    assert [column["titles"] for column in events["tableSchema"]["columns"]] == header
    latitude = next(c for c in events["tableSchema"]["columns"] if c["name"] == "latitude")
    assert latitude["datatype"] == {"base": "double", "minimum": -90, "maximum": 90}
    assert latitude["schema:unitText"] == "degrees_north"
    assert events["tableSchema"]["primaryKey"] == "uuid"
    (value,) = rows(members[measured["url"]])
    assert (value["value"], value["unit"]) == (HOSTILE[0], "°C")
    alone = json.loads(made(hostile, "csvw"))
    assert alone["tableSchema"] == events["tableSchema"]


@pytest.mark.real_data
def test_r2r_csv_comes_back_field_by_field(real):
    events = {event.number: event for event in r2r.read(made(real, "r2r-csv")).events}
    assert len(events) == 353
    for event in real.events.prefetch_related("measurements"):
        logged, back = event.logged(), events[event.number]
        for name in ("observed_at", "instrument", "action", "station", "cast", "latitude", "longitude", "comment"):
            assert getattr(back, name) == getattr(logged, name), (event.number, name)


def test_geojson_has_a_box_over_the_antimeridian_and_null_where_nobody_knows(hostile):
    some = hostile.events.filter(cast="9") | hostile.events.filter(latitude=None)
    found = json.loads(made(hostile, "geojson", events=some))
    assert found["bbox"] == [179.9, -12.0, -179.9, -10.0]
    assert sorted(str(f["geometry"] and f["geometry"]["coordinates"]) for f in found["features"]) == [
        "None",
        "[-179.9, -12.0]",
        "[179.9, -10.0]",
    ]


def test_gdal_reads_the_geopackage(tmp_path, hostile):
    Place.objects.create(log=hostile, name="L1", aliases=["LTER1"], latitude=1.0, longitude=2.0)
    path = kept(tmp_path, hostile, "gpkg").rename(tmp_path / "log.gpkg")
    source: Any = DataSource(path)
    layers = {layer.name: layer for layer in (source[n] for n in range(len(source)))}
    assert {"events", "operations", "stations"} <= layers.keys()
    events = layers["events"]
    assert len(events) == hostile.events.standing().count()
    assert events.srs.srid == 4326
    texts = {feature.get("comment") for feature in events}
    assert set(HOSTILE) - {"\x01\x1f control"} <= texts
    tow = next(feature for feature in layers["operations"] if feature.get("instrument") == "Bongo net")
    crossing = tow.geom
    assert crossing.geom_name == "MULTILINESTRING", "the tow that crosses 180 degrees is two lines"
    assert crossing.coords == (((179.9, -10.0), (180.0, -11.0)), ((-180.0, -11.0), (-179.9, -12.0)))
    station = next(feature for feature in layers["stations"] if feature.get("name") == "L1")
    assert (station.get("name"), station.geom.coords) == ("L1", (2.0, 1.0))


def test_netcdf_is_points_with_units_and_flags(tmp_path, hostile):
    with netCDF4.Dataset(kept(tmp_path, hostile, "netcdf")) as data:
        placed = hostile.events.standing().exclude(latitude=None).count()
        assert (data.featureType, data.dimensions["obs"].size) == ("point", placed)
        assert data["time"].units == "seconds since 1970-01-01 00:00:00 UTC"
        assert data["time"][0] == AT.timestamp()
        assert data["seafloor_depth"].standard_name == "sea_floor_depth_below_sea_surface"
        assert data["seafloor_depth"]._FillValue == -99999.0
        meanings = dict(zip(data["action_code"].flag_meanings.split(), data["action_code"].flag_values, strict=True))
        assert set(meanings) == {"deploy", "recover", "start"}
        assert list(data["action_code"][:]).count(meanings["recover"]) == 1
        data["comment"].set_auto_chartostring(False)
        raw = data["comment"][:].filled(b"")
        texts = [b"".join(row).rstrip(b"\0").decode() for row in raw]
        assert set(HOSTILE) <= set(texts)
        assert data.date_modified.startswith(f"{Revision.objects.latest('at').at:%Y-%m-%d}")


def test_darwin_core_hangs_events_on_operations_and_the_cruise(hostile):
    members = _members(made(hostile, "dwc"))
    assert list(members) == ["meta.xml", "eml.xml", "event.txt", "extendedmeasurementorfact.txt"]
    meta = etree.fromstring(members["meta.xml"])
    space = {"t": "http://rs.tdwg.org/dwc/text/"}
    terms = [node.get("term") for node in meta.iterfind("t:core/t:field", space)]
    assert "http://rs.tdwg.org/dwc/terms/coordinateUncertaintyInMeters" in terms
    lines = members["event.txt"].decode().split("\n")
    header, *body = [line.split("\t") for line in lines if line]
    found = [dict(zip(header, line, strict=True)) for line in body]
    by_id = {row["eventID"]: row for row in found}
    assert len(by_id) == len(found)
    interval = next(row for row in found if row["samplingProtocol"] == "Multibeam" and row["eventType"] == "start")
    assert interval["eventDate"] == "2026-03-02T03:14:07.120000Z/2026-03-02T03:17:07.120000Z"
    recover = next(row for row in found if row["eventType"] == "recover")
    operation = by_id[recover["parentEventID"]]
    assert by_id[operation["parentEventID"]]["eventType"] == "Expedition"
    assert operation["footprintWKT"].startswith("MULTILINESTRING ((179.9 -10.0, 180.0 -11.0), (-180.0 -11.0")
    deep = next(row for row in found if row["minimumDepthInMeters"])
    assert deep["maximumDepthInMeters"] == "12.5"
    assert (deep["decimalLatitude"], deep["geodeticDatum"]) == ("", "")
    assert "two lines" in members["event.txt"].decode()
    facts = members["extendedmeasurementorfact.txt"].decode()
    assert "sea-floor depth\thttp://vocab.nerc.ac.uk/collection/P01/current/MBANZZZZ/\t3120.0\tm" in facts


def test_the_printed_log_shows_struck_events_and_every_change(hostile):
    document = html.document_fromstring(made(hostile, "html"))
    struck = document.xpath("//tr[@class='struck']")
    assert len(struck) == 1
    assert "never happened" in struck[0].text_content()
    assert "struck" in struck[0].xpath(".//strong")[0].text_content()
    changed = next(row for row in document.xpath("//tr[@data-event]") if "typing error" in row.text_content())
    assert [node.text_content() for node in changed.xpath(".//del|.//ins")][:2] == ["before", "after"]
    assert not document.xpath("//script")
    assert len(document.xpath("//section[@data-day]")) == len(
        {at.date() for at in hostile.events.values_list("observed_at", flat=True)}
    )
    head = hostile.revisions.order_by("-sequence").values_list("digest", flat=True).first()
    assert head in made(hostile, "html").decode()


def test_the_station_table_has_begin_bottom_and_end():
    log = make.log()
    Place.objects.create(log=log, name="S9", aliases=["Sta 9"], latitude=5.0, longitude=6.0, is_planned=True)
    Place.objects.create(log=log, name="S8", is_planned=True)
    for minutes, action in ((0, "deploy"), (30, "maxDepth"), (60, "recover")):
        at = AT + dt.timedelta(minutes=minutes)
        make.event(log, observed_at=at, action=action, station="Sta 9", cast="1", latitude=5 + minutes / 1000)
    found = {row["station"]: row for row in rows(made(log, "stations"))}
    cast, idle = found["Sta 9"], found["S8"]
    assert (cast["cast"], cast["events"], cast["duration (min)"]) == ("1", "3", "60.0")
    assert (cast["bottom_at (UTC)"], cast["bottom_latitude (degrees_north)"]) == ("2026-03-02T03:44:07.120000Z", "5.03")
    assert (cast["end_latitude (degrees_north)"], cast["station_latitude (degrees_north)"]) == ("5.06", "5.0")
    assert (idle["state"], idle["began_at (UTC)"], idle["events"]) == ("planned", "", "0")
