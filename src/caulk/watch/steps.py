"""From the actions of a rule to the steps that an incident owes, in their order, each with a key of its own."""

from collections.abc import Iterator, Sequence

import msgspec

from caulk.config.rules import Action, Notify, Rule
from caulk.config.values import parse, plain
from caulk.model.incident import Outgoing

#: Between two steps there is room for those that one leads to.
STRIDE = 100
#: Where the notifications stand that an incident is closed.
LAST = 1_000_000


def owed(rule: Rule, incident: str, recipients: Sequence[str], now: float) -> list[Outgoing]:
    """The steps of a rule for an incident, due at once, one after the other; a notification is a step a recipient."""
    return [
        step
        for number, action in enumerate(rule.actions, 1)
        for step in _steps(action, incident, number * STRIDE, recipients, now)
    ]


def afterwards(rule: Rule, incident: str, recipients: Sequence[str], now: float) -> list[Outgoing]:
    """The notifications that an incident is closed, to those who were told that it was opened."""
    told = [action for action in rule.actions if isinstance(action, Notify)]
    names = dict.fromkeys(name for action in told for name in (action.to or recipients))
    return list(_steps(Notify(to=tuple(names)), incident, LAST, (), now))


def step(action: Action, incident: str, position: int, now: float) -> Outgoing:
    """One step, due now."""
    return next(_steps(action, incident, position, (), now))


def action_of(owed: Outgoing) -> Action:
    """What a step is to do."""
    decoded: Action = msgspec.json.decode(owed.document, type=Action, dec_hook=parse)
    return decoded


def _steps(action: Action, incident: str, position: int, recipients: Sequence[str], now: float) -> Iterator[Outgoing]:
    kind = type(action).__name__.lower()
    if not isinstance(action, Notify):
        yield Outgoing(f"{incident}/{position}", incident, position, kind, _document(action), due_at=now)
        return
    for name in action.to or recipients:
        document = _document(Notify(to=(name,)))
        yield Outgoing(f"{incident}/{position}/{name}", incident, position, kind, document, blocks=False, due_at=now)


def _document(action: Action) -> str:
    return msgspec.json.encode(action, enc_hook=plain).decode()
