"""What an app tells the ground about itself: its doors for jobs, its steps and panels for the pages.

The ground never imports an upper app; it asks each AppConfig. An app that is not installed is simply not asked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.apps import AppConfig, apps
from django.http import HttpRequest

if TYPE_CHECKING:
    from portal.access import Actor
    from portal.models import Cruise
    from portal.work import Progress


@dataclass(frozen=True, slots=True)
class Door:
    """The way in for a job. `waiting` lists keys of what is to be done; `run` does one and may be run twice.

    `awaited`: somebody asked for it and waits, so it goes before what else waits in its queue; once it gave way it
    comes after that.
    """

    name: str
    says: str
    waiting: Callable[[], Iterable[str]]
    run: Callable[[str, Progress], None]
    long: bool = False
    awaited: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a cruise record's way, as drawn on its page. `state`: done, now, waiting, or skipped.

    `act` words what is to be done now, for those who have the `right`.
    """

    name: str
    state: str
    url: str = ""
    since: dt.datetime | dt.date | None = None
    note: str = ""
    act: str = ""
    right: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of a page: a template with its own context, placed by `order`.

    A panel of an upper floor takes the place of a lower floor's panel with the same `key`.
    """

    key: str
    template: str
    context: dict[str, Any]
    order: int = 50


@dataclass(frozen=True, slots=True)
class Waiting:
    """A line of "what waits for me": what, how many, since when, and where to go."""

    text: str
    url: str
    count: int = 1
    since: dt.datetime | dt.date | None = None
    verb: str = "Open"
    tone: str = "waiting"


@dataclass(frozen=True, slots=True)
class Link:
    """An entry of the menu."""

    text: str
    url: str
    icon: str = ""


@dataclass(slots=True)
class Plan:
    """What a demonstration is to be: size and the cruises it makes. Filled by `portal.demo`."""

    cruise: Any
    voyage: Any
    finished: bool
    folder: Any
    people: dict[str, Any] = field(default_factory=dict)
    say: Callable[[str], None] = lambda text: None


class Floor(AppConfig):
    """Base of our AppConfigs; each app overrides what it has something to say about."""

    default = False  # Django shall take the subclass, not this

    def doors(self) -> Iterable[Door]:
        """Doors for jobs."""
        return ()

    def stages(self, cruise: Cruise) -> Iterable[Stage]:
        """Steps of the record's way that this app knows of, in order."""
        return ()

    def panels(self, request: HttpRequest, cruise: Cruise) -> Iterable[Panel]:
        """Parts of the cruise page."""
        return ()

    def dataset_panels(self, request: HttpRequest, dataset: Any) -> Iterable[Panel]:
        """Parts of the page of a data set, for floors above the one that keeps data sets."""
        return ()

    def waits_for(self, actor: Actor) -> Iterable[Waiting]:
        """What waits for this person."""
        return ()

    def menu(self, request: HttpRequest) -> Iterable[Link]:
        """Entries of the menu."""
        return ()

    def demonstrate(self, plan: Plan) -> None:
        """Takes the demonstration cruise through this floor."""

    def fill(self, cruises: int, files_per_cruise: int, say: Callable[[str], None]) -> None:
        """Makes this floor's rows of many cruises, for load tests."""


def floors() -> Iterator[Floor]:
    """Our apps, the ground first."""
    return (config for config in apps.get_app_configs() if isinstance(config, Floor))


def in_order(panels: Iterable[Panel]) -> list[Panel]:
    """The panels of a page: of those with the same key the last, all by their order."""
    return sorted({panel.key: panel for panel in panels}.values(), key=lambda panel: panel.order)


def doors() -> dict[str, Door]:
    """Every door by name."""
    return {door.name: door for floor in floors() for door in floor.doors()}
