"""Recognize the opens and clicks that machines cause, by SES's own mark and by the user agent.

The table is as of AS_OF. It depends on nothing but the record, so that all copies of an event agree. A later version of
it classifies the same record differently: see docs/decisions/0023-machines-and-headers.md.

What it misses: Mimecast, Proofpoint, Safe Links of Microsoft and others follow links with the user agent of a usual
browser (https://github.com/mautic/mautic/issues/16263). Only SES's mark can tell those.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from aftersend.events import Machine

AS_OF = "2026-12-01"
"""The day on which the sources were read."""

LIKELY = "Likely"
"""The value of `isBotEvent` that makes an event a machine's. `Unlikely` makes no person of a known scanner."""

APPLE_PROXY = "Mozilla/5.0"
"""The whole user agent of Apple's Mail Privacy Protection (https://www.mailgun.com/blog/product/bot-detection/). Apple
also publishes the networks it comes from, which are too many and change too often to be here: they would tell a person
from the proxy where another program has this user agent."""

GMAIL_PREFETCH = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/42.0.2311.135 "
    "Safari/537.36 Edge/12.246 Mozilla/5.0"
)
"""The whole user agent with which Gmail loads images before it shows that a message arrived
(https://www.sparkpost.com/blog/gmail-prefetching-images/). When the message is opened, Gmail loads them with another:
GoogleImageProxy is a person's open, and so is YahooMailProxy."""


class Scanner(NamedTuple):
    """Describe a program that loads images or follows links and is no mail program."""

    beginning: str
    """How a word of its user agent begins, in any letter case."""
    description: str
    source: str


CRAWLER_LIST = "https://github.com/monperrus/crawler-user-agents"

SCANNERS = (
    Scanner("Barracuda Sentinel", "mail security", "https://www.tryrankly.com/agent-directory/barracuda-sentinel"),
    Scanner("Google-Safety", "malware check", CRAWLER_LIST),
    Scanner("virustotal", "malware check", CRAWLER_LIST),
    Scanner("CloudflareRadarURLScanner", "malware check", CRAWLER_LIST),
    Scanner("Slackbot", "link preview", "https://api.slack.com/robots"),
    Scanner("Slack-ImgProxy", "link preview", "https://api.slack.com/robots"),
    Scanner("SkypeUriPreview", "link preview of Teams", "https://opengraphplus.com/consumers/teams/crawling"),
    Scanner("MicrosoftPreview", "link preview", "https://datadome.co/bots/microsoft-preview/"),
    Scanner("BingPreview", "link preview", CRAWLER_LIST),
    Scanner("Yahoo Link Preview", "link preview", CRAWLER_LIST),
    Scanner("Snap URL Preview", "link preview", CRAWLER_LIST),
    Scanner("facebookexternalhit", "link preview", CRAWLER_LIST),
    Scanner("Twitterbot", "link preview", CRAWLER_LIST),
    Scanner("LinkedInBot", "link preview", CRAWLER_LIST),
    Scanner("Discordbot", "link preview", CRAWLER_LIST),
    Scanner("TelegramBot", "link preview", CRAWLER_LIST),
    Scanner("WhatsApp/", "link preview", CRAWLER_LIST),
    Scanner("Googlebot", "search engine", CRAWLER_LIST),
    Scanner("bingbot", "search engine", CRAWLER_LIST),
    Scanner("HeadlessChrome", "browser without a screen", CRAWLER_LIST),
    Scanner("PhantomJS", "browser without a screen", CRAWLER_LIST),
    Scanner("curl/", "HTTP client", CRAWLER_LIST),
    Scanner("Wget/", "HTTP client", CRAWLER_LIST),
    Scanner("python-requests", "HTTP client", CRAWLER_LIST),
    Scanner("Python-urllib", "HTTP client", CRAWLER_LIST),
    Scanner("python-httpx", "HTTP client", CRAWLER_LIST),
    Scanner("aiohttp", "HTTP client", CRAWLER_LIST),
    Scanner("axios/", "HTTP client", CRAWLER_LIST),
    Scanner("node-fetch", "HTTP client", CRAWLER_LIST),
    Scanner("Go-http-client", "HTTP client", CRAWLER_LIST),
    Scanner("Apache-HttpClient", "HTTP client", CRAWLER_LIST),
    Scanner("libwww-perl", "HTTP client", CRAWLER_LIST),
)
"""Clients that mail programs of telephones load images with, such as okhttp and CFNetwork, are not here."""

MAX_USER_AGENT_CHARACTERS, MAX_REMEMBERED = 512, 1_024
"""A user agent is recognized by so many characters, and so many are remembered: few programs open most mail."""

SCANNER_PATTERN = f"(^|[^a-z])({'|'.join(re.escape(each.beginning.lower()) for each in SCANNERS)})"
"""What a user agent of a scanner has in lower case. Reports search for it too (aftersend/reports/events.sql): it is a
pattern of Python and of Athena, and has no question mark, which is a parameter there."""

_SCANNER = re.compile(SCANNER_PATTERN, re.IGNORECASE)


def machine(bot_likelihood: str | None, user_agent: str | None) -> Machine | None:
    """Return why an open or a click is taken for a machine's; None if it is a person's as far as one can tell."""
    if bot_likelihood == LIKELY:
        return Machine.BOT_MARK
    return _machine_of(user_agent[:MAX_USER_AGENT_CHARACTERS]) if user_agent else None


@lru_cache(MAX_REMEMBERED)
def _machine_of(user_agent: str) -> Machine | None:
    if user_agent == APPLE_PROXY:
        return Machine.PROXY
    return Machine.SCANNER if user_agent == GMAIL_PREFETCH or _SCANNER.search(user_agent) else None
