"""The connectors as the settings describe them."""

import random

from shared.core.clock import Clock
from shared.core.settings import Settings
from shared.oos.source import OrderSource
from shared.ports.fetch import Fetch

__all__ = ["shipbob_of", "stord_of"]


def shipbob_of(settings: Settings, fetch: Fetch, clock: Clock) -> OrderSource:
    """Return ShipBob's connector."""
    from shared.adapters.sources import shipbob

    options = shipbob.Options(
        token=settings.shipbob_api_token or "",
        base_url=settings.shipbob_base_url,
        version=settings.shipbob_api_version,
    )
    return shipbob.source(options, fetch, clock, random.Random())  # noqa: S311 - jitter is no secret


def stord_of(settings: Settings, fetch: Fetch, clock: Clock) -> OrderSource:
    """Return Stord's connector."""
    from shared.adapters.sources import stord

    options = stord.Options(
        token=settings.stord_api_token or "",
        org_id=settings.stord_org_id or "",
        network_id=settings.stord_network_id or "",
        base_url=settings.stord_base_url,
        statuses=settings.stord_statuses,
        channel_ids=settings.stord_channel_ids,
    )
    return stord.source(options, fetch, clock, random.Random())  # noqa: S311 - jitter is no secret
