"""A rule as data: filters, a trigger, actions and limits. Which of them fire, `caulk.watch.rules` decides.

The shape is dotnet-monitor's (collection rules), with triggers for leaks: every (rule, workload) pair is a state of its
own, and a rule that fired is silent for that workload until its trigger has been false in between.
"""

from typing import Literal

from msgspec import field

from caulk.config.values import Section, Share, Size, Span
from caulk.model.judgement import State

Happening = Literal["oom", "restart", "deploy", "dump"]


class Filters(Section, frozen=True, kw_only=True):
    """Whom a rule is about: all that is given must match; `*` and `?` stand for any characters."""

    workload: str = "*"
    """The key or the name of the workload."""
    runtime: str = "*"
    place: str = "*"
    """local, docker, kubernetes, endpoint."""
    labels: dict[str, str] = field(default_factory=dict)
    """Labels of the target: namespace, pod, container, image, node."""


class Trigger(Section, frozen=True, kw_only=True):
    """When a rule fires: all that is given must hold."""

    state: tuple[State, ...] = ()
    """One of these is what is judged."""
    growth: Size | None = None
    """It grows by as many bytes an hour, and the whole interval is above zero."""
    share_of_limit: Share | None = None
    """Memory that the kernel cannot take back is this share of the limit."""
    time_to_limit: Span | None = None
    """The limit is met within this time if growth stays as it is; nothing to do with those that do not grow."""
    held: Span = Span(0)
    """All of it held for so long without a break."""
    event: tuple[Happening, ...] = ()
    """One of these happened."""
    alert: str | None = None
    """An alert of this name came from Alertmanager; `*` stands for any characters."""

    def __post_init__(self) -> None:
        given = (self.state, self.growth, self.share_of_limit, self.time_to_limit, self.event, self.alert)
        if all(one is None or one == () for one in given):
            raise ValueError("needs one of state, growth, share_of_limit, time_to_limit, event, alert")
        if self.alert is not None and (self.event or self.held):
            raise ValueError("alert is a trigger of its own: no event, no held beside it")


class Capture(Section, frozen=True, kw_only=True, tag_field="do", tag="capture"):
    """Take the heap of one replica, by the cheapest way that answers, then by dearer ones; guards are heard."""

    ways: tuple[str, ...] = ()
    """What to take, in this order, as `caulk doctor` calls it; empty: whatever is open, the cheapest first."""
    grown: Share = Share(0)
    """Not before its memory has grown by this share since the capture before."""
    within: Span = Span(86400)
    """But no later than this."""
    lend: Size = Size(0)
    """Raise the memory limit by so much meanwhile, where that can be done."""


class Look(Section, frozen=True, kw_only=True, tag_field="do", tag="look"):
    """Say what kind of memory it is, which kind grew since the look before, and what limit and settings would fit."""


class Collect(Section, frozen=True, kw_only=True, tag_field="do", tag="collect"):
    """Take the dump that appeared into the store, at once."""

    remove: bool = False
    """Delete it where it appeared, once it is here and whole."""


class Analyse(Section, frozen=True, kw_only=True, tag_field="do", tag="analyse"):
    """Name what leaks from the captures of the incident; with two and more, by what grew between them."""

    dearer: bool = True
    """Where the captures name nothing, take one by a dearer way and look again, as long as there is one."""


class Notify(Section, frozen=True, kw_only=True, tag_field="do", tag="notify"):
    """Tell what is known so far."""

    to: tuple[str, ...] = ()
    """Names of `[notify.NAME]`; empty: all of them."""


class Run(Section, frozen=True, kw_only=True, tag_field="do", tag="run"):
    """Run a command here, with the incident as JSON on stdin and CAULK_INCIDENT in the environment."""

    command: tuple[str, ...]
    timeout: Span = Span(60)

    def __post_init__(self) -> None:
        if not self.command:
            raise ValueError("command is empty: give the program and its arguments")


Action = Look | Capture | Collect | Analyse | Notify | Run


class Limits(Section, frozen=True, kw_only=True):
    """What keeps a rule from doing too much."""

    count: int = 5
    """Firings within the window, over all workloads."""
    per_workload: int = 2
    """Firings within the window for one workload."""
    window: Span = Span(86400)
    cooldown: Span = Span(3600)
    """Time from one firing for a workload to the next."""
    disk: Size = Size(20 << 30)
    """No capture while those in the store take more than this."""


class Rule(Section, frozen=True, kw_only=True):
    """One rule; a rule of the name of a default one takes its place."""

    name: str
    enabled: bool = True
    filters: Filters = Filters()
    trigger: Trigger
    actions: tuple[Action, ...] = ()
    limits: Limits = Limits()


#: What happens where caulk.toml says nothing.
DEFAULT_RULES = (
    Rule(
        name="leak",
        trigger=Trigger(state=("leaking",)),
        actions=(Look(), Capture(), Notify(), Capture(grown=Share(0.1)), Look(), Analyse(), Notify()),
        limits=Limits(cooldown=Span(6 * 3600)),
    ),
    Rule(
        name="undersized",
        trigger=Trigger(state=("undersized",)),
        actions=(Look(), Notify()),
        limits=Limits(cooldown=Span(86400)),
    ),
    Rule(
        name="limit-near",
        trigger=Trigger(state=("leaking", "suspect"), time_to_limit=Span(1800)),
        actions=(Capture(), Analyse(), Notify()),
        limits=Limits(cooldown=Span(6 * 3600)),
    ),
    Rule(
        name="oom",
        trigger=Trigger(event=("oom",)),
        actions=(Analyse(dearer=False), Notify()),
        limits=Limits(count=20),
    ),
    Rule(
        name="dump",
        trigger=Trigger(event=("dump",)),
        actions=(Collect(), Analyse(dearer=False), Notify()),
        # A program that dumps in a loop would fill the disk, and the first dumps say as much as the later ones.
        limits=Limits(count=20, per_workload=3, cooldown=Span(60)),
    ),
    Rule(
        name="alert",
        trigger=Trigger(alert="*"),
        actions=(Capture(), Analyse(), Notify()),
        limits=Limits(cooldown=Span(900)),
    ),
)
