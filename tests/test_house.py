"""The house rules that are checks: routes name their permission, states have a tone, no file outgrows its room."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models
from django.urls import URLPattern, URLResolver, get_resolver

from eventlog.states import LOG
from inventory.states import ARRIVAL, DATASET, DEPOSIT, DISTRIBUTION, FILE_STATES, RECOVERY, REVIEW
from portal import access, floor
from portal.lifecycle import CRUISE, Table
from portal.templatetags.leadline import TONES
from publishing.states import IDENTIFIER, SUBMISSION

ROOT = Path(__file__).resolve().parent.parent
APPS = ("portal", "eventlog", "inventory", "publishing")
TABLES = (CRUISE, LOG, ARRIVAL, DISTRIBUTION, DATASET, REVIEW, DEPOSIT, RECOVERY, IDENTIFIER, SUBMISSION)
FORBIDDEN = re.compile(r"(^|_)(utils?|helpers?|core|common|managers?|services?)(_|$)")


def routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, object]]:
    for entry in patterns:
        if isinstance(entry, URLResolver):
            yield from routes(entry.url_patterns, prefix + str(entry.pattern))
        else:
            yield prefix + str(entry.pattern), entry.callback


def ours() -> list[tuple[str, object]]:
    """Our own routes: those of Django's administration, of allauth and a redirect to its sign-in are theirs."""
    foreign = ("admin/", "accounts/")
    return [(path, view) for path, view in routes(get_resolver().url_patterns) if not path.startswith(foreign)]


def test_every_route_names_its_permission():
    nameless = []
    for path, view in ours():
        named = getattr(view, "permission", None) or getattr(getattr(view, "view_class", None), "permission", None)
        named = named or getattr(getattr(view, "cls", None), "permission", None)
        if not named or (named not in ("public", "signed in") and named not in access.rights()):
            nameless.append((path, named))
    assert len(ours()) > 50
    assert nameless == []


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.thing)
def test_every_state_has_a_tone_and_every_step_a_right(table: Table):
    assert set(table.states) <= set(TONES)
    assert set(table.steps) <= set(access.rights())


def test_file_states_are_drawn():
    style = (ROOT / "portal/static/portal/leadline.css").read_text()
    missing = [word for word in FILE_STATES if f'data-word="{word}"' not in style]
    assert missing == []


def source_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.split() if "/migrations/" not in name and (ROOT / name).exists()]


def test_no_room_outgrows_its_walls():
    too_long = {
        str(path.relative_to(ROOT)): lines
        for path in source_files()
        if (lines := len(path.read_text().splitlines())) > 400 and not str(path.relative_to(ROOT)).startswith("tests/")
    }
    assert too_long == {}


def test_names_have_a_subject():
    shapeless = [str(path) for path in source_files() if FORBIDDEN.search(path.stem)]
    assert shapeless == []


def test_every_module_says_what_it_is_for():
    silent = [
        str(path)
        for path in source_files()
        if path.read_text().strip() and not path.read_text().startswith(('"""', "#!"))
    ]
    assert silent == []


def test_templates_have_no_inline_style_or_script():
    found = []
    for path in (ROOT / "templates").rglob("*.html"):
        text = path.read_text()
        if re.search(r"\sstyle=|\son[a-z]+=\"|<style|<script(?![^>]*\ssrc=)", text):
            found.append(str(path.relative_to(ROOT)))
    assert found == []


def test_models_are_all_in_the_administration():
    from django.contrib import admin

    # Fixes and samples come by the million, and Django's administration wants a key of one column.
    missing = [
        model.__name__
        for name in APPS
        for model in apps.get_app_config(name).get_models()
        if not admin.site.is_registered(model) and model.__name__ not in ("Fix", "Sample")
    ]
    assert missing == []


def test_every_foreign_key_names_its_other_end():
    silent = []
    for name in APPS:
        for model in apps.get_app_config(name).get_models():
            silent += [
                f"{model.__name__}.{field.name}"
                for field in model._meta.get_fields()
                if isinstance(field, models.ForeignKey) and not field.remote_field.related_name
            ]
    assert silent == []


def test_doors_are_named_for_their_floor():
    assert all(name.split(".")[0] in APPS for name in floor.doors())
    assert len(floor.doors()) >= 9


def test_states_page_is_up_to_date():
    from django.core.management import call_command

    call_command("states", check=True)
