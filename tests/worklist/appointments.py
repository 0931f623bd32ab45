"""A participant has an appointment here whose every detail is one that a page may have to keep to itself."""

from __future__ import annotations

from datetime import date, time
from typing import Any

from django.test import Client
from django.utils import timezone

from accounts.models import User
from worklist.items import intake
from worklist.models import WorklistItem


def an_item(**values: Any) -> WorklistItem:
    least = {
        "patient_name": "Featherstone^Augustina",
        "patient_id": "P012",
        "patient_birth_date": date(1961, 5, 4),
        "patient_weight_kg": "71.25",
        "modality": "MR",
        "scheduled_station_aetitle": "MR1",
        "protocol_name": "Growing brains",
        "scheduled_start_date": timezone.localdate(),
        "scheduled_start_time": time(8, 0),
    }
    return intake.create({**least, **values}, actor="alice")


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
