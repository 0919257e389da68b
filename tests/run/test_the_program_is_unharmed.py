"""Under caulk a program does, says and returns what it does without."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

WAITING = """
import signal, sys, time
{handlers}
print("ready", flush=True)
for _ in range(3000):
    time.sleep(0.02)
"""


def until_ready(supervisor) -> None:
    assert supervisor.process.stdout.readline() == "ready\n"


def waiting(tmp_path: Path, handlers: str = "") -> str:
    (tmp_path / "waiting.py").write_text(WAITING.format(handlers=handlers))
    return "waiting.py"


@pytest.mark.parametrize("code", [0, 3, 255])
def test_the_exit_code_is_the_programs(watch, code):
    assert watch(sys.executable, "-c", f"raise SystemExit({code})").exit_code == code


def test_a_program_that_a_signal_ended_has_the_exit_code_of_a_shell(watch):
    assert watch("sh", "-c", "kill -KILL $$").exit_code == 128 + signal.SIGKILL


def test_a_command_that_is_not_there_is_said(watch):
    ran = watch("./nothing-of-this-name")
    assert (ran.exit_code, ran.notes) == (127, ["./nothing-of-this-name: No such file or directory"])


def test_a_command_that_may_not_be_run_is_said(watch, tmp_path):
    (tmp_path / "data").write_text("not a program")
    ran = watch("./data")
    assert (ran.exit_code, ran.notes) == (126, ["./data: Permission denied"])


def test_input_output_and_arguments_pass_through(start):
    script = "import sys; print(sys.argv[1:]); print(sys.stdin.read(), file=sys.stderr)"
    supervisor = start("sh", "-c", 'echo typed | "$0" -c "$1" "a b" --flag', sys.executable, script)
    ran = supervisor.outcome()
    assert (ran.stdout, ran.stderr) == ("['a b', '--flag']\n", "typed\n\n")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2"])
def test_a_signal_to_caulk_reaches_the_program_which_ends_by_it(start, tmp_path, name):
    number = getattr(signal, name)
    supervisor = start(sys.executable, waiting(tmp_path, f"signal.signal(signal.{name}, signal.SIG_DFL)"))
    until_ready(supervisor)
    supervisor.process.send_signal(number)
    assert supervisor.outcome().exit_code == 128 + number


def test_a_program_that_handles_a_signal_decides_itself(start, tmp_path):
    handlers = "signal.signal(signal.SIGTERM, lambda *_: (print('tidy', flush=True), sys.exit(5)))"
    supervisor = start(sys.executable, waiting(tmp_path, handlers))
    until_ready(supervisor)
    supervisor.process.send_signal(signal.SIGTERM)
    ran = supervisor.outcome()
    assert (ran.exit_code, ran.stdout) == (5, "tidy\n")


def test_an_ignored_interrupt_is_passed_on_each_time(start, tmp_path):
    handlers = """
seen = []
def count(*_):
    seen.append(1)
    print("again", flush=True)
    if len(seen) == 3:
        sys.exit(7)
signal.signal(signal.SIGINT, count)
"""
    supervisor = start(sys.executable, waiting(tmp_path, handlers))
    until_ready(supervisor)
    for _ in range(3):
        supervisor.process.send_signal(signal.SIGINT)
        assert supervisor.process.stdout.readline() == "again\n"
    assert supervisor.outcome().exit_code == 7


def test_a_signal_that_the_program_blocks_waits_until_it_asks_for_it(watch):
    script = (
        "import os, signal\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})\n"
        "os.kill(os.getpid(), signal.SIGTERM)\n"
        "print(signal.sigwait({signal.SIGTERM}) == signal.SIGTERM)"
    )
    ran = watch(sys.executable, "-c", script)
    assert (ran.exit_code, ran.stdout, ran.stderr) == (0, "True\n", "")


def test_ctrl_c_on_a_terminal_reaches_the_program_once(tmp_path):
    (tmp_path / "waiting.py").write_text("""
import signal, time
seen = []
signal.signal(signal.SIGINT, lambda *_: seen.append(1))
print("ready", flush=True)
until = time.monotonic() + 60
while not seen and time.monotonic() < until:
    time.sleep(0.02)
time.sleep(1)  # a second one would be right behind
print("\\nseen", len(seen))
""")
    src = Path(__file__).parents[2] / "src"
    workspace = tmp_path / "w"
    workspace.mkdir()
    bootstrap = (
        f"import sys; sys.path.insert(0, {str(src)!r})\n"
        "from pathlib import Path\nfrom caulk.run.run import run\n"
        f"sys.exit(run({[sys.executable, 'waiting.py']!r}, workspace=Path({str(workspace)!r})).exit_code)"
    )
    assert _typed_in_a_terminal([sys.executable, "-c", bootstrap], "\x03", folder=tmp_path).split()[-2:] == [
        "seen",
        "1",
    ]


def _typed_in_a_terminal(command: list[str], text: str, *, folder: Path) -> str:
    """What a command writes on a terminal of its own, where `text` is typed once it has said "ready"."""
    import pty

    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execv(command[0], command)
    shown, is_typed = b"", False
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # the terminal is gone with its last process
            break
        if not part:
            break
        shown += part
        if b"ready" in shown and not is_typed:
            os.write(terminal, text.encode())
            is_typed = True
    os.waitpid(pid, 0)
    os.close(terminal)
    return shown.decode()


def test_killing_caulk_leaves_the_program_running_to_its_normal_end(start, tmp_path):
    result = tmp_path / "result"
    (tmp_path / "job.py").write_text(
        "import os, time\n"
        "parent = os.getppid()\n"
        "print('ready', flush=True)\n"
        "while os.getppid() == parent: time.sleep(0.02)\n"
        "data = [bytes(1000) for _ in range(10000)]\n"
        "time.sleep(1)\n"
        "open('result', 'w').write(str(len(data)))\n"
    )
    supervisor = start(sys.executable, "job.py")
    until_ready(supervisor)
    supervisor.process.kill()
    _, errors = supervisor.process.communicate(timeout=120)  # ends when the program closes its standard error
    assert (result.read_text(), errors) == ("10000", "")


def test_what_users_set_for_their_runtimes_survives(watch, tmp_path, node):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "mine.py").write_text("print('my module')")
    (tmp_path / "mine.cjs").write_text("console.log('my preload')")
    (tmp_path / "ask.sh").write_text(
        f"{sys.executable} -c 'import mine'\nnode -e 0\necho \"$JAVA_TOOL_OPTIONS\"\n",
    )
    env = {
        "PYTHONPATH": str(tmp_path / "lib"),
        "NODE_OPTIONS": "--require ./mine.cjs",
        "JAVA_TOOL_OPTIONS": "-Dmine=1 -XX:HeapDumpPath=/mine",
    }
    module, preload, options = watch("sh", "ask.sh", env=env).stdout.splitlines()
    assert (module, preload) == ("my module", "my preload")
    assert options == "-Dmine=1 -XX:HeapDumpPath=/mine -XX:+HeapDumpOnOutOfMemoryError"


@pytest.mark.parametrize(("source", "said"), [("print('mine ran')", "mine ran"), ("import no_such_module", "")])
def test_a_sitecustomize_of_the_users_own_runs_as_without_caulk(watch, tmp_path, source, said):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "sitecustomize.py").write_text(source)
    command = [sys.executable, "-c", "import sys; print(sys.path[1])"]
    env = {"PYTHONPATH": str(tmp_path / "lib")}
    plain = subprocess.run(command, env=os.environ | env, capture_output=True, text=True, check=True)
    ran = watch(*command, env=env)
    assert ran.stdout == plain.stdout
    assert ran.stdout.startswith(said)
    assert ran.stderr.splitlines()[-1:] == plain.stderr.splitlines()[-1:]


def test_a_program_sees_no_more_than_a_thread_of_its_own_and_the_path_it_would_have(watch, tmp_path):
    (tmp_path / "look.py").write_text(
        "import os, sys, threading\n"
        "print([p for p in sys.path if 'agents' in p], threading.enumerate() == [threading.main_thread()])\n"
        "print(os.open('look.py', os.O_RDONLY))\n"
    )
    assert watch(sys.executable, "look.py").stdout == "[] True\n3\n"


def test_an_interpreter_that_ignores_its_environment_is_named_with_the_reason(watch):
    waits = "import os, time\nwhile not os.path.exists('enough') and time.process_time() < 60: time.sleep(0.02)"
    ran = watch(sys.executable, "-I", "-c", waits, until=lambda now: now.has_looked_for(2))
    assert ran.subjects == []
    assert [note.endswith("never reported: -I ignores PYTHONPATH") for note in ran.notes] == [True]


def test_the_memory_of_all_processes_is_summed(watch):
    script = (
        "import os, time; data = bytes(50_000_000).replace(b'\\0', b'x')\n"
        "while not os.path.exists('enough') and time.process_time() < 60: time.sleep(0.02)"
    )
    command = ["sh", "-c", '"$0" -c "$1" & "$0" -c "$1"; wait', sys.executable, script]
    ran = watch(*command, until=lambda now: any(rss > 100_000_000 for _, rss in now.readings))
    assert max(ran.total) > 100_000_000


def test_the_profile_that_node_writes_for_the_user_lies_where_node_would_have_put_it(watch, node, tmp_path):
    assert watch(node, "--cpu-prof", "-e", "0").exit_code == 0
    assert len(list(tmp_path.glob("CPU.*.cpuprofile"))) == 1
