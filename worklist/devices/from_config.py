"""The original's configuration file is read here as far as it says who may associate."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError

from pylantir_site.environment.config_file import KEYS
from worklist.models import Device

logger = logging.getLogger(__name__)

ACTOR = "config file"
ALLOWED = "allowed_aet"


def apply(config: Mapping[str, Any]) -> None:
    """Make the devices of `allowed_aet` that are missing. Raises ValidationError."""
    ignored = sorted(config.keys() - KEYS)
    if ignored:
        logger.warning("The configuration file says more than is read from it: %s.", ", ".join(ignored))
    if ALLOWED in config:
        _allow(config[ALLOWED])


def limit_days(title: str, *, days_ahead: int) -> bool:
    """Offer the device today's items and those of so many days after; return whether it is so now.

    A device that people edited is left as they made it. Raises Device.DoesNotExist.
    """
    device = Device.objects.get(ae_title=title)
    if (device.days_back, device.days_ahead) == (0, days_ahead):
        return True
    if device.history.exclude(history_user_id=ACTOR).exists():
        return False
    device.days_back, device.days_ahead = 0, days_ahead
    device.save_as(ACTOR)
    return True


def _allow(titles: object) -> None:
    if not isinstance(titles, list) or not all(isinstance(title, str) for title in titles):
        raise ValidationError(f"{ALLOWED} must be a list of AE titles.")
    if not titles:
        logger.warning(
            "%s is empty: any AE title may associate, from any address. "
            "List the scanners' AE titles, or disable the device * in the admin.",
            ALLOWED,
        )
    for title in titles or [Device.ANY]:
        _add(title.strip())


def _add(title: str) -> None:
    """Add the scanner; a row that exists is left as it is, for what people edit wins."""
    if Device.objects.filter(ae_title=title).exists():
        return
    device = Device(ae_title=title)
    try:
        device.full_clean()
    except ValidationError as error:
        raise ValidationError(f"{ALLOWED}: {title!r} is no AE title. {' '.join(error.messages)}") from error
    device.save_as(ACTOR)
    logger.info("Device %s added from the configuration file.", title)
