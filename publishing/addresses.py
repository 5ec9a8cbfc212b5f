"""Public addresses and names of the repository, as they go out in records: absolute, and the same in every format."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse

from inventory.models import Dataset
from portal.models import Cruise


def repository_name() -> str:
    """What the repository calls itself."""
    return str(settings.REPOSITORY_NAME)


def contact() -> str:
    """The address for harvesters and readers."""
    return str(settings.REPOSITORY_CONTACT)


def domain() -> str:
    """The domain of OAI identifiers: that of the contact, which outlives host names."""
    return contact().rpartition("@")[2]


def cruise_page(cruise: Cruise) -> str:
    """The landing page of a cruise."""
    return settings.SITE_URL + reverse("cruise", args=[cruise.cruise_id])


def dataset_page(dataset: Dataset) -> str:
    """The landing page of a data set."""
    return settings.SITE_URL + reverse("dataset", args=[dataset.cruise.cruise_id, dataset.uuid])


def oai() -> str:
    """The base address of the OAI-PMH repository."""
    return settings.SITE_URL + reverse("oai")
