"""Perform the operations of both APIs that an emulator performs where there is one: identities, configuration sets."""

from collections.abc import Callable
from typing import Any

from local.ses.configuration import StoredConfiguration
from local.ses.model import Parameters
from local.ses.responses import RequestError
from local.ses.simulator import LocalSes

Operation = Callable[[StoredConfiguration, Parameters], dict[str, Any]]


def _create_identity(stored: StoredConfiguration, parameters: Parameters) -> dict[str, Any]:
    """Create an identity, which is verified at once."""
    name = parameters["EmailIdentity"]
    if name in stored.identities:
        raise RequestError("AlreadyExists", f"Email identity {name} already exist.")
    stored.verify(name, parameters.get("ConfigurationSetName"))
    return stored.identities[name]


def _get_identity(stored: StoredConfiguration, parameters: Parameters) -> dict[str, Any]:
    if (identity := stored.identity(parameters["EmailIdentity"])) is None:
        raise RequestError("NotFoundException", f"Email identity {parameters['EmailIdentity']} does not exist.")
    return identity


def _delete_identity(stored: StoredConfiguration, parameters: Parameters) -> dict[str, Any]:
    _get_identity(stored, parameters)
    del stored.identities[parameters["EmailIdentity"]]
    return {}


def _set_default_set(stored: StoredConfiguration, parameters: Parameters) -> dict[str, Any]:
    _get_identity(stored, parameters)["ConfigurationSetName"] = parameters.get("ConfigurationSetName")
    return {}


def _verify(stored: StoredConfiguration, parameters: Parameters) -> dict[str, Any]:
    stored.verify(parameters.get("EmailAddress") or parameters["Domain"])
    return {"VerificationToken": "local"} if "Domain" in parameters else {}


def _list_identities(stored: StoredConfiguration, _parameters: Parameters) -> dict[str, Any]:
    return {"Identities": list(stored.identities)}


def _create_set(stored: StoredConfiguration, parameters: Parameters) -> dict[str, Any]:
    name = parameters.get("ConfigurationSetName") or parameters["ConfigurationSet"]["Name"]
    if name in stored.sets:
        raise RequestError("ConfigurationSetAlreadyExists", f"Configuration set <{name}> already exists.")
    stored.sets[name] = []
    return {}


def _destinations(stored: StoredConfiguration, parameters: Parameters) -> list[dict[str, Any]]:
    name = parameters["ConfigurationSetName"]
    if name not in stored.sets:
        raise RequestError("ConfigurationSetDoesNotExist", f"Configuration set <{name}> does not exist.")
    return stored.sets[name]


def _get_set(stored: StoredConfiguration, parameters: Parameters) -> dict[str, Any]:
    _destinations(stored, parameters)
    name = parameters["ConfigurationSetName"]
    return {"ConfigurationSetName": name, "SendingOptions": {"SendingEnabled": stored.sending_enabled(name)}}


def _delete_set(stored: StoredConfiguration, parameters: Parameters) -> dict[str, Any]:
    _destinations(stored, parameters)
    del stored.sets[parameters["ConfigurationSetName"]]
    return {}


def _list_sets(stored: StoredConfiguration, _parameters: Parameters) -> dict[str, Any]:
    return {"ConfigurationSets": list(stored.sets)}


def _pause(stored: StoredConfiguration, parameters: Parameters) -> dict[str, Any]:
    _destinations(stored, parameters)
    stored.set_sending_enabled(parameters["ConfigurationSetName"], enabled=parameters.get("SendingEnabled", False))
    return {}


def _put_destination(stored: StoredConfiguration, parameters: Parameters) -> dict[str, Any]:
    destinations, name = _destinations(stored, parameters), parameters["EventDestinationName"]
    destinations[:] = [each for each in destinations if each["Name"] != name]
    destinations.append({"Enabled": False, **parameters["EventDestination"], "Name": name})
    return {}


def _get_destinations(stored: StoredConfiguration, parameters: Parameters) -> dict[str, Any]:
    return {"EventDestinations": _destinations(stored, parameters)}


def _on_stored(perform: Operation) -> Callable[[LocalSes, Parameters], dict[str, Any]]:
    def perform_call(ses: LocalSes, parameters: Parameters) -> dict[str, Any]:
        assert isinstance(ses.configuration, StoredConfiguration), "these operations are for a SES without an emulator"
        return perform(ses.configuration, parameters)

    return perform_call


_V1: dict[str, Operation] = {
    "VerifyEmailIdentity": _verify,
    "VerifyDomainIdentity": _verify,
    "ListIdentities": _list_identities,
    "CreateConfigurationSet": _create_set,
    "DeleteConfigurationSet": _delete_set,
}
_V2: dict[str, Operation] = {
    "CreateEmailIdentity": _create_identity,
    "GetEmailIdentity": _get_identity,
    "DeleteEmailIdentity": _delete_identity,
    "PutEmailIdentityConfigurationSetAttributes": _set_default_set,
    "CreateConfigurationSet": _create_set,
    "GetConfigurationSet": _get_set,
    "DeleteConfigurationSet": _delete_set,
    "ListConfigurationSets": _list_sets,
    "PutConfigurationSetSendingOptions": _pause,
    "CreateConfigurationSetEventDestination": _put_destination,
    "UpdateConfigurationSetEventDestination": _put_destination,
    "GetConfigurationSetEventDestinations": _get_destinations,
}

V1 = {name: _on_stored(perform) for name, perform in _V1.items()}
V2 = {name: _on_stored(perform) for name, perform in _V2.items()}
