"""The page of files by area and period, and what it sends: CSV and GeoJSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from inventory import exports, questions, searching
from inventory.models import Coverage, Dataset
from portal import streaming
from portal.views.doors import public

PAGE = 100
DRAWN = 500
COLUMNS = (
    "cruise", "vessel", "class", "dataset", "path", "size", "sha256", "first", "last",
    "west", "south", "east", "north", "derived", "format", "instrument", "remark",
)  # fmt: skip


@public
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Files measured in an area and a period, by data set and one by one, with a map."""
    form = questions.SearchForm(request.GET or None)
    context: dict[str, Any] = {"form": form, "asked": bool(request.GET)}
    if request.GET and form.is_valid():
        answer = searching.first(form.question, request.user, searching.LISTED)
        page: Any = Paginator(answer.keys, PAGE).get_page(request.GET.get("page"))
        named = [row["dataset"] for row in answer.groups[:PAGE]]
        sets = Dataset.objects.visible_to(request.user).select_related("cruise__vessel").in_bulk(named)
        words = request.GET.urlencode()
        context |= {
            "page": page,
            "rows": searching.rows_of(page.object_list, request.user),
            "more": answer.more,
            "groups": [
                row | {"dataset": sets[pk]} for pk, row in zip(named, answer.groups, strict=False) if pk in sets
            ],
            "group_count": len(answer.groups),
            "map_url": f"{reverse('files-geojson')}?{words}&most={DRAWN}",
            "words": words,
            "drawn": DRAWN,
        }
    wrong = bool(request.GET) and not form.is_valid()
    return render(request, "inventory/search.html", context, status=422 if wrong else 200)


@public
@require_safe
def search_csv(request: HttpRequest) -> StreamingHttpResponse:
    """All files that answer, as CSV; the box around each file, west greater than east across 180°."""
    found = searching.answers(questions.asked(request.GET), request.user)
    rows = (_cells(row) for row in searching.in_full(found))
    return streaming.send(
        request, exports.table(COLUMNS, rows), content_type="text/csv; charset=utf-8", name="files.csv"
    )


def _cells(row: Coverage) -> tuple[Any, ...]:
    file, dataset = row.file, row.file.dataset
    assert dataset is not None
    return (
        dataset.cruise.cruise_id, dataset.cruise.vessel.name, dataset.device_class, dataset.uuid, file.path, file.size,
        file.sha256, row.first_at, row.last_at, *searching.sides(row),
        "yes" if row.derived else "no", row.format, row.instrument, row.remark,
    )  # fmt: skip


@public
@require_safe
def search_geojson(request: HttpRequest) -> StreamingHttpResponse:
    """All files that answer (`?most=`: the first so many) as a GeoJSON feature collection."""
    question = questions.asked(request.GET)
    most = request.GET.get("most", "")
    if most.isdecimal() and len(most) < 9 and int(most) <= PAGE * 10:
        rows = iter(
            searching.rows_of(searching.first(question, request.user, searching.LISTED).keys[: int(most)], request.user)
        )
    else:
        rows = searching.in_full(searching.answers(question, request.user))
        rows = islice(rows, int(most)) if most.isdecimal() and len(most) < 9 else rows
    return streaming.send(request, _features(rows), content_type="application/geo+json", name="files.geojson")


def _features(rows: Iterator[Coverage]) -> Iterator[str]:
    yield '{"type": "FeatureCollection", "features": ['
    between = ""
    for row in rows:
        dataset = row.file.dataset
        assert dataset is not None
        properties = {
            "label": row.file.shown_name,
            "path": row.file.path,
            "cruise": dataset.cruise.cruise_id,
            "class": dataset.device_class,
            "dataset": str(dataset.uuid),
            "time": row.first_at.isoformat() if row.first_at else None,
            "last": row.last_at.isoformat() if row.last_at else None,
            "derived": row.derived,
            "note": dataset.name,
        }
        told = f'"geometry": {searching.geojson_of(row)}, "properties": {json.dumps(properties)}'
        yield f'{between}{{"type": "Feature", {told}}}'
        between = ",\n"
    yield "]}\n"
