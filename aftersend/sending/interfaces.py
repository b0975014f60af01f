"""Name the configuration set, the tags and the contact list of a message as each sending interface of SES wants them.

Source: the models of the SES API v1 and v2 in botocore; for headers, "Send email using Amazon SES event publishing" and
"Using subscription management" in the SES developer guide.

SES never merges tags: if a request has tags in a parameter, those of the header X-SES-MESSAGE-TAGS are ignored. Which
of two configuration sets applies, that of the parameter or that of the header, is not documented: name it once.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Literal, NamedTuple

import msgspec

from aftersend.sending.message_tags import SES_NAME, InvalidMessage, check_tags, header_problem, message_tags_value

CONFIGURATION_SET_HEADER, MESSAGE_TAGS_HEADER = "X-SES-CONFIGURATION-SET", "X-SES-MESSAGE-TAGS"
LIST_MANAGEMENT_HEADER = "X-SES-LIST-MANAGEMENT-OPTIONS"
"""Headers that SES reads, and removes before it sends the message."""


class Interface(StrEnum):
    """A way of sending through one of the APIs. Over SMTP there are headers only."""

    V2 = "v2"
    V2_RAW = "v2-raw"
    V2_TEMPLATE = "v2-template"
    V2_BULK = "v2-bulk"
    V2_VERIFICATION = "v2-verification"
    V1 = "v1"
    V1_RAW = "v1-raw"
    V1_TEMPLATE = "v1-template"
    V1_BULK = "v1-bulk"
    V1_VERIFICATION = "v1-verification"


class Operation(NamedTuple):
    """The operation of an API behind an interface, and its parameters."""

    service: Literal["ses", "sesv2"]
    """The name of the client in boto3."""
    name: str
    tags: str | None
    """The parameter with tags; None if the operation takes none."""
    takes_list: bool = False
    """Whether there is a parameter `ListManagementOptions`."""
    entries: str | None = None
    """The parameter with a list of entries, each of which takes `ReplacementTags`."""


OPERATIONS: Mapping[Interface, Operation] = {
    Interface.V2: Operation("sesv2", "SendEmail", "EmailTags", takes_list=True),
    Interface.V2_RAW: Operation("sesv2", "SendEmail", "EmailTags", takes_list=True),
    Interface.V2_TEMPLATE: Operation("sesv2", "SendEmail", "EmailTags", takes_list=True),
    Interface.V2_BULK: Operation("sesv2", "SendBulkEmail", "DefaultEmailTags", entries="BulkEmailEntries"),
    Interface.V2_VERIFICATION: Operation("sesv2", "SendCustomVerificationEmail", None),
    Interface.V1: Operation("ses", "SendEmail", "Tags"),
    Interface.V1_RAW: Operation("ses", "SendRawEmail", "Tags"),
    Interface.V1_TEMPLATE: Operation("ses", "SendTemplatedEmail", "Tags"),
    Interface.V1_BULK: Operation("ses", "SendBulkTemplatedEmail", "DefaultTags", entries="Destinations"),
    Interface.V1_VERIFICATION: Operation("ses", "SendCustomVerificationEmail", None),
}


class SendingOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Hold what the events of a message are to be counted under, and the contact list it is sent to.

    Raises:
        InvalidMessage: for the first name or value that SES refuses.
    """

    configuration_set: str | None = None
    """None leaves the default of the sending identity."""
    tags: dict[str, str] = {}
    """Message tags: name → value."""
    contact_list: str | None = None
    """The contact list whose contacts may unsubscribe by a link that SES adds."""
    topic: str | None = None
    """The topic of the contact list."""

    def __post_init__(self) -> None:
        """Check every name and value."""
        check_tags(self.tags)
        for key in ("configuration_set", "contact_list", "topic"):
            name = getattr(self, key)
            if name is not None and not SES_NAME.fullmatch(name):
                raise InvalidMessage(f"{key}: {name!r} is not 1 to 64 ASCII letters, digits, _ or -.")
        if self.topic and not self.contact_list:
            raise InvalidMessage(f"topic: {self.topic!r} belongs to a contact list. Name it: contact_list=.")


def parameters(interface: Interface | str, options: SendingOptions) -> dict[str, Any]:
    """Return the parameters to add to a call of boto3, as in `client.send_email(…, **parameters("v2", options))`.

    Raises:
        InvalidMessage: if the operation takes no tags, or no contact list, and there are some.
    """
    operation = OPERATIONS[Interface(interface)]
    if options.tags and not operation.tags:
        raise InvalidMessage(f"{operation.name} takes no message tags: only the configuration set can tell its events.")
    if options.contact_list and not operation.takes_list:
        raise InvalidMessage(
            f"{operation.name} of the SES API {_version(operation)} has no parameter for a contact list. Use SendEmail "
            f"of v2, or SMTP with the header {LIST_MANAGEMENT_HEADER}."
        )
    values = {
        "ConfigurationSetName": options.configuration_set,
        operation.tags: _tag_list(options.tags),
        "ListManagementOptions": _list_management(options),
    }
    return {name: value for name, value in values.items() if name and value}


def entry_parameters(interface: Interface | str, tags: Mapping[str, str]) -> dict[str, Any]:
    """Return what to add to an entry of a bulk operation (`BulkEmailEntries` of v2, `Destinations` of v1).

    Whether SES adds these tags to those of the call or replaces them is not documented: repeat in each entry those that
    all messages have.

    Raises:
        InvalidMessage: if the operation has no entries, or SES refuses a tag.
    """
    operation = OPERATIONS[Interface(interface)]
    if not operation.entries:
        raise InvalidMessage(f"{operation.name} sends one message: it has no entries with tags of their own.")
    check_tags(tags)
    return {"ReplacementTags": _tag_list(tags)} if tags else {}


def headers(options: SendingOptions) -> dict[str, str]:
    """Return the headers of SES for a MIME message that is sent over SMTP, or by a raw operation without parameters."""
    topic = f"; topic={options.topic}" if options.topic else ""
    values = {
        CONFIGURATION_SET_HEADER: options.configuration_set,
        MESSAGE_TAGS_HEADER: message_tags_value(options.tags),
        LIST_MANAGEMENT_HEADER: options.contact_list and options.contact_list + topic,
    }
    return {name: value for name, value in values.items() if value}


def own_headers(
    tags: Mapping[str, str], tag_headers: Mapping[str, str], metric_headers: Iterable[str] = ()
) -> dict[str, str]:
    """Return headers of one's own that have the values of tags.

    Recipients see them. Identity notifications have no message tags, but they have headers where that is set
    (`headers_in_notifications`).

    Args:
        tags: The message tags: name → value.
        tag_headers: Header → tag, as in the environment's `tag_headers`.
        metric_headers: The names of the environment's CloudWatch dimensions with the source `emailHeader`. Each is a
            header that has the value of the tag of the same name, unless `tag_headers` names another.

    Raises:
        InvalidMessage: for a header that cannot be a source of tags.
    """
    sources = {name: name for name in metric_headers} | dict(tag_headers)
    values = {header: tags[tag] for header, tag in sources.items() if tag in tags}
    if problem := next(filter(None, (header_problem(*each) for each in values.items())), None):
        raise InvalidMessage(problem)
    return values


def _version(operation: Operation) -> str:
    return "v2" if operation.service == "sesv2" else "v1"


def _tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in tags.items()]


def _list_management(options: SendingOptions) -> dict[str, str]:
    names = {"ContactListName": options.contact_list, "TopicName": options.topic}
    return {key: name for key, name in names.items() if name}
