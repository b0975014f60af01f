"""Know identities and configuration sets: as they are deployed to the emulator, or kept here where there is none."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from local.ses.addresses import address_of

CACHE_SECONDS = 2.0
"""How long a deployed change may take to become visible; without a cache each event would cost several requests."""


class Configuration(Protocol):
    """Identities and configuration sets."""

    @property
    def identity(self) -> Callable[[str], dict[str, Any] | None]:
        """Return a verified identity by name, or None."""
        ...

    @property
    def event_destinations(self) -> Callable[[str | None], list[dict[str, Any]] | None]:
        """Return the event destinations of a configuration set, or None if it does not exist."""
        ...

    @property
    def sending_enabled(self) -> Callable[[str], bool]:
        """Return whether a configuration set that exists is not paused."""
        ...

    def set_sending_enabled(self, name: str, *, enabled: bool) -> None: ...


def sending_identity(configuration: Configuration, source: str) -> tuple[str, dict[str, Any]]:
    """Return the identity that sends for an address: itself, or itself without its label, as in `ada+label@…`,
    else the closest domain above it. Addresses are case-sensitive, domains are not ("Verifying email addresses").

    Raises:
        KeyError: if none of them is a verified identity.
    """
    address = address_of(source)
    domain = address.rpartition("@")[2].lower()
    domains = [domain.split(".", depth)[-1] for depth in range(domain.count("."))]
    for name in (address, re.sub(r"\+[^@]*@", "@", address), *domains):
        if (identity := configuration.identity(name)) is not None:
            return name, identity
    raise KeyError(address)


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

    def set_sending_enabled(self, name: str, *, enabled: bool) -> None:
        """Pause or resume sending with a configuration set.

        Raises:
            KeyError: if it does not exist.
        """
        sesv2 = self._client("sesv2")
        try:
            sesv2.put_configuration_set_sending_options(ConfigurationSetName=name, SendingEnabled=enabled)
        except sesv2.exceptions.NotFoundException:
            raise KeyError(name) from None

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


@dataclass
class StoredConfiguration:
    """Identities and configuration sets of a local SES without an emulator."""

    identities: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Verified identities, as GetEmailIdentity returns them."""
    sets: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Event destinations by configuration set."""
    paused: set[str] = field(default_factory=set)

    def verify(self, name: str, configuration_set: str | None = None) -> None:
        """Add an identity that is verified, or keep one."""
        kind, name = ("EMAIL_ADDRESS", name) if "@" in name else ("DOMAIN", name.lower())
        identity = {"IdentityType": kind, "VerifiedForSendingStatus": True, "ConfigurationSetName": configuration_set}
        self.identities.setdefault(name, identity)

    def identity(self, name: str) -> dict[str, Any] | None:
        return self.identities.get(name)

    def event_destinations(self, name: str | None) -> list[dict[str, Any]] | None:
        return [] if name is None else self.sets.get(name)

    def sending_enabled(self, name: str) -> bool:
        return name not in self.paused

    def set_sending_enabled(self, name: str, *, enabled: bool) -> None:
        if name not in self.sets:
            raise KeyError(name)
        (self.paused.discard if enabled else self.paused.add)(name)


def _cache(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return `read` with a cache, in which results expire after CACHE_SECONDS."""
    results: dict[Any, tuple[float, Any]] = {}

    def get(argument: Any) -> Any:
        now = time.monotonic()
        if argument not in results or now - results[argument][0] > CACHE_SECONDS:
            results[argument] = now, read(argument)
        return results[argument][1]

    return get
