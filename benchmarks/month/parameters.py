"""List every assumption of the simulated month, with its source."""

from typing import NamedTuple

import msgspec


class Parameters(msgspec.Struct, frozen=True):
    """Hold the assumptions; SOURCES explains each."""

    campaign_share: float = 0.8
    campaigns_a_day: float = 20
    zipf_exponent: float = 1.0
    burst_minutes: float = 60
    other_values: float = 20
    day_swing: float = 0.4
    tracked: float = 1.0
    open_median_hours: float = 3.0
    open_sigma: float = 1.6
    first_share: float = 0.55
    machine_share: float = 0.4
    other_provider_share: float = 0.3
    duplicate_share: float = 0.002
    record_bytes: float = 2_000
    arrival_seconds: float = 2.0
    archive_event_seconds: float = 0.001
    count_record_seconds: float = 0.0002
    invocation_seconds: float = 0.06
    transaction_seconds: float = 0.02
    polls_a_second: float = 4
    shards: float = 4


class Source(NamedTuple):
    """Explain a parameter."""

    meaning: str
    source: str


SOURCES = {
    "campaign_share": Source(
        "part of the mail that is sent in campaigns, the rest evenly by the day's curve", "assumed"
    ),
    "campaigns_a_day": Source("campaigns that begin on a day, each with a value of `campaign` of its own", "assumed"),
    "zipf_exponent": Source("the n-th largest campaign has 1/n^x of the largest one's mail", "assumed: Zipf's law"),
    "burst_minutes": Source("how long a campaign is sent", "assumed: limited by the sending rate of the account"),
    "other_values": Source("values of `campaign` of mail that is sent evenly; of `template` of all mail", "assumed"),
    "day_swing": Source("by how much the busiest hour, 3 p.m., is above the mean, and 3 a.m. below it", "assumed"),
    "tracked": Source("opens and clicks, as a multiple of those in aftersend/config/volume.py", "the mix there"),
    "open_median_hours": Source(
        "median time from sending to an open or click", "assumed: half of a day's opens come within hours"
    ),
    "open_sigma": Source("width of the log-normal distribution around it: 5 % later than 42 hours", "assumed"),
    "first_share": Source("opens and clicks that are the first of a message and recipient by a person", "assumed"),
    "machine_share": Source(
        "opens by machines, of which each message has one at most", "assumed: half of all readers use Apple Mail"
    ),
    "other_provider_share": Source(
        "mail to domains of no known mailbox provider; the rest goes to twelve of them", "assumed"
    ),
    "duplicate_share": Source("events that SES publishes twice", "assumed: at least once is all that SES promises"),
    "record_bytes": Source(
        "a record of event publishing, with a few headers of the message",
        "docs/events.md: 1,200 to 1,550 of tests; more headers in practice",
    ),
    "arrival_seconds": Source("from an event to SNS or Firehose; from an object to its function", "assumed"),
    "archive_event_seconds": Source("record_archive per event, at 1,024 MB", "as in aftersend/config/cost.py"),
    "count_record_seconds": Source(
        "count_tags per change, at 512 MB", "59 µs of a full processor, a third of which 512 MB have"
    ),
    "invocation_seconds": Source(
        "each invocation, including its share of cold starts", "as in aftersend/config/cost.py"
    ),
    "transaction_seconds": Source(
        "a transaction of DynamoDB, during which another one with the same row conflicts",
        "assumed: twice a single write",
    ),
    "polls_a_second": Source(
        "how often Lambda reads a shard", '"Polling and batching streams" (AWS Lambda Developer Guide)'
    ),
    "shards": Source("shards of the ledger's stream", "a new on-demand table has four partitions, each with a shard"),
}
