"""Public files of a cruise record, the Operations Report, and the office's page of submissions."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from portal import access, jobs
from portal.models import Cruise
from portal.refusals import NotFound, NotLikeThis
from portal.views.doors import attempt, needs, of_cruise
from publishing import record
from publishing.archives import submission as submissions
from publishing.models import Submission
from publishing.reports import operations


def _published(request: HttpRequest, cruise: Cruise) -> None:
    """Before its release a record is seen by its own people alone. Raises NotFound."""
    if not (cruise.releases.exists() or access.may(request.user, "review.see", cruise)):
        raise NotFound(f"The record of {cruise} is not published yet.")


def _private(request: HttpRequest, cruise: Cruise) -> bool:
    """Whether the whole science party is asked for, by somebody who may see it."""
    return request.GET.get("party") == "all" and access.may(request.user, "party.see_private", cruise)


@of_cruise
@require_safe
def record_xml(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """The canonical cruise record as it stands."""
    _published(request, cruise)
    root = record.build(cruise, today=timezone.now().date(), private=_private(request, cruise))
    text = '<?xml version="1.0" encoding="UTF-8"?>\n' + record.text(root)
    return HttpResponse(text, content_type="application/xml; charset=utf-8")


@of_cruise
@require_safe
def report(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """The Operations Report."""
    _published(request, cruise)
    return HttpResponse(operations.as_html(cruise, now=timezone.now(), private=_private(request, cruise)))


@of_cruise
@require_safe
def report_pdf(request: HttpRequest, cruise: Cruise) -> HttpResponse:
    """The Operations Report as PDF."""
    _published(request, cruise)
    made = operations.as_pdf(cruise, now=timezone.now(), private=_private(request, cruise))
    response = HttpResponse(made, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{cruise.cruise_id}-operations-report.pdf"'
    return response


class AccessionForm(forms.Form):
    """What an archive told, for those who have no program that tells it."""

    archive = forms.CharField(max_length=120, initial="NCEI")
    number = forms.CharField(label="Accession number", max_length=60)
    version = forms.CharField(max_length=20, initial="1.1")
    landing_url = forms.URLField(label="Landing page", max_length=500, assume_scheme="https")
    direct_url = forms.URLField(label="Direct download", max_length=500, required=False, assume_scheme="https")


@needs("submission.see")
@require_safe
def submission_list(request: HttpRequest) -> HttpResponse:
    """Every submission: its bag, where it is staged, and what the archive said."""
    rows: Any = Submission.objects.select_related("dataset__cruise__vessel", "dataset__identifier")
    rows = rows.prefetch_related("accessions")
    if state := request.GET.get("state"):
        rows = rows.filter(state=state)
    context = {
        "page": Paginator(rows, 50).get_page(request.GET.get("page")),
        "staging": settings.STAGING,
        "form": AccessionForm(),
        "states": [state for state, _ in Submission._meta.get_field("state").choices or ()],
    }
    return render(request, "publishing/submissions.html", context)


@needs("submission.see")
@require_POST
def accession(request: HttpRequest, uuid: str) -> HttpResponse:
    """Records an accession by hand."""
    found = Submission.objects.select_related("dataset__cruise").filter(uuid=uuid).first()
    if found is None:
        raise NotFound("There is no such submission.")
    form = AccessionForm(request.POST)

    def tell() -> None:
        if not form.is_valid():
            wrong = "; ".join(f"{name}: {' '.join(map(str, errors))}" for name, errors in form.errors.items())
            raise NotLikeThis(f"The accession is not accepted: {wrong}")
        submissions.told(submission=found, by=request.user, **form.cleaned_data)
        jobs.soon()

    return attempt(request, tell, f"The accession of {found.dataset} is recorded.", "submissions")
