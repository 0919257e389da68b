"""Every setting of `caulk.toml`, with its default: a class a table, a field a key."""

from msgspec import field

from caulk.config.rules import DEFAULT_RULES, Rule
from caulk.config.values import Secret, Section, Size, Span


class Http(Section, frozen=True, kw_only=True):
    """How a server is asked; secrets come from files or the environment."""

    url: str
    user: str = ""
    password: Secret = Secret()
    password_file: str = ""
    token: Secret = Secret()
    """Sent as `Authorization: Bearer …`."""
    token_file: str = ""
    cacert: str = ""
    """A file of certificates to trust."""
    insecure: bool = False
    """Do not check its certificate."""
    timeout: Span = Span(10)


class Metrics(Http, frozen=True, kw_only=True, tag_field="kind", tag="metrics"):
    """A `/metrics` endpoint; what it says of memory is read."""

    name: str = ""
    """Of the workload; empty: what the endpoint is."""
    target: str = ""
    """What is captured when it leaks: `docker:web`, `k8s:shop/deploy/api`, or the endpoint's own address."""
    limit: Size | None = None
    probe: bool = False
    """Ask it without the credentials too, and export both answers (`caulk_endpoint_http_status`)."""


class Prometheus(Http, frozen=True, kw_only=True, tag_field="kind", tag="prometheus"):
    """A Prometheus server that knows the memory of a fleet."""

    query: str
    """A gauge in bytes, which page cache is not in; a series a replica."""
    limit_query: str = ""
    """The limit of each, in bytes, with the same labels."""
    workload: tuple[str, ...] = ("namespace", "workload", "container")
    """Labels that together are a workload; those that a series lacks are left out."""
    replica: tuple[str, ...] = ("pod", "instance")
    """Labels that tell its replicas apart."""


class Elastic(Http, frozen=True, kw_only=True, tag_field="kind", tag="elastic"):
    """Elastic APM's metric sets."""

    index: str = "metrics-apm*"
    service: str = "*"
    window: Span = Span(300)
    """How far back each look goes."""


Source = Metrics | Prometheus | Elastic


class Watch(Section, frozen=True, kw_only=True):
    """What is watched, and how often."""

    targets: tuple[str, ...] = ("pid:",)
    """As `caulk ps` takes them; `pid:` is every process here that may be looked at, `docker:` every container."""
    exclude: tuple[str, ...] = ()
    """Names of workloads to leave out; `*` stands for any characters."""
    sources: tuple[Source, ...] = ()
    interval: Span = Span(15)
    default_rules: bool = True
    """Whether the rules that need no configuration apply."""
    minimum: Size = Size(16 << 20)
    """Programs smaller than this are not judged."""

    def __post_init__(self) -> None:
        if self.interval < 1:
            raise ValueError("interval is too short: 1s is the least")


class Listen(Section, frozen=True, kw_only=True):
    """Where the loop listens: metrics of its own, alerts and OTLP metrics in."""

    address: str = "127.0.0.1:9849"
    """Empty: nowhere."""
    token: Secret = Secret()
    """What senders of alerts and metrics must present as `Authorization: Bearer …`."""
    token_file: str = ""


class Serve(Section, frozen=True, kw_only=True):
    """Where the web page is served, and to whom."""

    address: str = "127.0.0.1:8082"
    names: tuple[str, ...] = ()
    """Names that it is asked by, besides its address: of this machine, of a proxy before it."""
    token: Secret = Secret()
    """Who has it sees all, captures and reveals."""
    token_file: str = ""
    read_token: Secret = Secret()
    """Who has it only looks."""
    read_token_file: str = ""
    session: Span = Span(12 * 3600)
    """How long a browser stays signed in."""
    cert: str = ""
    """A file of certificates, its own first."""
    key: str = ""
    """Its private key, where that is not in the same file."""
    insecure: bool = False
    """Do without TLS where others can listen in."""
    proxies: tuple[str, ...] = ()
    """Addresses or networks of proxies, of which the headers are believed."""
    user_header: str = ""
    """The header by which these proxies say who asks."""
    roles_header: str = ""
    """The header that says which of `read` and `capture` they may; without it, both."""
    upload: Size = Size(16 << 30)
    """The largest dump that is taken."""
    uploads: int = 2
    """How many of them at once."""
    captures: int = 6
    """How many captures in a window: of each caller, and of each target."""
    reveals: int = 30
    """How many times in a window values are shown: to each caller, and of each dump."""
    window: Span = Span(600)
    sources: tuple[str, ...] = ()
    """Directories of source code, of which the lines that a profile names are shown."""
    source_url: str = ""
    """Where lines can be looked at: `https://host/owner/repository/blob/REVISION/{file}#L{line}`."""

    def __post_init__(self) -> None:
        if min(self.uploads, self.captures, self.reveals) < 0:
            raise ValueError("uploads, captures and reveals are 0 or more; 0 allows none")
        if self.window <= 0 or self.session <= 0:
            raise ValueError("window and session are longer than nothing")


class Store(Section, frozen=True, kw_only=True):
    """Where incidents are kept."""

    url: Secret = Secret()
    """A database of SQLAlchemy, `postgresql+psycopg://…`; it holds a password, so it stands in the environment."""
    url_file: str = ""
    """Without both, SQLite in CAULK_HOME."""


class Keep(Section, frozen=True, kw_only=True):
    """How many captures are kept; the newest of each target always is. Without any of these, all are."""

    size: Size | None = None
    count: int | None = None
    age: Span | None = None


class Webhook(Section, frozen=True, kw_only=True, tag_field="kind", tag="webhook"):
    """An HTTP endpoint that gets the incident as JSON."""

    url: str = ""
    url_file: str = ""
    """A file with the address, where that is a secret itself."""
    secret: Secret = Secret()
    """Key of the HMAC-SHA256 in `X-Caulk-Signature`."""
    secret_file: str = ""
    token: Secret = Secret()
    token_file: str = ""
    cacert: str = ""
    timeout: Span = Span(10)


class Slack(Section, frozen=True, kw_only=True, tag_field="kind", tag="slack"):
    """An incoming webhook of Slack, Mattermost, Rocket.Chat or Zulip; its address is a secret."""

    url: Secret = Secret()
    url_file: str = ""
    cacert: str = ""
    timeout: Span = Span(10)


class Alertmanager(Section, frozen=True, kw_only=True, tag_field="kind", tag="alertmanager"):
    """An Alertmanager, which gets each incident as an alert (`POST /api/v2/alerts`)."""

    url: str
    user: str = ""
    password: Secret = Secret()
    password_file: str = ""
    token: Secret = Secret()
    token_file: str = ""
    cacert: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    """Labels to add to every alert."""
    timeout: Span = Span(10)


class Command(Section, frozen=True, kw_only=True, tag_field="kind", tag="command"):
    """A program that gets the incident as JSON on stdin."""

    command: tuple[str, ...]
    timeout: Span = Span(60)


Notifier = Webhook | Slack | Alertmanager | Command


class Config(Section, frozen=True, kw_only=True):
    """All of caulk.toml."""

    watch: Watch = Watch()
    rules: tuple[Rule, ...] = ()
    notify: dict[str, Notifier] = field(default_factory=dict)
    listen: Listen = Listen()
    serve: Serve = Serve()
    store: Store = Store()
    keep: Keep = Keep()

    @property
    def rules_in_force(self) -> tuple[Rule, ...]:
        """The rules that apply: those given, and the default ones whose name none of them has."""
        given = {rule.name for rule in self.rules}
        default = DEFAULT_RULES if self.watch.default_rules else ()
        kept = [rule for rule in default if rule.name not in given]
        return tuple(rule for rule in (*kept, *self.rules) if rule.enabled)
