"""Add a recipient to the suppression list, or remove one, as an operator asks on the dashboard.

A function of its own, with a permission of its own: who may look at the dashboard may not change anything. It is safe
to stop anywhere and to invoke twice: what is in force already is not added again, what is not is not removed. No
address is logged.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from aftersend.aws.account_list import AccountList
from aftersend.aws.clients import client
from aftersend.aws.ledger_table import LedgerTable
from aftersend.aws.recipient_explanation import explain_recipient
from aftersend.aws.suppression_check import recipient_of
from aftersend.aws.suppression_editor import REFUSALS, Editor, Removal, describe_refusal
from aftersend.aws.suppressions_table import SuppressionsTable
from aftersend.contract import Variable
from aftersend.dashboard import recipient as panel
from aftersend.dashboard.elements import Content, banner, element, widget
from aftersend.dashboard.recipient import MAX_EVENTS, Place
from aftersend.dashboard.recipient_changes import ADD, OPERATOR, REASON, REMOVE
from aftersend.dashboard.request import Functions, Request, parse_request
from aftersend.parsing.addresses import bare_address
from aftersend.recorder import Recorder
from aftersend.suppression.entry import SCOPE
from aftersend.suppression.explanation import describe_scope
from lambdas import recording
from lambdas.dependencies import logger
from lambdas.settings import setting, text_setting
from lambdas.widget_failure import describe_failure

DESCRIPTION = """### Aftersend
Adds a recipient to the suppression list, or removes one. The panel of a recipient invokes it.
"""


class Tables(NamedTuple):
    """What a change reads and writes."""

    recorder: Recorder
    ledger: LedgerTable
    suppressions: SuppressionsTable
    account_list: AccountList


def tables() -> Tables:
    """Return the tables of this function's environment, whatever the event names."""
    recorder = recording.recorder().for_one_invocation()
    account_list = AccountList(client("sesv2"), pace_seconds=setting(Variable.PACE_SECONDS, float))
    return Tables(recorder, recording.ledger(), recording.suppressions(), account_list)


def handler(
    event: Mapping[str, Any],
    context: Any = None,
    *,
    make_tables: Callable[[], Tables] = tables,
    now: datetime | None = None,
) -> Any:
    """Record the operator's act, and return the recipient's panel with what was done."""
    if "describe" in event:
        return {"markdown": DESCRIPTION}
    functions = Functions(str(event.get("show", "")), getattr(context, "invoked_function_arn", ""))
    request = parse_request(event, now or datetime.now(UTC), functions)._replace(panel="recipient")
    return widget(*_content(request, make_tables), is_dark=request.is_dark)


def _content(request: Request, make_tables: Callable[[], Tables]) -> Iterable[Content]:
    change = request.get("change")
    try:
        if problem := _problem(request):
            return [banner(f"Nothing was changed. {problem}", tone="bad")]
        collaborators = make_tables()
        notice = (
            f"Nothing was changed. {missing}" if (missing := _missing(request)) else _change(request, collaborators)
        )
    except Exception as error:  # noqa: BLE001 (whoever chose the button must know what to do)
        sentence = describe_failure(error, "A change failed.", change=change)
        advice = element("p", sentence, " Look the address up again before you repeat the change.")
        return [banner("The change may not have been made.", advice, tone="bad")]
    place, address = Place(request, text_setting(Variable.ENVIRONMENT)), bare_address(request.get("address"))
    shown = [*panel.search(place, address, notice)]
    try:
        return [*shown, *_recipient(place, address, collaborators)]
    except Exception as error:  # noqa: BLE001 (what was done is shown, whatever becomes of the rest)
        sentence = describe_failure(error, "The answer to a change failed.", change=change)
        return [*shown, banner("The recipient cannot be shown.", element("p", sentence), tone="bad")]


def _problem(request: Request) -> str | None:
    """Return why an event is not one of the panel's buttons."""
    if request.get("change") not in (ADD, REMOVE):
        return f"`change` must be {ADD} or {REMOVE}. Choose a button of the panel."
    if not recipient_of(request.get("address")):
        return "`address` must be one e-mail address. Look it up again."
    if not SCOPE.fullmatch(request.get("scope")):
        return "`scope` must be a scope, such as *. Look the address up again."
    return None


def _missing(request: Request) -> str:
    """Return which fields must be filled in; an empty string if none."""
    labels = {OPERATOR: "your name", REASON: "the reason"}
    empty = [label for name, label in labels.items() if not request.get(name)]
    return f"Enter {' and '.join(empty)}, then choose the button again." if empty else ""


def _change(request: Request, collaborators: Tables) -> str:
    """Make the change and return what was done, as a sentence."""
    recorder, _, suppressions, account_list = collaborators
    editor = Editor(recorder, suppressions, account_list, request.get(OPERATOR), request.get(REASON))
    address, scope = bare_address(request.get("address")), request.get("scope")
    try:
        if request.get("change") == ADD:
            done = _added(editor.add(address, scope), scope)
        else:
            done = _removed(editor.remove(address, scope, is_deleted=True), scope)
    except REFUSALS as error:
        return describe_refusal(error)
    logger.info("Changed the suppression list.", extra={"change": request.get("change"), "scope": scope})
    return done


def _added(is_added: bool, scope: str) -> str:
    if is_added:
        return f"Added: suppressed {describe_scope(scope)} until an operator removes it."
    return "An operator has added it before: nothing was changed."


def _removed(removal: Removal, scope: str) -> str:
    where = describe_scope(scope)
    done = f"Removed: no longer suppressed {where}." if removal.removed else f"It was not suppressed {where}."
    deleted = " SES's account list no longer has it." if removal.deletion.deleted else ""
    problems = "".join(f" SES's account list may still have it: {problem}" for problem in removal.deletion.problems)
    return done + deleted + problems


def _recipient(place: Place, address: str, collaborators: Tables) -> Iterable[Content]:
    recorder, ledger, suppressions, account_list = collaborators
    explanation = explain_recipient(
        address,
        events=ledger.newest_for(address.lower(), MAX_EVENTS),
        suppressions=suppressions,
        policy=recorder.policy,
        is_forgotten=lambda recipient: recipient in recorder.forgotten(),
        account_list=account_list,
        now=place.request.now,
    )
    return panel.recipient(place, address, explanation, MAX_EVENTS)
