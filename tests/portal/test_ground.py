"""The ground's small parts: environment, settings, state tables, template filters, SpatiaLite."""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from portal import settings
from portal.environment import Environment, Misconfigured
from portal.lifecycle import CRUISE, Table, step
from portal.refusals import NotNow
from portal.spatialite.base import load_by_pointer
from portal.templatetags import leadline


def test_flags():
    env = Environment({"A": "Yes", "B": "off", "C": "perhaps", "D": " "})
    assert (env.flag("A", False), env.flag("B", True), env.flag("D", True), env.flag("E", False)) == (
        True,
        False,
        True,
        False,
    )
    with pytest.raises(Misconfigured, match="perhaps"):
        env.flag("C", False)


@pytest.mark.parametrize(("value", "right"), [("1", True), ("9", True), ("0", False), ("10", False), ("many", False)])
def test_numbers(value: str, right: bool):
    env = Environment({"N": value})
    if right:
        assert env.number("N", 5, least=1, most=9) == int(value)
        return
    with pytest.raises(Misconfigured, match="N is"):
        env.number("N", 5, least=1, most=9)


def test_choices_names_and_unknown_variables():
    env = Environment({"X_MODE": "fast", "X_NAMES": "a, b,,", "X_TYPO": "1", "OTHER": "1"})
    assert env.choice("X_MODE", "slow", ("slow", "fast")) == "fast"
    with pytest.raises(Misconfigured, match="slow, idle"):
        env.choice("X_MODE", "slow", ("slow", "idle"))
    assert env.names("X_NAMES") == ["a", "b"]
    assert env.unknown("X_") == ["X_TYPO"]


def test_values_from_files(tmp_path: Path):
    (tmp_path / "secret").write_text("hush\n")
    env = Environment({"A_FILE": str(tmp_path / "secret"), "B_FILE": str(tmp_path / "none")})
    assert env.text("A") == "hush"
    with pytest.raises(Misconfigured, match="B_FILE names"):
        env.text("B")


def commanded(home: Path, *words: str, **settings_: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"LEADLINE_HOME": str(home)} | settings_
    command = [sys.executable, "manage.py", *words]
    return subprocess.run(command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, timeout=60)


def test_a_command_tells_a_wrong_setting_in_one_line(tmp_path: Path):
    ended = commanded(tmp_path, "states", LEADLINE_FIXITY_DAYS="often")
    assert ended.returncode == 1
    assert ended.stderr == "Leadline cannot start: LEADLINE_FIXITY_DAYS is 'often'; write a whole number.\n"


def test_a_command_does_nothing_while_a_setting_is_misspelt(tmp_path: Path):
    ended = commanded(tmp_path, "verify", "--cruise", "TS2601", LEADLINE_FIXTY_DAYS="30")
    assert ended.returncode == 1
    assert "LEADLINE_FIXTY_DAYS is not a setting of Leadline." in ended.stderr


def test_database_and_mail_addresses(tmp_path: Path):
    assert settings._database("spatialite:///a/b.sqlite3", tmp_path)["NAME"] == "/a/b.sqlite3"
    assert settings._database("spatialite://", tmp_path)["NAME"] == str(tmp_path / "leadline.sqlite3")
    postgis = settings._database("postgres://me:secret@db:5433/leadline", tmp_path)
    assert (postgis["HOST"], postgis["PORT"], postgis["NAME"]) == ("db", 5433, "leadline")
    assert str(postgis["ENGINE"]).endswith("postgis")
    with pytest.raises(Misconfigured, match="mysql"):
        settings._database("mysql://db/leadline", tmp_path)
    smtp = settings._mail("smtps://me:p%40ss@post.example.org", tmp_path)
    assert (smtp["EMAIL_PORT"], smtp["EMAIL_USE_SSL"], smtp["EMAIL_HOST_PASSWORD"]) == (465, True, "p@ss")
    with pytest.raises(Misconfigured, match="EMAIL_URL"):
        settings._mail("post.example.org", tmp_path)


def test_a_socket_has_a_short_name(tmp_path: Path):
    assert settings._queue_socket(Path("/srv/leadline")) == "unix:///srv/leadline/queue/valkey.sock"
    long = settings._queue_socket(Path("/srv") / ("x" * 120))
    assert len(long) < 110
    assert long == settings._queue_socket(Path("/srv") / ("x" * 120))


def test_the_secret_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path):
    path = tmp_path / "new" / "secret-key"
    secret = settings._own_secret(path)
    assert len(secret) >= 40
    assert settings._own_secret(path) == secret
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_state_table_steps_and_refuses():
    assert CRUISE.first == "planned"
    assert CRUISE.step("planned", "cruise.cancel") == "cancelled"
    assert not CRUISE.allows("ended", "cruise.cancel")
    with pytest.raises(NotNow, match=r"'ended'.*To cancel it must be 'planned'"):
        CRUISE.step("ended", "cruise.cancel")


def test_a_step_to_a_state_that_does_not_exist_is_a_fault(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("portal.lifecycle._tables", {})
    with pytest.raises(ValueError, match="no such state: sunk"):
        Table("boat", {"afloat": "it floats"}, [step("boat.sink", "afloat", "sunk")])


@pytest.mark.parametrize(
    ("value", "north", "east"),
    [
        (41.3168667, "41°19.012′ N", "041°19.012′ E"),
        (-70.88340, "70°53.004′ S", "070°53.004′ W"),
        (9.9999999, "10°00.000′ N", "010°00.000′ E"),
        (0.0, "00°00.000′ N", "000°00.000′ E"),
        (None, "", ""),
    ],
)
def test_positions_as_a_bridge_writes_them(value: float | None, north: str, east: str):
    assert (leadline.latitude(value), leadline.longitude(value)) == (north, east)


def test_sizes_and_times():
    assert [leadline.size(n) for n in (None, 0, 999, 1000, 1_440_000, 5e15)] == [
        "–",
        "0 B",
        "999 B",
        "1.0 kB",
        "1.4 MB",
        "5,000.0 TB",
    ]
    moment = dt.datetime(2026, 3, 2, 5, 4, 3, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    assert leadline.utc(moment) == '<time datetime="2026-03-02T03:04:03Z">2026-03-02 03:04:03 UTC</time>'
    assert leadline.utc(dt.date(2026, 3, 2)) == '<time datetime="2026-03-02">2026-03-02</time>'
    assert leadline.utc(None) == ""


def test_spatialite_loads_on_this_very_python():
    connection = sqlite3.connect(":memory:")
    try:
        with pytest.raises(sqlite3.OperationalError):
            connection.execute("SELECT spatialite_version()")
        load_by_pointer(connection)
        (version,) = connection.execute("SELECT spatialite_version()").fetchone()
    finally:
        connection.close()
    assert int(version.split(".")[0]) >= 5


@pytest.mark.parametrize(("name", "begins"), [("winch", "Winch"), ("pCO2 system", "pCO2 system"), ("", ""), ("é", "É")])
def test_a_word_begins_with_a_capital_unless_it_is_written_otherwise(name: str, begins: str):
    assert leadline.initial(name) == begins
