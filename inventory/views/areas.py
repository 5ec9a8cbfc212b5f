"""Pages of named areas: which there are, where one lies, loading them, taking one away."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from inventory import areas
from inventory.forms import AreasForm
from inventory.models import Area
from portal import access, journal
from portal.refusals import Fault, NotFound, Refusal
from portal.views.doors import attempt, blame, needs, public

PAGE = 100
NAMED = 20  # refused features that a message tells


@public
@require_safe
def area_list(request: HttpRequest) -> HttpResponse:
    """The named areas; who may load more finds the form."""
    return _listed(request, AreasForm())


def _listed(request: HttpRequest, form: AreasForm, refused: list[Fault] | None = None) -> HttpResponse:
    rows = Area.objects.defer("geometry")
    if words := request.GET.get("q", "").strip()[:120]:
        rows = rows.filter(name__icontains=words)
    context: dict[str, Any] = {
        "page": Paginator(rows, PAGE).get_page(request.GET.get("page")),
        "form": form if access.may(request.user, "area.load") else None,
        "q": words,
        "refused": refused,
    }
    return render(request, "inventory/areas.html", context, status=422 if form.errors else 200)


@needs("area.load")
@require_POST
def load(request: HttpRequest) -> HttpResponse:
    """Takes the areas of a GeoJSON file; tells how many, and which features could not be taken and why."""
    form = AreasForm(request.POST, request.FILES)
    if not form.is_valid():
        return _listed(request, form)
    words = form.cleaned_data
    sent = words.pop("file")
    try:
        loaded = areas.load(
            text=sent.read(areas.LARGEST + 1), by=request.user, fallback=PurePath(sent.name).stem, **words
        )
    except Refusal as refusal:
        blame(form, refusal)
        return _listed(request, form)
    messages.success(
        request, f"{len(loaded.added)} areas added, {len(loaded.changed)} changed, {len(loaded.same)} known."
    )
    if loaded.mended:
        messages.info(request, f"{len(loaded.mended)} outlines crossed themselves and were mended; their pages tell.")
    if loaded.refused:
        named = "; ".join(str(fault) for fault in loaded.refused[:NAMED])
        more = f" and {len(loaded.refused) - NAMED} more" if len(loaded.refused) > NAMED else ""
        messages.warning(request, f"{len(loaded.refused)} features were not taken: {named}{more}.")
    return redirect("areas")


def _found(uuid: UUID) -> Area:
    area = Area.objects.filter(uuid=uuid).first()
    if area is None:
        raise NotFound("There is no such area.")
    return area


@public
@require_safe
def area_page(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """One area on a map: whose data it is, and the way to the files in it."""
    area = _found(uuid)
    context = {
        "area": area,
        "may_remove": access.may(request.user, "area.remove"),
        "journal": journal.of(area)[:20] if access.is_office(request.user) else [],
    }
    return render(request, "inventory/area.html", context)


@public
@require_safe
def area_geojson(request: HttpRequest, uuid: UUID) -> JsonResponse:
    """An area as a GeoJSON feature."""
    area = _found(uuid)
    properties = {"name": area.name, "kind": area.kind, "source": area.source, "licence": area.licence}
    geometry = {"type": "MultiPolygon", "coordinates": area.geometry.coords}
    return JsonResponse(
        {"type": "Feature", "id": str(area.uuid), "geometry": geometry, "properties": properties},
        content_type="application/geo+json",
    )


@needs("area.remove")
@require_POST
def remove(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Takes an area away."""
    area = _found(uuid)
    note = request.POST.get("note", "")
    return attempt(
        request, lambda: areas.remove(area=area, by=request.user, note=note), f"{area} was taken away.", "areas"
    )
