"""Create an e-mail address or domain that messages are sent from."""

import aws_cdk as cdk
from aws_cdk import aws_ses as ses
from constructs import Construct

from aftersend.config import Identity
from stacks.sequence import Sequence
from stacks.tags import tag


class SendingIdentity(Construct):
    """An identity that SES verifies: a domain once the DNS has its records, an address once its owner confirms it.

    DKIM belongs to the domain, and an address has no records of its own.
    """

    dns_records: list[str]
    """The records that verify the domain, and those of its MAIL FROM domain."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        settings: Identity,
        configuration_set: ses.CfnConfigurationSet | None,
        sequence: Sequence,
    ) -> None:
        super().__init__(scope, id)
        is_domain = "@" not in name
        key_length = ses.EasyDkimSigningKeyLength[settings.dkim_key_length]
        identity = ses.EmailIdentity(
            self,
            "Identity",
            identity=ses.Identity.domain(name) if is_domain else ses.Identity.email(name),
            configuration_set=configuration_set,
            dkim_signing=settings.dkim_signing if is_domain else None,
            dkim_identity=ses.DkimIdentity.easy_dkim(key_length) if is_domain else None,
            mail_from_domain=settings.mail_from_domain,
            mail_from_behavior_on_mx_failure=ses.MailFromBehaviorOnMxFailure[settings.mail_from_on_mx_failure]
            if settings.mail_from_domain
            else None,
        )
        sequence.add(identity)
        tag(identity, settings.resource_tags)
        dkim = [f"{record.name} CNAME {record.value}" for record in identity.dkim_records] if is_domain else []
        self.dns_records = dkim + _mail_from_records(settings.mail_from_domain, cdk.Stack.of(self).region)


def _mail_from_records(domain: str | None, region: str) -> list[str]:
    """Return the records of a custom MAIL FROM domain, as in "Using a custom MAIL FROM domain" of the SES guide."""
    if not domain:
        return []
    return [f"{domain} MX 10 feedback-smtp.{region}.amazonses.com", f'{domain} TXT "v=spf1 include:amazonses.com ~all"']
