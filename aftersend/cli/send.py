"""Implement `aftersend send`: send one message with a configuration set and tags, by any interface."""

import json
import os
import sys
from typing import Annotated, Any

import msgspec
import typer

from aftersend.aws.deployed_recorder import deployed_settings
from aftersend.aws.deployment import Deployment, Unavailable
from aftersend.aws.message_sender import PORT, SmtpAccess, send_by_api, send_by_smtp
from aftersend.aws.suppression_check import CheckResult
from aftersend.cli.deployment import CANNOT_QUERY, DryRunOption, EnvironmentOption, Target, connected, one_sentence
from aftersend.cli.failure_output import printable
from aftersend.cli.suppression_check import check_deployed, reader_arguments
from aftersend.cli.suppression_options import SUPPRESSED, ContactListOption, TopicOption, one_of
from aftersend.config import Environment
from aftersend.parsing.addresses import bare_address
from aftersend.sending import (
    COMPOSED,
    Interface,
    InvalidMessage,
    OutgoingMessage,
    SendingOptions,
    own_headers,
    request,
    smtp_message,
)

SMTP = "smtp"
WAYS = (*COMPOSED, SMTP)

HOST, USERNAME, PASSWORD = (f"AFTERSEND_SMTP_{name}" for name in ("HOST", "USERNAME", "PASSWORD"))
"""Environment variables with the SMTP server, as HOST or HOST:PORT, and with the SMTP credentials."""


def split_tag(text: str) -> tuple[str, str]:
    """Return the name and the value of NAME=VALUE."""
    name, separator, value = text.partition("=")
    if not separator:
        raise typer.BadParameter(f"{text!r} is no tag: write NAME=VALUE.")
    return name, value


SenderOption = Annotated[str, typer.Option("--from", metavar="ADDRESS", help="The sender, of a verified identity.")]
RecipientsOption = Annotated[list[str], typer.Option("--to", metavar="ADDRESS", help="A recipient. Repeatable.")]
SubjectOption = Annotated[str, typer.Option(help="The subject.")]
TextOption = Annotated[str | None, typer.Option(help="The text. Default, without --html: standard input.")]
HtmlOption = Annotated[str | None, typer.Option(help="The text as HTML.")]
WayOption = Annotated[
    str, typer.Option(metavar="WAY", parser=one_of("way", WAYS), help=f"How to send: {', '.join(WAYS)}.")
]
TagOption = Annotated[
    list[Any] | None, typer.Option("--tag", metavar="NAME=VALUE", parser=split_tag, help="A tag. Repeatable.")
]
ConfigurationSetOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Default: that of the sending identity, or the environment's only one."),
]


def send(
    env: EnvironmentOption,
    sender: SenderOption,
    to: RecipientsOption,
    subject: SubjectOption,
    text: TextOption = None,
    html: HtmlOption = None,
    via: WayOption = Interface.V2,
    tag: TagOption = None,
    configuration_set: ConfigurationSetOption = None,
    contact_list: ContactListOption = None,
    topic: TopicOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Send one message with a configuration set and message tags, to recipients who are not suppressed.

    The suppression list is asked first; who is left out is printed with the reason. Standard output has the message id,
    or with `--dry-run` what would be sent: the parameters of the call as JSON, or for SMTP the MIME message. Tags of
    the environment's `tag_headers` are sent in these headers too, except by `v1`, which has none.

    SMTP needs credentials made for SMTP, in the environment variables AFTERSEND_SMTP_USERNAME and
    AFTERSEND_SMTP_PASSWORD. AFTERSEND_SMTP_HOST names another server than SES's of the Region. A local run needs
    none of them.

    Exit codes: 0 sent to all, 1 some recipients were left out, 2 not sent: something is wrong.

    Examples:

    - `aftersend send --env local --from news@bookshop.example --to reader@mail.example --subject Spring --text Books
    --tag campaign=spring`

    - `fortune | aftersend send --env prod --from news@bookshop.example --to reader@mail.example --subject Fortune
    --via smtp --dry-run`
    """
    with connected(env) as target, one_sentence(InvalidMessage, code=CANNOT_QUERY):
        options = SendingOptions(
            configuration_set=_configuration_set(target.environment, env, sender, configuration_set),
            tags=_tags(tag or []),
            contact_list=contact_list,
            topic=topic,
        )
        result = _check(target, to, options)
        _report(result)
        if result.allowed:
            text = sys.stdin.read() if text is None and html is None else text
            message = OutgoingMessage(
                sender=sender, recipients=tuple(result.allowed), subject=subject, text=text, html=html
            )
            typer.echo(_send(target, via, message, options, dry_run=dry_run))
    if result.suppressed or result.unknown:
        raise typer.Exit(SUPPRESSED)


def _tags(pairs: list[tuple[str, str]]) -> dict[str, str]:
    tags = dict(pairs)
    if twice := next((name for name in tags if [each for each, _ in pairs].count(name) > 1), None):
        raise InvalidMessage(f'The tag "{twice}" is given twice: a tag of a message has one value.')
    return tags


def _configuration_set(environment: Environment | None, env: str, sender: str, name: str | None) -> str | None:
    """Return the configuration set to name. Of no other than the environment's, events would arrive."""
    if environment is None:
        return name
    sets = list(environment.configuration_sets)
    if name is None and (identity := environment.identity_of(bare_address(sender))):
        name = environment.identities[identity].configuration_set
    if name is None and len(sets) == 1:
        return sets[0]
    if name not in sets:
        problem = (
            f"{name} is no configuration set of {env}" if name else f"No configuration set of {env} is the default"
        )
        raise InvalidMessage(f"{problem}. Choose one with --configuration-set: {', '.join(sets)}.")
    return name


def _check(target: Target, addresses: list[str], options: SendingOptions) -> CheckResult:
    """Ask the suppression list for the stream and the contact list of the message."""
    stream_tag = deployed_settings(target.deployment).policy.stream_tag
    stream = options.tags.get(stream_tag) if stream_tag else options.configuration_set
    scopes = {"stream": stream, "contact_list": options.contact_list, "topic": options.topic}
    return check_deployed(addresses, reader_arguments(target.deployment, scopes))


def _report(result: CheckResult) -> None:
    """Print who is left out, and why."""
    for address, suppression in result.suppressed.items():
        since = f" since {suppression.since:%Y-%m-%d %H:%M} UTC" if suppression.since else ""
        why = f"{suppression.rule or suppression.reason} in {suppression.scope}{since}"
        typer.echo(f"Left out: {printable(address)} is suppressed ({why}).", err=True)
    for address in result.unknown:
        typer.echo(f"Left out: {printable(address)} is not one e-mail address, or its entry is unreadable.", err=True)
    if not result.allowed:
        typer.echo("Nobody is left to send to.", err=True)


def _own_headers(environment: Environment | None, options: SendingOptions) -> dict[str, str]:
    """Return the headers from which the environment, or CloudWatch, takes tags."""
    if environment is None:
        return {}
    destinations = environment.configuration_sets[options.configuration_set or ""].event_destinations.values()
    dimensions = (dimension for each in destinations for dimension in each.cloudwatch_dimensions)
    names = [dimension.name for dimension in dimensions if dimension.source == "emailHeader"]
    return own_headers(options.tags, environment.tag_headers, names)


def _send(target: Target, via: str, message: OutgoingMessage, options: SendingOptions, *, dry_run: bool) -> str:
    """Send a message, and return its id; in a dry run, return what would be sent."""
    message = msgspec.structs.replace(message, own_headers=_own_headers(target.environment, options))
    if via == SMTP:
        mime = smtp_message(message, options)
        if dry_run:
            return mime.as_string()
        recipients = [bare_address(address) for address in message.recipients]
        return send_by_smtp(_smtp_access(target.deployment), mime, bare_address(message.sender), recipients)
    interface = Interface(via)
    parameters = request(interface, message, options)
    return _as_json(parameters) if dry_run else send_by_api(target.deployment, interface, parameters)


def _as_json(parameters: dict[str, Any]) -> str:
    """Return parameters as JSON; a MIME message, which has ASCII characters only, as text."""
    return json.dumps(parameters, indent=2, ensure_ascii=False, default=bytes.decode)


def _smtp_access(deployment: Deployment) -> SmtpAccess:
    """Return the server and the credentials: of a local run its own, whatever the variables say.

    Raises:
        Unavailable: if a variable is missing, or the server's port is no number.
    """
    if run := deployment.local_run:
        return SmtpAccess("127.0.0.1", run.smtp_port, "any", "any")
    if missing := [name for name in (USERNAME, PASSWORD) if not os.environ.get(name)]:
        raise Unavailable(
            f"For SMTP, set {' and '.join(missing)}. SMTP credentials are created in the SES console of each Region; "
            "access keys are none."
        )
    server = os.environ.get(HOST) or f"email-smtp.{deployment.region}.amazonaws.com"
    host, _, port = server.partition(":")
    if not (port or "0").isdigit():
        raise Unavailable(f"{HOST} is {server!r}: write HOST or HOST:PORT.")
    return SmtpAccess(host, int(port or PORT), os.environ[USERNAME], os.environ[PASSWORD])
