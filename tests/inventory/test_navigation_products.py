"""The products have the published shape, the right values, and the same bytes for the same input."""

import io
import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inventory.navigation.clean import clean
from inventory.navigation.control import control_lines, split
from inventory.navigation.extent import extent
from inventory.navigation.fixes import Fixes
from inventory.navigation.geocsv import Origin, read_geocsv, write_geocsv
from inventory.navigation.geodesic import inverse, motion
from inventory.navigation.products import Track, best_resolution, control_points, one_minute, to_geojson
from inventory.navigation.read import read

ORIGIN = Origin(
    attribution="Rolling Deck to Repository (R2R) Program; http://www.rvdata.us/",
    source_repository="doi:10.17616/R39C8D",
    source_event="doi:10.7284/910464",
    source_dataset="doi:10.7284/160211",
    cruise_id="RR2402",
    created_at=datetime(2024, 9, 26, 20, 19, 43, tzinfo=UTC),
)


def at(*texts: str) -> Any:
    return np.array([f"2014-08-01T{text}" for text in texts], "datetime64[ms]")


def row(times: Any, longitude: float = 10.0) -> Track:
    fixes = Fixes.of(times, longitude + np.arange(len(times)) * 1e-4, np.full(len(times), -5.0))
    return best_resolution(fixes, np.ones(len(times), bool))


def written(product: str, track: Track, flagged: Fixes | None = None) -> str:
    stream = io.StringIO()
    write_geocsv(stream, product, track, ORIGIN, flagged=flagged)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("places", "metres", "degrees"),
    [
        # Flinders Peak to Buninyon (Vincenty's own country's test line, on WGS 84)
        ((144.42486789, -37.95103342, 143.92649553, -37.65282114), 54_972.271, 306.86816),
        ((0.0, 0.0, 1.0, 0.0), 111_319.491, 90.0),
        ((0.0, 0.0, 0.0, 1.0), 110_574.389, 0.0),
        ((179.5, 10.0, -179.5, 10.0), 109_639.322, 89.913),
        ((-179.5, 0.0, 179.5, 0.0), 111_319.491, 270.0),
        ((20.0, 89.9, -160.0, 89.9), 22_338.8, 0.0),
    ],
)
def test_vincenty(places: tuple[float, float, float, float], metres: float, degrees: float) -> None:
    distance, course = inverse(*(np.array([value]) for value in places))
    assert distance[0] == pytest.approx(metres, abs=0.1)
    assert (course[0] - degrees + 180) % 360 - 180 == pytest.approx(0, abs=0.001)


def test_vincenty_where_it_has_no_answer() -> None:
    distance, course = inverse(np.array([5.0, 0.0]), np.array([5.0, 0.0]), np.array([5.0, 179.9]), np.array([5.0, 0.1]))
    assert distance[0] == 0
    assert np.isnan(course[0])
    assert np.isnan(distance[1])


def test_motion_is_forward_and_nan_at_the_last() -> None:
    speed, course = motion(at("00:00:00", "00:00:10", "00:00:10"), np.array([0.0, 0.001, 0.002]), np.zeros(3))
    assert speed[0] == pytest.approx(11.1319, abs=1e-3)
    assert course[0] == pytest.approx(90)
    assert np.isnan(speed[1])  # no time passed
    assert np.isnan([speed[2], course[2]]).all()


def test_motion_of_a_long_track_has_no_seams() -> None:
    size = 150_000
    fixes = Fixes.of(
        at("00:00:00") + np.arange(size) * np.timedelta64(1, "s"), np.full(size, 3.0), np.arange(size) * 1e-4
    )
    speed, course = motion(fixes.time, fixes.longitude, fixes.latitude)
    assert np.isnan(speed).sum() == 1
    assert (course[:-1] == 0).all()
    assert np.abs(np.diff(speed[:-1])).max() < 1e-3


def test_speed_agrees_with_the_receivers_own(real_data: Path) -> None:
    path = real_data / "nbp1406/data/s330/raw/NBP1406_s330-2014-08-01"
    fixes, _ = read([path])
    track = best_resolution(fixes, clean(fixes).good)
    told = [line.split(b",") for line in path.read_bytes().splitlines() if b"VTG," in line]
    speed = np.array([float(line[7]) for line in told]) / 3.6
    course = np.array([float(line[1]) for line in told])
    assert np.nanmedian(np.abs(track.speed - speed)) < 0.15
    assert np.nanmedian(np.abs((track.course - course + 180) % 360 - 180)) < 3


def test_one_minute_takes_the_nearest_within_30_seconds() -> None:
    times = at(
        "00:00:10", "00:00:29.999", "00:00:59.5", "00:01:00.4", "00:01:59", "00:02:01",
        "00:04:30", "00:06:31", "00:08:25", "00:08:35",
    )  # fmt: skip
    chosen = one_minute(row(times)).fixes.time
    assert (
        chosen.tolist()
        == at("00:00:10", "00:01:00.4", "00:01:59", "00:04:30", "00:06:31", "00:08:25", "00:08:35").tolist()
    )


def test_one_minute_changes_no_value() -> None:
    track = row(at("00:00:00") + np.arange(400) * np.timedelta64(1700, "ms"))
    chosen = one_minute(track)
    rows = np.searchsorted(track.fixes.time, chosen.fixes.time)
    assert len(chosen) == 12
    assert (track.fixes.longitude[rows] == chosen.fixes.longitude).all()
    assert (track.speed[rows] == chosen.speed).all()
    assert len(one_minute(track.take(np.zeros(0, np.intp)))) == 0


@pytest.mark.parametrize("name", ["RR2402_control.geoCSV", "HRS1506_bestres_excerpt.geoCSV"])
def test_headers_are_those_of_the_published_files(real_data: Path, name: str) -> None:
    published = (real_data / "nav" / name).read_text().splitlines()
    product = "control" if "control" in name else "bestres"
    ours = written(product, row(at("00:00:00"))).splitlines()
    size = next(number for number, line in enumerate(published) if not line.startswith("#")) + 1
    own = ("#source_event", "#source_dataset", "#cruise_id", "#creation_date")
    for theirs, mine in zip(published[:size], ours[:size], strict=True):
        if theirs.startswith(own):
            assert theirs.partition(":")[0] == mine.partition(":")[0]
        elif theirs.startswith("#field_long_name") and product == "bestres":
            assert sorted(theirs.partition(": ")[2].split(",")) == sorted(mine.partition(": ")[2].split(","))
            assert mine.endswith(",speed made good,course made good")  # theirs has the two the wrong way round
        else:
            assert mine == theirs
    assert published[0] == "#dataset: GeoCSV 2.0"


def test_the_published_excerpt_is_read(real_data: Path) -> None:
    with (real_data / "nav/HRS1506_bestres_excerpt.geoCSV").open() as stream:
        table = read_geocsv(stream)
    assert (len(table.rows), len(table.flagged)) == (9, 4)
    assert len(table.columns) == 9
    assert {len(cells) for cells in table.flagged} == {7}
    assert table.header["cruise_id"] == "HRS1506"
    assert table.header["source_event"] == "doi:10.7284/906846"
    # Written again from the values, every line but speed and course is theirs.
    column = [np.array(cells, object) for cells in zip(*(cells[:7] for cells in table.rows), strict=True)]
    fixes = Fixes(
        np.array([text[:-1] for text in column[0]], "datetime64[ms]"),
        column[1].astype(float), column[2].astype(float), column[3].astype(np.int16),
        column[4].astype(np.int16), column[5].astype(np.float32), column[6].astype(np.float32),
    )  # fmt: skip
    track = best_resolution(fixes, np.ones(len(fixes), bool))
    again = read_geocsv(io.StringIO(written("bestres", track, fixes)))
    assert [cells[:7] for cells in again.rows] == [cells[:7] for cells in table.rows] == again.flagged
    pairs = [row for row in range(8) if fixes.time[row + 1] - fixes.time[row] == np.timedelta64(1, "s")]
    assert len(pairs) == 6
    for row in pairs:  # the courses are those to the next fix; of the speeds, theirs stand one row later
        assert float(again.rows[row][8]) == pytest.approx(float(table.rows[row][8]), abs=0.002)
        assert float(again.rows[row][7]) == pytest.approx(float(table.rows[row + 1][7]), abs=0.011)


def test_cells() -> None:
    fixes = Fixes.of(
        at("00:00:00.25", "00:00:01.25", "00:00:02.25"),
        np.array([179.9999999, -1e-9, 7.5]),
        np.array([-1e-9, 1, 2]),
    )
    fixes.hdop[0], fixes.altitude[0], fixes.quality[0], fixes.nsv[0] = 0.9, -2.76, 2, 11
    flagged = fixes.take(np.array([2]))
    track = Track(fixes.take(np.array([0, 1])), np.array([4.0, np.nan]), np.array([359.9999, np.nan]))
    assert written("bestres", track, flagged).splitlines()[-3:] == [
        "2014-08-01T00:00:00.25Z,-180.000000,0.000000,2,11,0.9,-2.76,4.00,0.000",
        "2014-08-01T00:00:01.25Z,0.000000,1.000000,NAN,NAN,NAN,NAN,NAN,NAN",
        "#2014-08-01T00:00:02.25Z,7.500000,2.000000,NAN,NAN,NAN,NAN",
    ]
    assert written("1min", track).splitlines()[-1] == "2014-08-01T00:00:01.25Z,0.000000,1.000000,NAN,NAN"
    assert written("control", track).splitlines()[-1] == "2014-08-01T00:00:01.25Z,0.000000,1.000000"
    assert written("control", row(at("00:00:01"))).splitlines()[-1].startswith("2014-08-01T00:00:01Z,")
    assert written("control", row(at("00:00:01.001"))).splitlines()[-1].startswith("2014-08-01T00:00:01.001Z,")


def test_refusals() -> None:
    track = row(at("00:00:00"))
    with pytest.raises(ValueError, match="none of"):
        written("bestest", track)
    with pytest.raises(ValueError, match="bestres only"):
        written("control", track, track.fixes)
    for wrong in ({"cruise_id": "A\nb"}, {"created_at": datetime(2024, 1, 1)}):  # noqa: DTZ001
        origin = Origin(**{**{name: getattr(ORIGIN, name) for name in Origin.__dataclass_fields__}, **wrong})
        with pytest.raises(ValueError, match=r"line break|zone"):
            write_geocsv(io.StringIO(), "control", track, origin)
    for text in (
        "iso_time\n",
        "#dataset: GeoCSV 2.0\na,b,c,d\n1,2\n",
        "#dataset: GeoCSV 2.0\na,b,c,d\n#1,2\n",
    ):
        with pytest.raises(ValueError, match=r"^line \d"):
            read_geocsv(io.StringIO(text))


def test_creation_is_told_in_utc() -> None:
    east = datetime(2024, 9, 27, 5, 19, 43, tzinfo=timezone(timedelta(hours=9)))
    stream = io.StringIO()
    origin = Origin("a", "b", "c", "d", "e", east)
    write_geocsv(stream, "control", row(at("00:00:00")), origin)
    assert "#creation_date: 2024-09-26T20:19:43Z\n" in stream.getvalue()


def test_a_real_cruise_from_raw_files_to_products(real_data: Path) -> None:
    fixes, _ = read([real_data / "nav/nav03_NEMA-Serial_20101005-122347.Raw"])
    judged = clean(fixes)
    best = best_resolution(fixes, judged.good)
    minutes = one_minute(best)
    control = control_points(minutes)
    assert len(best) == 10_903
    assert 2_000 < len(minutes) < 53 * 60
    assert 20 < len(control) < len(minutes) / 10
    assert (np.diff(minutes.fixes.time) > np.timedelta64(0)).all()
    assert control.fixes.time[[0, -1]].tolist() == minutes.fixes.time[[0, -1]].tolist()
    assert np.nanmax(best.speed) < 12

    box = extent(minutes.fixes.longitude, minutes.fixes.latitude)
    assert box is not None
    assert -92.1 < box.west < box.east < -84  # Lake Superior
    assert 46 < box.south < box.north < 49
    lines = split(control.fixes.longitude, control.fixes.latitude)
    assert [len(line) for line in lines] == [len(control)]
    feature = to_geojson(lines, {"cruise": "X"})
    assert json.loads(json.dumps(feature)) == feature
    assert feature["bbox"] == pytest.approx(
        list(extent(control.fixes.longitude, control.fixes.latitude) or ()), abs=1e-6
    )
    assert written("bestres", best) == written("bestres", best)
    table = read_geocsv(io.StringIO(written("bestres", best)))
    assert len(table.rows) == 10_903


def test_the_ship_of_2014_in_a_quarter_of_an_hour(real_data: Path) -> None:
    fixes, _ = read([real_data / "nbp1406/data/seap/raw/NBP1406_seap-2014-08-01"])
    minutes = one_minute(best_resolution(fixes, clean(fixes).good))
    assert len(minutes) == 13
    lines = control_lines(minutes.fixes.longitude, minutes.fixes.latitude, minutes.fixes.time, 0.001, max_gap_s=300)
    assert len(lines) == 1
    assert 2 <= len(lines[0]) <= 4
    box = extent(fixes.longitude, fixes.latitude)
    assert box == pytest.approx((-17.961, -22.0265, -17.939, -22.0018), abs=0.001)


def test_geojson_of_nothing_and_across_the_date_line() -> None:
    assert to_geojson([]) == {"type": "Feature", "geometry": None, "properties": {}}
    feature = to_geojson(split(np.array([179.0, -179.0]), np.array([1.0, 2.0])))
    assert feature["geometry"] == {
        "type": "MultiLineString",
        "coordinates": [[[179.0, 1.0], [180.0, 1.5]], [[-180.0, 1.5], [-179.0, 2.0]]],
    }
    assert feature["bbox"] == [179.0, 1.0, -179.0, 2.0]
