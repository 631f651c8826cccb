"""C04: everything we ship with has a licence that allows it."""

import re

from local.licences import ALLOWED, licence_of, pins


def test_every_pinned_package_has_an_allowed_licence() -> None:
    packages = pins("requirements.txt") | pins("requirements-local.txt")
    licences = {name: set(re.split(r" OR | AND ", licence_of(name))) for name in packages}

    assert {name: found for name, found in licences.items() if not found <= ALLOWED} == {}
