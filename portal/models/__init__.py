"""The ground's tables: people, fleet, cruises, journal, work and letters."""

from portal.models.cruise import (
    Award,
    Cruise,
    Instrument,
    Party,
    SailingOrders,
    Target,
)
from portal.models.fleet import Operator, Port, Vessel
from portal.models.people import Appointment, Invitation, Person, Token
from portal.models.records import JournalEntry, Letter, Work

__all__ = [
    "Appointment",
    "Award",
    "Cruise",
    "Instrument",
    "Invitation",
    "JournalEntry",
    "Letter",
    "Operator",
    "Party",
    "Person",
    "Port",
    "SailingOrders",
    "Target",
    "Token",
    "Vessel",
    "Work",
]
