"""What the machine says of itself: health for monitors, work for people."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from portal import access, jobs, work
from portal.models import Work
from portal.refusals import NotFound
from portal.views.doors import attempt, needs, public

SWEEP_LATE_SECONDS = 180


@public
@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """The process answers. Asks nothing else, so that a monitor does not restart it for somebody else's fault."""
    return JsonResponse({"status": "ok"})


@public
@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Database, migrations, queue and workers; 503 unless all are well."""
    checks = {"database": _database(), "migrations": _migrations()}
    found = jobs.health()
    checks["queue"] = str(found["queue"])
    checks["worker"] = "ok" if found["workers"] else "no worker gives a sign of life"
    age = found["swept_seconds_ago"]
    late = age is None or float(str(age)) > SWEEP_LATE_SECONDS
    checks["recurring work"] = f"the last sweep was {age} s ago" if late else "ok"
    well = all(answer == "ok" for answer in checks.values())
    body = {"status": "ok" if well else "not ready", "checks": checks, "workers": found["workers"]}
    return JsonResponse(body, status=200 if well else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return f"not reached: {type(error).__name__}"
    return "ok"


def _migrations() -> str:
    try:
        executor = MigrationExecutor(connection)
        left = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        return f"not known: {type(error).__name__}"
    return f"{len(left)} not applied; run manage.py migrate" if left else "ok"


@needs("work.watch")
@require_safe
def work_page(request: HttpRequest) -> HttpResponse:
    """Long work: what runs, what failed and why, what was done."""
    rows = Work.objects.select_related("cruise")
    if not access.is_office(request.user):
        rows = rows.filter(cruise__vessel__operator__in=access.operators_of(request.user))
    if state := request.GET.get("state"):
        rows = rows.filter(state=state)
    page = Paginator(rows, 50).get_page(request.GET.get("page"))
    return render(request, "portal/work.html", {"page": page, "health": jobs.health(), "states": Work.STATES})


@needs("work.watch")
@require_POST
def try_again(request: HttpRequest, uuid: str) -> HttpResponse:
    """Forgets the failures of a piece of work and sweeps at once."""
    row = Work.objects.filter(uuid=uuid).first()
    if row is None or (row.cruise is None and not access.is_office(request.user)):
        raise NotFound("There is no such work.")
    if row.cruise is not None:
        access.require(request.user, "work.watch", row.cruise)

    def again() -> None:
        work.wake(row.door, row.key)
        jobs.soon()

    return attempt(request, again, f"“{row.label}” will be tried again at once.", "work")
