"""Record the AWS calls that the functions make: the pipeline's in the world, those of identities in an account."""

from datetime import timedelta
from typing import Any
from unittest import mock

from aftersend.contract import CustomResource, Variable
from aftersend.suppression import Entry
from lambdas import account_list_comparison
from lambdas.scheduled import SCHEDULE
from tests.adapters.identities import IDENTITY, SET_BY_HAND, UNTOUCHED, new_request
from tests.evaluators.account import Account
from tests.evaluators.calls import required_calls
from tests.evaluators.faults import add_entry, add_tombstone, count_storm, forget_pauses, remember_pause
from tests.evaluators.iam import Call
from tests.evaluators.templates import Templates
from tests.event_factory import an_event
from tests.world.arrivals import deliver, published_events
from tests.world.world import BEGIN, HASH_KEY_SECRET, World

SEEDS = range(8)
"""Enough that every operation the adapters know is called; more change nothing."""

NAMES = {
    "ledger": Variable.LEDGER_TABLE,
    "suppressions": Variable.SUPPRESSIONS_TABLE,
    "counters": Variable.COUNTERS_TABLE,
    "bus": Variable.EVENT_BUS,
    HASH_KEY_SECRET: Variable.HASH_KEY_SECRET,
}
"""Which setting of a function names the table, event bus or secret that the world calls so."""

Calls = dict[str, set[Call]]
"""By the function's file in lambdas/."""


def pipeline_calls(templates: Templates) -> Calls:
    """Run worlds in which calls fail, functions are killed and records are damaged; return the calls made."""
    calls: Calls = {}
    functions = templates.functions()
    bucket = templates.only("AWS::S3::Bucket").name

    def observe(function: str, operation: str, parameters: dict[str, Any]) -> None:
        settings = functions[function].properties["Environment"]["Variables"]
        names = {name: settings[variable] for name, variable in NAMES.items() if variable in settings}
        calls.setdefault(function, set()).update(required_calls(operation, parameters, names | {"archive": bucket}))

    for seed in SEEDS:
        world = World(seed)
        with world.answer_calls():
            world.tombstones.put("forgotten@mail.example", BEGIN)
        world.observe = observe
        deliver(world, published_events(world.rng, world.clock.now(), 20))
        rates = world.dynamodb.fault_rates
        rates.throttled, rates.unprocessed, rates.conflicts = 0.02, 0.1, 0.1
        world.run(kill_rate=0.2)
    return calls


def identity_calls(templates: Templates) -> Calls:
    """Deploy the settings of an identity, verify it, let them drift, and remove them; return the calls made."""
    calls: Calls = {}
    account = Account(templates, **{Variable.RESTORE_DRIFT: "true"})

    def observe(function: str, operation: str, parameters: dict[str, Any]) -> None:
        calls.setdefault(function, set()).update(required_calls(operation, parameters, {}))

    def request(request_type: str, resource: CustomResource = CustomResource.IDENTITY_NOTIFICATIONS) -> None:
        account.invoke("set_identity_notifications", new_request(request_type) | {"ResourceType": resource})

    account.observe = observe
    account.ses.verified.clear()
    request("Create", CustomResource.PREVIOUS_IDENTITY_NOTIFICATIONS)
    request("Create")
    account.invoke("check_identities")
    account.ses.verified.add(IDENTITY)
    for settings in (UNTOUCHED, SET_BY_HAND):
        account.ses.settings[IDENTITY] = settings
        account.invoke("check_identities")
    account.ses.settings[IDENTITY] = SET_BY_HAND
    request("Update")
    request("Delete")
    request("Delete", CustomResource.PREVIOUS_IDENTITY_NOTIFICATIONS)
    return calls


def sweep_calls(templates: Templates) -> Calls:
    """Sweep a list with an entry that is temporary although its evidence makes it lasting; return the calls made."""
    calls: Calls = {}
    account = Account(templates)

    def observe(function: str, operation: str, parameters: dict[str, Any]) -> None:
        calls.setdefault(function, set()).update(required_calls(operation, parameters, {}))

    account.observe = observe
    bounce = an_event("Bounce", bounce_type="Permanent", bounce_subtype="General")
    assert bounce.recipient
    add_entry(
        account,
        Entry(recipient=bounce.recipient, reason="bounce", rule="hard-bounce", until=BEGIN, evidence=[bounce]),
    )
    add_tombstone(account)
    account.invoke("sweep_suppressions", {"source": SCHEDULE, "time": f"{BEGIN.replace(hour=0):%Y-%m-%dT%H:%M:%SZ}"})
    return calls


def change_calls(templates: Templates) -> Calls:
    """Add a recipient on the dashboard, then remove them while SES's account list has them; return the calls made."""
    calls: Calls = {}
    account = Account(templates, **{Variable.PACE_SECONDS: "0"})

    def observe(function: str, operation: str, parameters: dict[str, Any]) -> None:
        calls.setdefault(function, set()).update(required_calls(operation, parameters, {}))

    account.observe = observe
    add_tombstone(account)
    address = "reader@mail.example"
    account.account_list.PutSuppressedDestination({"EmailAddress": address, "Reason": "BOUNCE"})
    stated = {"widgetContext": {"forms": {"all": {"operator": "Kim", "reason": "asked"}}}}
    for change in ("add", "remove"):
        account.invoke("change_suppressions", {"change": change, "address": address, "scope": "*"} | stated)
    return calls


def rates_calls(templates: Templates) -> Calls:
    """Let the rate of one set become critical, and remember that others were paused; return the calls made."""
    calls: Calls = {}
    account = Account(templates)

    def observe(function: str, operation: str, parameters: dict[str, Any]) -> None:
        calls.setdefault(function, set()).update(required_calls(operation, parameters, {}))

    account.observe = observe
    for name in ("newsletter", "receipts"):
        remember_pause(account, name)
    account.invoke("watch_rates")
    count_storm(account, "newsletter", bounces=200)
    forget_pauses(account)
    account.invoke("watch_rates")
    return calls


def account_list_calls(templates: Templates) -> Calls:
    """Compare lists of which each has addresses that the other lacks, one by one and by import; return the calls."""
    calls: Calls = {}
    account = Account(templates)

    def observe(function: str, operation: str, parameters: dict[str, Any]) -> None:
        calls.setdefault(function, set()).update(required_calls(operation, parameters, {}))

    account.observe = observe
    missing = Entry(recipient="missing@mail.example", reason="bounce", rule="hard-bounce")
    removed = Entry(
        recipient="removed@mail.example",
        reason="bounce",
        rule="hard-bounce",
        until=BEGIN + timedelta(days=1),
        lifted_by="removed-by-operator",
    )
    for maximum in (account_list_comparison.MAX_SINGLE_CALLS, 0, 0):
        add_entry(account, missing)
        add_entry(account, removed)
        add_tombstone(account)
        account.account_list.addresses.clear()
        for name in ("removed", "unknown"):
            call = {"EmailAddress": f"{name}@mail.example", "Reason": "BOUNCE"}
            account.account_list.PutSuppressedDestination(call)
        with mock.patch.object(account_list_comparison, "MAX_SINGLE_CALLS", maximum):
            account.invoke("sync_account_list")
    return calls


def hourly_calls(templates: Templates) -> Calls:
    """Compare counters with SES's metrics, count the values of tags, and send a canary twice; return the calls made."""
    calls: Calls = {}
    account = Account(templates)

    def observe(function: str, operation: str, parameters: dict[str, Any]) -> None:
        calls.setdefault(function, set()).update(required_calls(operation, parameters, {}))

    account.observe = observe
    account.invoke("check_counts")
    for run in (BEGIN, BEGIN + timedelta(hours=1)):
        account.invoke("send_canary", {"source": "aws.events", "time": run.isoformat()})
    return calls
