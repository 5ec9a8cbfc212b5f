"""Addresses of the event log."""

from __future__ import annotations

from django.urls import path
from django.views.decorators.gzip import gzip_page

from eventlog import order_urls as order
from eventlog import proof_urls as proof
from eventlog.api import batch, changes, stream
from eventlog.api import changeover as api_changeover
from eventlog.api import events as api
from eventlog.api import exports as api_exports
from eventlog.api import imports as api_imports
from eventlog.api import navigation as api_navigation
from eventlog.api import tabledap as api_tabledap
from eventlog.views import answers, changeover, event, exports, feeds, guide, imports, installed, log, past

C = "cruise/<str:cruise_id>/log/"
A = "api/v1/"
urlpatterns = [
    path(C, log.log_page, name="log"),
    path(C + "app.webmanifest", installed.manifest, name="log-manifest"),
    path("log-worker.js", installed.worker, name="log-worker"),
    path(C + "record/", log.record, name="record-event"),
    path(C + "open/", log.open_log, name="open-log"),
    path(C + "close/", log.close_log, name="close-log"),
    path(C + "import/", imports.import_page, name="import-events"),
    path(C + "import/<uuid:key>/", imports.check_page, name="import-check"),
    path(C + "imports/<int:number>/", imports.report_page, name="import-report"),
    path(C + "imports/<int:number>/undo/", imports.undo, name="undo-import"),
    path(C + "imports/<int:number>/templates/", imports.templates, name="import-templates"),
    path(C + "exports/", exports.exports_page, name="exports"),
    path(C + "exports/<str:form>/", exports.report_page, name="export-report"),
    path(C + "export/<str:form>", exports.export, name="export-events"),
    path(C + "events.geojson", answers.answer_points, name="event-points"),
    path(C + "final/<str:name>", log.final_copy, name="final-copy"),
    path(C + "events/", answers.answers_page, name="answers"),
    path(C + "events/points.geojson", answers.answer_points, name="answer-points"),
    path(C + "events/lanes.json", answers.answer_lanes, name="answer-lanes"),
    path(C + "history/", past.history_page, name="log-history"),
    path(C + "event/<uuid:event_uuid>/", event.event_page, name="event"),
    path(C + "event/<uuid:event_uuid>/strike/", event.strike, name="strike-event"),
    path(C + "event/<uuid:event_uuid>/undo/", event.undo, name="undo-event"),
    path(C + "event/<uuid:event_uuid>/at/<int:sequence>/", past.event_at, name="event-at"),
    path(C + "pin/", changeover.pin_page, name="log-pin"),
    path(C + "pin/<uuid:person>/remove/", changeover.remove_pin, name="log-pin-remove"),
    path(C + "feeds/", feeds.feeds_page, name="feeds"),
    path(C + "feeds/add/", feeds.add_feed, name="add-feed"),
    path(C + "feeds/set/", feeds.set_feed, name="set-feed"),
    path("guide/log/", guide.guide_page, name="log-guide"),
    path(A + "cruises/<str:cruise_id>/log", api.LogDetail.as_view(), name="api-log"),
    path(A + "cruises/<str:cruise_id>/events", api.EventList.as_view(), name="api-events"),
    path(A + "cruises/<str:cruise_id>/events:batch", batch.EventBatch.as_view(), name="api-batch"),
    path(A + "cruises/<str:cruise_id>/changes", gzip_page(changes.ChangeList.as_view()), name="api-changes"),
    path(A + "cruises/<str:cruise_id>/changes/stream", stream.ChangeStream.as_view(), name="api-stream"),
    path(A + "cruises/<str:cruise_id>/log/pass", api_changeover.LogPass.as_view(), name="api-pass"),
    path(A + "cruises/<str:cruise_id>/log/pin", api_changeover.LogPin.as_view(), name="api-pin"),
    path(A + "cruises/<str:cruise_id>/log/snapshot", gzip_page(changes.Snapshot.as_view()), name="api-snapshot"),
    path(A + "events/<uuid:uuid>", api.EventDetail.as_view(), name="api-event"),
]
EXPORTS = A + "cruises/<str:cruise_id>/events/export"
urlpatterns += [
    path(EXPORTS, api_exports.ExportList.as_view(), name="api-exports"),
    path(EXPORTS + "/<str:form>", api_exports.Export.as_view(), name="api-export"),
    path(EXPORTS + "/<str:form>/report", api_exports.ExportReport.as_view(), name="api-export-report"),
]
L = A + "cruises/<str:cruise_id>/"
urlpatterns += [
    path(L + "position", api_navigation.Position.as_view(), name="api-position"),
    path(L + "track", api_navigation.Track.as_view(), name="api-track"),
    path(L + "fixes", api_navigation.Fixes.as_view(), name="api-fixes"),
    path(L + "feeds", api_navigation.FeedList.as_view(), name="api-feeds"),
]
urlpatterns += [
    path(L + "tabledap/events.<str:form>", api_tabledap.Events.as_view(), name="api-tabledap"),
    path(L + "info/events/index.<str:form>", api_tabledap.Info.as_view(), name="api-tabledap-info"),
    path(L + "imports", api_imports.ImportList.as_view(), name="api-imports"),
    path(L + "imports/<int:number>", api_imports.ImportDetail.as_view(), name="api-import"),
]
urlpatterns += [*order.urlpatterns, *proof.urlpatterns]
