"""Files of a demonstration distribution: underway feeds, casts, soundings, documents, made along a voyage. Pure."""

from __future__ import annotations

import datetime as dt
import math
import random
from collections.abc import Callable, Iterator

from portal.demo.voyage import Position, Station, Voyage

DAY = dt.timedelta(days=1)
File = tuple[str, bytes]  # path inside the distribution, content


def files(voyage: Voyage, cruise_id: str) -> Iterator[File]:
    """Every file, directory by directory. About 500 for ten days."""
    yield from _documents(cruise_id)
    for feed, step, line in FEEDS:
        yield from _daily(voyage, cruise_id, feed, dt.timedelta(seconds=step), line)
    yield from _soundings(voyage, cruise_id)
    for station in voyage.stations:
        yield from _cast(voyage, cruise_id, station)
    yield from _science(voyage)


def _daily(
    voyage: Voyage,
    cruise_id: str,
    feed: str,
    step: dt.timedelta,
    line: Callable[[dt.datetime, Position, random.Random], str],
) -> Iterator[File]:
    """One file a day of a logger that puts its stamp before each line, as OpenRVDAS does."""
    chance = voyage.random(feed)
    moment = voyage.begins
    while moment < voyage.ends:
        midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        stop = min(midnight + DAY, voyage.ends)
        rows = []
        while moment < stop:
            stamp = moment + dt.timedelta(milliseconds=chance.randrange(80, 420))
            text = line(moment, voyage.at(moment), chance)
            rows += [f"{stamp:%Y-%m-%dT%H:%M:%S.%f}Z {part}" for part in text.split("\n")]
            moment += step
        yield f"openrvdas/raw/{feed}/{cruise_id}_{feed}-{midnight:%Y-%m-%d}", ("\n".join(rows) + "\n").encode()


def checked(body: str) -> str:
    """An NMEA sentence with its checksum: the exclusive or of all between $ and *."""
    value = 0
    for byte in body.encode("ascii"):
        value ^= byte
    return f"${body}*{value:02X}"


def _dm(value: float, figures: int, sides: str) -> str:
    """Degrees as NMEA writes them: ddmm.mmmmm,N."""
    minutes = round(abs(value) * 60, 5)
    whole, rest = divmod(minutes, 60)
    return f"{int(whole):0{figures}d}{rest:08.5f},{sides[value < 0]}"


def _place(where: Position, chance: random.Random) -> str:
    """A position with a receiver's noise of about a metre."""
    latitude = where.latitude + chance.gauss(0, 0.000006)
    longitude = where.longitude + chance.gauss(0, 0.000006)
    return f"{_dm(latitude, 2, 'NS')},{_dm(longitude, 3, 'EW')}"


def _gnss(at: dt.datetime, where: Position, chance: random.Random) -> str:
    if chance.random() < 0.0004:  # now and then a jump, as near a bridge or in a thunderstorm
        where = Position(where.latitude + 0.3, where.longitude, where.speed, where.course, where.depth)
    clock = f"{at:%H%M%S}.00"
    satellites, hdop = chance.randrange(9, 15), chance.uniform(0.6, 1.1)
    knots = where.speed / 0.514444
    return "\n".join(
        [
            checked(f"INZDA,{clock},{at:%d,%m,%Y},00,00"),
            checked(f"INGGA,{clock},{_place(where, chance)},2,{satellites:02d},{hdop:.1f},21.40,M,48.20,M,,"),
            checked(f"INVTG,{where.course:.1f},T,,M,{knots:.1f},N,{knots * 1.852:.1f},K,D"),
        ]
    )


def _second_gnss(at: dt.datetime, where: Position, chance: random.Random) -> str:
    return checked(f"GPGLL,{_place(where, chance)},{at:%H%M%S}.00,A,A")


def _gyro(at: dt.datetime, where: Position, chance: random.Random) -> str:
    return checked(f"HEHDT,{(where.course + chance.gauss(0, 1.5)) % 360:.1f},T")


def _sounder(at: dt.datetime, where: Position, chance: random.Random) -> str:
    return checked(f"SDDPT,{where.depth + chance.gauss(0, 4):.1f},5.2")


def _daily_wave(at: dt.datetime) -> float:
    return math.sin((at.hour + at.minute / 60 - 9) / 24 * 2 * math.pi)


def _weather(at: dt.datetime, where: Position, chance: random.Random) -> str:
    air = 19 + 2.2 * _daily_wave(at) + chance.gauss(0, 0.1)
    wind = max(0, 8 + 3 * math.sin(at.timestamp() / 90_000) + chance.gauss(0, 0.8))
    pressure = 1019 + 6 * math.sin(at.timestamp() / 200_000)
    direction = (215 + 30 * math.sin(at.timestamp() / 70_000)) % 360
    return f"MET,{air:.2f},{62 + chance.gauss(0, 2):.1f},{pressure:.2f},{wind:.1f},{direction:.0f}"


def _surface(where: Position) -> tuple[float, float]:
    """Temperature and salinity of the surface at a latitude, roughly."""
    return 27 - 0.012 * where.latitude**2, 36.9 - 0.0012 * (abs(where.latitude) - 25) ** 2


def _thermosalinograph(at: dt.datetime, where: Position, chance: random.Random) -> str:
    temperature, salinity = _surface(where)
    temperature += 0.3 * _daily_wave(at)
    conductivity = 4.2 + 0.05 * temperature
    temperature, salinity = temperature + chance.gauss(0, 0.01), salinity + chance.gauss(0, 0.004)
    return f"{temperature:8.4f}, {conductivity:8.5f}, {salinity:8.4f}"


def _pco2(at: dt.datetime, where: Position, chance: random.Random) -> str:
    temperature, _ = _surface(where)
    fraction = int((at.hour * 3600 + at.minute * 60 + at.second) / 0.864)
    pressure = 385 + 4 * (temperature - 20) + chance.gauss(0, 0.4)
    return f"{at:%Y%j}.{fraction:05d}\t{pressure:.2f}\t{temperature:.2f}\tEquil"


def _winch(at: dt.datetime, where: Position, chance: random.Random) -> str:
    out = where.depth if where.speed == 0.25 else 0
    return f"01RD,{at:%Y-%m-%dT%H:%M:%S},CTD,{out / 2:08.1f},{1.0 if out else 0.0:06.1f},{out * 1.4:07.0f}"


# directory, seconds between lines, what a line says
FEEDS: tuple[tuple[str, int, Callable[[dt.datetime, Position, random.Random], str]], ...] = (
    ("gnss_seapath", 30, _gnss),
    ("gnss_furuno", 60, _second_gnss),
    ("gyro", 60, _gyro),
    ("singlebeam", 60, _sounder),
    ("metstation", 60, _weather),
    ("tsg_bow", 60, _thermosalinograph),
    ("tsg_lab", 60, _thermosalinograph),
    ("pco2", 180, _pco2),
    ("winch", 60, _winch),
)


def _soundings(voyage: Voyage, cruise_id: str) -> Iterator[File]:
    """Multibeam and ADCP files. Their content is noise: nobody may take it for soundings."""
    moment, line = voyage.begins, 0
    while moment < voyage.ends:
        name = f"{line:04d}_{moment:%Y%m%d_%H%M%S}_Fathom"
        yield f"multibeam/raw/{name}.demo", voyage.random(name).randbytes(18_000)
        if moment.hour in (0, 12):
            name = f"{cruise_id}_os75_{moment:%Y%m%dT%H%M%SZ}"
            yield f"adcp/raw/{name}.demo", voyage.random(name).randbytes(60_000)
        moment, line = (moment + dt.timedelta(hours=1)).replace(minute=0, second=0, microsecond=0), line + 1


def _cast(voyage: Voyage, cruise_id: str, station: Station) -> Iterator[File]:
    """Header, configuration and data of a CTD cast."""
    base = f"ctd/raw/{cruise_id}_{station.number:03d}"
    header = [
        "* Demonstration cast made by Leadline; not measured",
        f"* System UTC = {station.begins:%b %d %Y %H:%M:%S}",
        f"* NMEA Latitude = {_degrees(station.latitude, 'N', 'S')}",
        f"* NMEA Longitude = {_degrees(station.longitude, 'E', 'W')}",
        f"** Station: {station.number:03d}",
        f"** Depth: {station.depth:.0f} m",
        "*END*",
    ]
    yield f"{base}.hdr", ("\r\n".join(header) + "\r\n").encode()
    yield f"{base}.xmlcon", b"<?xml version='1.0' encoding='UTF-8'?>\n<DemonstrationConfiguration/>\n"
    chance = voyage.random(base)
    rows = "\r\n".join(f"{chance.getrandbits(120):030X}" for _ in range(700))
    yield f"{base}.hex", ("\r\n".join(header) + "\r\n" + rows + "\r\n").encode()


def _degrees(value: float, positive: str, negative: str) -> str:
    whole, minutes = divmod(abs(value) * 60, 60)
    return f"{int(whole):02d} {minutes:05.2f} {positive if value >= 0 else negative}"


def _documents(cruise_id: str) -> Iterator[File]:
    yield "docs/README.txt", f"Distribution of demonstration cruise {cruise_id}. Nothing in it was measured.\n".encode()
    for name, text in (
        ("cruise_plan", "Stations every thirty miles, multibeam throughout."),
        ("calibration_ctd", "Temperature and conductivity sensors calibrated in March."),
        ("calibration_tsg", "Both thermosalinographs cleaned before departure."),
        ("operator_report", "No incidents. Multibeam restarted once in swell."),
    ):
        yield f"docs/{name}.txt", f"{name.replace('_', ' ').capitalize()}\n\n{text}\n".encode()


def _science(voyage: Voyage) -> Iterator[File]:
    """The drop box of the science party, which no data set takes, and a file that nobody thought of."""
    chance = voyage.random("science")
    for person in ("haugen", "okonkwo", "ferreira"):
        rows = "\n".join(f"{n},{chance.uniform(0, 4):.3f}" for n in range(1, 25))
        yield f"science/{person}/chlorophyll.csv", f"bottle,chl_ug_l\n{rows}\n".encode()
    yield "misc/deck_camera_index.txt", b"camera 2 was moved to the A-frame\n"
