"""caulk.toml: what is right is read, what is wrong is said with file, table, key and what is allowed."""

from pathlib import Path

import pytest

from caulk.config import load
from caulk.config.rules import DEFAULT_RULES, Capture, Notify
from caulk.config.schema import Slack, Webhook
from caulk.config.secrets import revealed
from caulk.model.errors import UsageError

RULE = '[[rules]]\nname = "big"\ntrigger = {share_of_limit = "80%"}\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "caulk.toml"


def read(file: Path, text: str, **environ: str):
    file.write_text(text)
    return load(str(file), environ)


def complaint(file: Path, text: str, **environ: str) -> str:
    with pytest.raises(UsageError) as error:
        read(file, text, **environ)
    return f"{error.value} | {error.value.hint}"


def test_without_a_file_there_are_rules_that_need_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    config = load("", {})
    assert config.rules_in_force == DEFAULT_RULES
    assert config.watch.targets == ("pid:",)


def test_the_file_that_is_named_comes_before_the_one_here_and_that_before_the_users_own(tmp_path, monkeypatch):
    home, here = tmp_path / "home", tmp_path / "here"
    (home / "caulk").mkdir(parents=True)
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    for seconds, path in ((3, home / "caulk/caulk.toml"), (2, here / "caulk.toml"), (1, tmp_path / "named.toml")):
        path.write_text(f'[watch]\ninterval = "{seconds}s"\n')
    assert load(str(tmp_path / "named.toml"), {}).watch.interval == 1
    assert load("", {}).watch.interval == 2
    (here / "caulk.toml").unlink()
    assert load("", {}).watch.interval == 3


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(UsageError, match=r"nowhere\.toml: there is no such file"):
        load(str(tmp_path / "nowhere.toml"), {})


def test_sizes_spans_and_shares_are_read_as_people_write_them(file):
    config = read(
        file,
        """
        [watch]
        interval = "1m"
        minimum = "64M"
        [[rules]]
        name = "big"
        trigger = {share_of_limit = "80%", growth = "50M", time_to_limit = "2h", held = 90}
        actions = [{do = "capture", grown = 0.25}, {do = "notify", to = ["hook"]}]
        limits = {window = "7d", disk = "1.5G"}
        [notify.hook]
        kind = "webhook"
        url = "http://127.0.0.1:1"
        """,
    )
    (rule,) = config.rules
    trigger, limits = rule.trigger, rule.limits
    assert (config.watch.interval, config.watch.minimum) == (60, 64 << 20)
    assert (trigger.share_of_limit, trigger.growth, trigger.time_to_limit, trigger.held) == (0.8, 50 << 20, 7200, 90)
    assert rule.actions == (Capture(grown=0.25), Notify(to=("hook",)))
    assert (limits.window, limits.disk) == (7 * 86400, 3 << 29)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[wach]", ["at the top: wach is no setting", "Known there: keep, listen, notify, rules, serve, store, watch"]),
        ("[watch]\nintervall = '3s'", ["[watch] intervall is no setting", "interval"]),
        ("[watch]\ninterval = 'soon'", ["[watch] interval: 'soon' is not a span of time", "30s, 5m, 12h or 7d"]),
        ("[watch]\ninterval = true", ["[watch] interval: true is not a span of time"]),
        ("[watch]\ninterval = 0.5", ["[watch] interval is too short"]),
        ("[serve]\ncaptures = -1", ["[serve] uploads, captures and reveals are 0 or more"]),
        ("[serve]\nsession = 0", ["[serve] window and session are longer than nothing"]),
        ("[watch]\ntargets = 'pid:'", ["[watch] targets: an array is wanted, not a str"]),
        ("[[rules]]\nname = 'x'", ["[[rules]] 1 trigger is missing"]),
        (RULE + RULE, ["'big' is given twice"]),
        (RULE.replace("big", "Big one"), ["'Big one' is not a name"]),
        (RULE + "[[rules]]\nname = 'y'\ntrigger = {}", ["[[rules]] 2 trigger needs one of state"]),
        (RULE.replace("80%", "180%"), ["[[rules]] 1 trigger share_of_limit: '180%' is not a share"]),
        (
            RULE.replace("share_of_limit", "state").replace('"80%"', '["leeking"]'),
            ["[[rules]] 1 trigger state 1", "'leeking'", "leaking, steady, suspect, undersized"],
        ),
        (RULE + "[[rules.actions]]\ndo = 'captur'", ["[[rules]] 1 actions.1 do", "capture, collect, analyse"]),
        (RULE + "[[rules.actions]]\ndo = 'run'\ncommand = []", ["command is empty"]),
        (RULE + "[[rules.actions]]\ndo = 'notify'\nto = ['ops']", ["[[rules]] big: nobody is called 'ops'"]),
        ("[notify.ops]\nkind = 'pigeon'", ["[notify.ops] kind", "webhook, slack, alertmanager, command"]),
        ("[notify.ops]\nurl = 'x'", ["[notify.ops] kind is missing"]),
        ("[[watch.sources]]\nkind = 'metrics'", ["[watch.sources.1] url is missing"]),
        ("a =", ["is not TOML"]),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_what_is_allowed(file, text, parts):
    said = complaint(file, text)
    assert said.startswith(str(file))
    for part in parts:
        assert part in said


@pytest.mark.parametrize(
    ("text", "variable"),
    [
        ("[notify.ops]\nkind = 'slack'\nurl = 'https://hooks/T0'", "CAULK_NOTIFY__OPS__URL"),
        ("[notify.ops]\nkind = 'webhook'\nurl = 'https://x'\nsecret = 'T0'", "CAULK_NOTIFY__OPS__SECRET"),
        ("[listen]\ntoken = 'T0'", "CAULK_LISTEN__TOKEN"),
        ("[serve]\nread_token = 'T0'", "CAULK_SERVE__READ_TOKEN"),
        ("[store]\nurl = 'postgresql://T0@h/d'", "CAULK_STORE__URL"),
    ],
)
def test_a_secret_in_the_file_is_refused_without_repeating_it(file, text, variable):
    said = complaint(file, text)
    assert "a secret does not stand in a configuration" in said
    assert variable in said
    assert "T0" not in said


def test_secrets_come_from_the_environment_or_from_files_and_are_shown_nowhere(file, tmp_path):
    (tmp_path / "token").write_text("from a file\n")
    text = f"[notify.ops]\nkind = 'slack'\n[listen]\ntoken_file = '{tmp_path / 'token'}'"
    config = read(file, text, CAULK_NOTIFY__OPS__URL="https://hooks/T0")
    ops = config.notify["ops"]
    assert isinstance(ops, Slack)
    assert revealed(ops.url, ops.url_file) == "https://hooks/T0"
    assert revealed(config.listen.token, config.listen.token_file) == "from a file"
    assert "T0" not in repr(config)
    with pytest.raises(UsageError, match="cannot be read"):
        revealed("", str(tmp_path / "none"))


def test_variables_lie_over_the_file(file):
    config = read(
        file,
        RULE + "[watch]\ninterval = '5s'\n[notify.on-call]\nkind = 'webhook'\nurl = 'http://a'",
        CAULK_WATCH__INTERVAL="30s",
        CAULK_WATCH__TARGETS='["docker:", "pid:"]',
        CAULK_RULES__BIG__LIMITS__COUNT="9",
        CAULK_RULES__LIMIT_NEAR__ENABLED="false",
        CAULK_NOTIFY__ON_CALL__URL="http://b",
        CAULK_HOME="/anywhere",
    )
    assert config.watch.interval == 30
    assert config.watch.targets == ("docker:", "pid:")
    assert next(rule for rule in config.rules if rule.name == "big").limits.count == 9
    assert {"leak", "big"} <= {rule.name for rule in config.rules_in_force}
    assert "limit-near" not in {rule.name for rule in config.rules_in_force}
    hook = config.notify["on-call"]
    assert isinstance(hook, Webhook)
    assert hook.url == "http://b"


def test_a_default_rule_is_changed_by_a_variable_and_keeps_the_rest(file):
    config = read(file, "", CAULK_RULES__LEAK__LIMITS__COUNT="9")
    default = next(rule for rule in DEFAULT_RULES if rule.name == "leak")
    (leak,) = [rule for rule in config.rules_in_force if rule.name == "leak"]
    assert (leak.actions, leak.trigger, leak.limits.cooldown) == (
        default.actions,
        default.trigger,
        default.limits.cooldown,
    )


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("CAULK_WATCH__INTERVALL", "30s", "[watch] intervall is no setting"),
        ("CAULK_WATCH__INTERVAL", "soon", "'soon' is not a span of time"),
        ("CAULK_RULES__NONE__ENABLED", "false", "no rule is called 'none'"),
        ("CAULK_WACH__INTERVAL", "3s", "wach is no setting"),
        ("CAULK_WATCH__SOURCES__3__URL", "x", "there is no number 3 there"),
        ("CAULK_WATCH__INTERVAL__MORE", "x", "names no setting"),
    ],
)
def test_a_variable_that_is_wrong_is_named(file, name, value, part):
    said = complaint(file, "[watch]\ninterval = '5s'\nsources = []", **{name: value})
    assert said.startswith(name)
    assert part in said


def test_a_rule_of_a_default_name_takes_its_place_and_default_rules_can_be_left_out(file):
    config = read(file, RULE.replace("big", "leak"))
    assert [rule.name for rule in config.rules_in_force].count("leak") == 1
    assert next(rule for rule in config.rules_in_force if rule.name == "leak").trigger.share_of_limit == 0.8
    config = read(file, "[watch]\ndefault_rules = false\n" + RULE)
    assert [rule.name for rule in config.rules_in_force] == ["big"]
