from __future__ import annotations

from django.urls import path

from pylantir_site.rest.routes import route
from worklist.api.attention import AttentionList, AttentionPoint
from worklist.api.calendar_feeds import calendar_feed
from worklist.api.devices import DeviceActivityList, DeviceList, DeviceWorklist, ItemDevices
from worklist.api.items import Item, ItemHistory, Items
from worklist.api.marks import AbsenceMark, PerformedMark
from worklist.api.performed_steps import PerformedStepList, PerformedStepOne
from worklist.dicomweb.performed_steps import (
    DeviceNewPerformedStep,
    DeviceOnePerformedStep,
    NewPerformedStep,
    OnePerformedStep,
)
from worklist.dicomweb.search import DeviceScheduledSteps, ScheduledSteps

DICOMWEB, OF_A_DEVICE = "dicomweb", "dicomweb/devices/<str:ae_title>"  # base URIs
SCHEDULED, PERFORMED = "modality-scheduled-procedure-steps", "modality-performed-procedure-steps"

urlpatterns = [
    *route("worklist", Items.as_view(), "worklist"),
    *route("worklist/<int:pk>", Item.as_view(), "worklist-item"),
    *route("worklist/<int:pk>/history", ItemHistory.as_view(), "worklist-item-history"),
    *route("worklist/<int:pk>/performed", PerformedMark.as_view(), "worklist-item-performed"),
    *route("worklist/<int:pk>/did-not-come", AbsenceMark.as_view(), "worklist-item-did-not-come"),
    *route("worklist/<int:pk>/devices", ItemDevices.as_view(), "worklist-item-devices"),
    *route("devices", DeviceList.as_view(), "devices"),
    *route("devices/<str:ae_title>/activity", DeviceActivityList.as_view(), "device-activity"),
    *route("devices/<str:ae_title>/worklist", DeviceWorklist.as_view(), "device-worklist"),
    *route("performed-steps", PerformedStepList.as_view(), "performed-steps"),
    *route("performed-steps/<str:sop_instance_uid>", PerformedStepOne.as_view(), "performed-step"),
    *route("attention", AttentionList.as_view(), "attention"),
    path("calendar/<str:secret>.ics", calendar_feed, name="calendar-feed"),
    *route("attention/<int:pk>", AttentionPoint.as_view(), "attention-point"),
    *route(f"{DICOMWEB}/{SCHEDULED}", ScheduledSteps.as_view(), "scheduled-steps"),
    *route(f"{DICOMWEB}/{PERFORMED}", NewPerformedStep.as_view(), "new-mpps"),
    *route(f"{DICOMWEB}/{PERFORMED}/<str:sop_instance_uid>", OnePerformedStep.as_view(), "mpps"),
    *route(f"{OF_A_DEVICE}/{SCHEDULED}", DeviceScheduledSteps.as_view(), "scheduled-steps-of-device"),
    *route(f"{OF_A_DEVICE}/{PERFORMED}", DeviceNewPerformedStep.as_view(), "new-mpps-of-device"),
    *route(
        f"{OF_A_DEVICE}/{PERFORMED}/<str:sop_instance_uid>",
        DeviceOnePerformedStep.as_view(),
        "mpps-of-device",
    ),
]
