"""Show how an operator adds a recipient to the suppression list, or removes them: a form, or the commands."""

import shlex
from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element

from aftersend.dashboard.elements import Action, button, command, element, field
from aftersend.dashboard.request import Request
from aftersend.operations.explanation import Explanation
from aftersend.suppression import EVERYWHERE
from aftersend.suppression.explanation import describe_scope

OPERATOR, REASON = "operator", "reason"
"""Fields of the form. Both are stored as they are stated: a function is not told who invokes it."""

MAX_CHARACTERS = {OPERATOR: "100", REASON: "300"}

ADD, REMOVE = "add", "remove"
"""Values of the parameter `change`."""


def changes(request: Request, environment: str, address: str, explanation: Explanation) -> Iterator[Element]:
    """Return what can be changed about a recipient. Nothing can about one who was forgotten."""
    yield element("h3", "Change the suppression list")
    if explanation.is_forgotten:
        sentence = "The recipient was forgotten. If they want mail again, undo that first (docs/privacy.md): "
        yield element("p", sentence, command(_command("forget", address, environment, "--undo")))
    elif request.functions.change is None:
        yield element("p", "Changes are made with commands:")
        for act in _suggested(explanation):
            yield element("p", command(_command(f"suppressions {act}", address, environment, "--note", "REASON")))
    else:
        yield from _form(request, address, explanation)


def _suggested(explanation: Explanation) -> Iterator[str]:
    if explanation.in_force or _is_listed(explanation):
        yield REMOVE
    if not _is_added(explanation):
        yield ADD


def _command(words: str, address: str, environment: str, *options: str) -> str:
    return shlex.join(["aftersend", *words.split(), address, "--env", environment, *options])


def _form(request: Request, address: str, explanation: Explanation) -> Iterator[Element]:
    sentence = "Your name and the reason are required, and stored as you state them with the recipient's events."
    yield element("p", sentence, css="soft")
    fields = [
        field(label, name, request.get(name), required="", maxlength=MAX_CHARACTERS[name])
        for name, label in ((OPERATOR, "Your name"), (REASON, "Reason"))
    ]
    buttons = [each for action in _actions(request, address, explanation) for each in button(*action)]
    yield element("form", *fields, *buttons)


def _actions(request: Request, address: str, explanation: Explanation) -> Iterator[tuple[str, Action]]:
    """Return the label of each button with its action."""
    scopes = {entry.scope for entry in explanation.in_force} | ({EVERYWHERE} if _is_listed(explanation) else set())
    for scope in sorted(scopes):
        where = describe_scope(scope)
        deleted = ", and deletes it from SES's account list" if scope == EVERYWHERE else ""
        question = f"This lets mail to {address} be sent again {where}{deleted}. Remove it?"
        yield f"Remove {where}", _action(request, REMOVE, address, scope, question)
    if not _is_added(explanation):
        question = f"This suppresses {address} everywhere until an operator removes it. Add it?"
        yield "Add everywhere", _action(request, ADD, address, EVERYWHERE, question)


def _action(request: Request, change: str, address: str, scope: str, question: str) -> Action:
    parameters: Mapping[str, str] = {
        "panel": request.panel,
        "change": change,
        "address": address,
        "scope": scope,
        "show": request.functions.show,
    }
    return Action(request.functions.change or "", parameters, question)


def _is_listed(explanation: Explanation) -> bool:
    return any(spelling.listed for spelling in explanation.listed)


def _is_added(explanation: Explanation) -> bool:
    """Tell whether an operator has added the recipient for all mail, so that adding them again changes nothing."""
    return any(entry.reason == "operator" and entry.scope == EVERYWHERE for entry in explanation.in_force)
