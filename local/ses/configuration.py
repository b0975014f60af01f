"""Read identities and event destinations, as they are deployed, from the emulator."""

import time
from collections.abc import Callable
from email.utils import parseaddr
from typing import Any

CACHE_SECONDS = 2.0
"""How long a deployed change may take to become visible; without a cache each event would cost several requests."""


class DeployedConfiguration:
    """Identities and configuration sets of the emulator, cached for CACHE_SECONDS."""

    def __init__(self, emulator_client: Callable[[str], Any]) -> None:
        self._client = emulator_client
        self.identity: Callable[[str], dict[str, Any] | None] = _cache(self._read_identity)
        """Return a verified identity by name, or None."""
        self.event_destinations: Callable[[str | None], list[dict[str, Any]] | None] = _cache(self._read_destinations)
        """Return the event destinations of a configuration set, or None if it does not exist."""
        self.sending_enabled: Callable[[str], bool] = _cache(self._read_sending_enabled)
        """Return whether a configuration set that exists is not paused."""

    def sending_identity(self, source: str) -> tuple[str, dict[str, Any]]:
        """Return the identity that sends for an address: the address itself, else the closest domain above it.

        Raises:
            KeyError: if none of them is a verified identity.
        """
        address = parseaddr(source)[1]
        domain = address.rpartition("@")[2].lower()
        domains = [domain.split(".", depth)[-1] for depth in range(domain.count("."))]
        for name in (address, *domains):
            if (identity := self.identity(name)) is not None:
                return name, identity
        raise KeyError(address)

    def _read_identity(self, name: str) -> dict[str, Any] | None:
        sesv2 = self._client("sesv2")
        try:
            identity = sesv2.get_email_identity(EmailIdentity=name)
        except sesv2.exceptions.NotFoundException:
            return None
        return identity if identity["VerifiedForSendingStatus"] else None

    def _read_destinations(self, configuration_set: str | None) -> list[dict[str, Any]] | None:
        if configuration_set is None:
            return []
        sesv2 = self._client("sesv2")
        try:
            answer = sesv2.get_configuration_set_event_destinations(ConfigurationSetName=configuration_set)
        except sesv2.exceptions.NotFoundException:
            return None
        return answer.get("EventDestinations", [])

    def _read_sending_enabled(self, configuration_set: str) -> bool:
        answer = self._client("sesv2").get_configuration_set(ConfigurationSetName=configuration_set)
        return answer["SendingOptions"]["SendingEnabled"]


def _cache(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return `read` with a cache, in which results expire after CACHE_SECONDS."""
    results: dict[Any, tuple[float, Any]] = {}

    def get(argument: Any) -> Any:
        now = time.monotonic()
        if argument not in results or now - results[argument][0] > CACHE_SECONDS:
            results[argument] = now, read(argument)
        return results[argument][1]

    return get
