"""Addresses of the ground, and of the floors that are installed."""

from __future__ import annotations

from django.apps import apps
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from portal import api
from portal.views import api_pages, cruises, machine, orders, people

urlpatterns = [
    path("", cruises.home, name="home"),
    path("health/live", machine.live, name="live"),
    path("health/ready", machine.ready, name="ready"),
    path("cruises/", cruises.cruise_list, name="cruises"),
    path("cruises/new/", orders.new_orders, name="new-orders"),
    path("cruises/upload/", orders.upload_orders, name="upload-orders"),
    path("cruise/<str:cruise_id>/", cruises.cruise_page, name="cruise"),
    path("cruise/<str:cruise_id>/journal/", cruises.journal_page, name="journal"),
    path("cruise/<str:cruise_id>/orders/", orders.orders_history, name="orders"),
    path("cruise/<str:cruise_id>/orders/amend/", orders.amend_orders, name="amend-orders"),
    path("cruise/<str:cruise_id>/orders/<int:number>/<str:kind>.xml", orders.orders_file, name="orders-file"),
    path("cruise/<str:cruise_id>/cancel/", orders.cancel, name="cancel-cruise"),
    path("cruise/<str:cruise_id>/party/", people.party_page, name="party"),
    path("cruise/<str:cruise_id>/party/<int:party>/", people.designate, name="designate"),
    path("invitation/<str:secret>/", people.invitation, name="invitation"),
    path("tokens/", people.token_page, name="tokens"),
    path("tokens/<uuid:uuid>/revoke/", people.revoke_token, name="revoke-token"),
    path("work/", machine.work_page, name="work"),
    path("work/<uuid:uuid>/again/", machine.try_again, name="try-again"),
    path("api/", api_pages.api_page, name="api"),
    path("api/v1/openapi.json", api_pages.openapi_document, name="openapi"),
    path("api/v1/cruises", api.CruiseList.as_view(), name="api-cruises"),
    path("api/v1/cruises/<str:cruise_id>", api.CruiseDetail.as_view(), name="api-cruise"),
    path("accounts/", include("allauth.urls")),
    path("admin/login/", RedirectView.as_view(pattern_name="account_login", query_string=True)),
    path("admin/", admin.site.urls),
]
urlpatterns += [
    path("", include(f"{name}.urls")) for name in ("eventlog", "inventory", "publishing") if apps.is_installed(name)
]
