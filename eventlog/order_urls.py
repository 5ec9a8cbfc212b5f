"""Addresses of what brings order into a log: operations, places, words, buttons, the red pen."""

from __future__ import annotations

from django.urls import path

from eventlog.api import operations as api_operations
from eventlog.api import places as api_places
from eventlog.api import redpen as api_redpen
from eventlog.api import templates as api_templates
from eventlog.api import vocabulary as api_vocabulary
from eventlog.views import arranging, todo

C = "cruise/<str:cruise_id>/log/"
L = "api/v1/cruises/<str:cruise_id>/"
urlpatterns = [
    path(C + "todo/", todo.todo_page, name="log-todo"),
    path(C + "todo.csv", todo.todo_csv, name="log-todo-csv"),
    path(C + "todo/<slug:key>/fix/", todo.fix, name="log-fix"),
    path(C + "todo/<slug:key>/dismiss/", todo.dismiss, name="log-dismiss"),
    path(C + "digest/", todo.digest_page, name="log-digest"),
    path(C + "buttons/", arranging.buttons_page, name="log-buttons"),
    path(C + "buttons/copy/", arranging.copy_buttons, name="log-buttons-copy"),
    path(C + "buttons/<uuid:uuid>/", arranging.button_page, name="log-button"),
    path(C + "buttons/<uuid:uuid>/step/", arranging.button_step, name="log-button-step"),
    path(C + "people/", arranging.people_page, name="log-people"),
    path(C + "people/<int:party>/", arranging.designate, name="log-designate"),
    path(C + "people/token/<uuid:uuid>/revoke/", arranging.revoke_token, name="log-token-revoke"),
    path(L + "operations", api_operations.OperationList.as_view(), name="api-operations"),
    path(L + "operations/board", api_operations.Board.as_view(), name="api-board"),
    path(L + "operations/<uuid:uuid>", api_operations.OperationDetail.as_view(), name="api-operation"),
    path(L + "places", api_places.PlaceList.as_view(), name="api-places"),
    path(L + "places/<uuid:uuid>", api_places.PlaceDetail.as_view(), name="api-place"),
    path(L + "places/<uuid:uuid>/merge", api_places.PlaceMerge.as_view(), name="api-place-merge"),
]
urlpatterns += [
    path(L + "terms", api_vocabulary.TermList.as_view(), name="api-terms"),
    path(L + "terms/<uuid:uuid>/accept", api_vocabulary.TermAccept.as_view(), name="api-term-accept"),
    path(L + "terms/<uuid:uuid>/replace", api_vocabulary.TermReplace.as_view(), name="api-term-replace"),
    path(L + "templates", api_templates.ButtonList.as_view(), name="api-templates"),
    path(L + "templates/order", api_templates.ButtonOrder.as_view(), name="api-templates-order"),
    path(L + "templates/copy", api_templates.ButtonCopy.as_view(), name="api-templates-copy"),
    path(L + "templates/lint", api_templates.ButtonLint.as_view(), name="api-templates-lint"),
    path(L + "templates/<uuid:uuid>", api_templates.ButtonDetail.as_view(), name="api-template"),
    path(L + "events:check", api_redpen.EventCheck.as_view(), name="api-check"),
    path(L + "findings", api_redpen.FindingList.as_view(), name="api-findings"),
    path(L + "findings/<slug:key>/fix", api_redpen.FindingFix.as_view(), name="api-finding-fix"),
    path(L + "findings/<slug:key>/dismiss", api_redpen.FindingDismiss.as_view(), name="api-finding-dismiss"),
]
