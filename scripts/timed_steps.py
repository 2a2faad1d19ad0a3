# SPDX-License-Identifier: MIT
"""Steps that each have a time limit, and a report that is whole after each of them, for gpu_check.

A step runs commands. At its limit, and when it ends, every process that it started is gone: those of its group and those
that made groups of their own. What a step raises, of whatever kind, is its result, and never the end of the report.
"""
import contextlib
import ctypes
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

GRACE = 3  # seconds from SIGTERM to SIGKILL
RESERVE = 3  # seconds of a budget for the report, beside that grace
NOT_REACHED = "not run: not reached"
TEXT_KEPT = (20_000, 60_000)  # characters from the beginning and the end of what a step printed
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER: orphans of a step become children of this process


class CannotRun(Exception):
    """This host lacks something for the step."""


class Failed(Exception):
    """The step found something wrong."""


class PastLimit(Exception):
    """A command did not end within the step's limit."""


class Interrupted(BaseException):
    """A signal asks for the end."""

    def __init__(self, number: int):
        super().__init__(signal.Signals(number).name)
        self.number = number


@dataclass(frozen=True)
class Output:
    """stdout, and what a person wants to see: the command, stdout and stderr."""
    out: str
    text: str


@dataclass
class Step:
    part: str
    title: str
    limit: float  # seconds, where there is a budget
    run: Callable[[], str]
    in_budget: bool = True  # else it has no place in a short stay
    result: str = NOT_REACHED
    seconds: float = 0
    text: str = ""


def die_on_signals() -> None:
    """From now on SIGINT, SIGTERM and SIGHUP raise Interrupted, the first time."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def ask(number: int, _frame) -> None:
        for other in numbers:
            signal.signal(other, signal.SIG_IGN)
        raise Interrupted(number)

    for number in numbers:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, ask)


def adopt_orphans() -> None:
    """Orphans then stay below this process, where they are found. Without it (not on Linux) those of the group are."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)


def descendants() -> list:
    """All processes below this one that are not dead."""
    children, dead = {}, set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            state, parent = stat.read_text(errors="replace").rsplit(")", 1)[1].split()[:2]
            process = int(stat.parent.name)
            children.setdefault(int(parent), []).append(process)
            if state == "Z":
                dead.add(process)
    found, left = [], [os.getpid()]
    while left:
        below = children.get(left.pop(), [])
        found += below
        left += below
    return [process for process in found if process not in dead]


def end_group(process: subprocess.Popen) -> None:
    """Asks a command and its group to end, waits a little, and insists."""
    for number, patience in ((signal.SIGTERM, GRACE), (signal.SIGKILL, 1)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
            break


def end_leftovers() -> None:
    """Ends whatever still runs below this process. Again and again, since it may be starting more."""
    for _ in range(50):
        alive = descendants()
        for process in alive:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0] > 0:
                pass
        if not alive:
            return
        time.sleep(0.02)


def shortened(text: str) -> str:
    first, last = TEXT_KEPT
    if len(text) <= first + last:
        return text
    return f"{text[:first]}\n[... {len(text) - first - last} characters left out ...]\n{text[-last:]}"


class Steps:
    """Runs steps in their order and keeps the report."""

    def __init__(self, report: Path, head: list, folder: Path, environment: dict, end: float = None):
        """Commands run in the folder; all has to be over at `end` of time.monotonic()."""
        self.report_file, self.head, self.folder, self.environment = report, head, folder, environment
        self.end = None if end is None else end - RESERVE - GRACE
        self.closed_by = ""  # why nothing was run
        self.step_end = None  # of the step at work
        self.steps = []
        self.said = ""  # what the commands of the step at work printed

    # --- for the steps

    def command(self, *words, **environment) -> Output:
        """Runs a command to its end; raises Failed if its status is not 0, PastLimit at the end of the step's time."""
        words = [str(word) for word in words]
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            try:
                process = subprocess.Popen(words, cwd=self.folder, env=self.environment | environment, stdin=subprocess.DEVNULL,
                                           stdout=out, stderr=err, start_new_session=True)
            except OSError as problem:
                raise CannotRun(f"{words[0]}: {problem.strerror}") from None
            try:
                status = process.wait(max(0.0, self.step_end - time.monotonic()))
            except subprocess.TimeoutExpired:
                raise PastLimit from None
            finally:  # a signal to this process comes by here too
                end_group(process)
                end_leftovers()
                texts = []
                for file in (out, err):
                    file.seek(0)
                    texts.append(file.read().decode(errors="replace"))
                text = f"$ {shlex.join(words)}\n{texts[0]}{texts[1]}"
                self.said += text if text.endswith("\n") else text + "\n"
        if status != 0:
            raise Failed(f"status {status}" if status > 0 else f"ended by {signal.Signals(-status).name}")
        return Output(texts[0], text)

    # --- one after another

    def run(self, gate: list, steps: list) -> None:
        """Runs `steps`, if all of `gate` pass. Raises OSError if the report cannot be written before the first, Interrupted
        when a signal asks for the end."""
        self.steps = gate + steps
        self.write()
        at_work = None
        try:
            for at_work in self.steps:
                self.one(at_work)
                if at_work in gate and at_work.result != "passed":
                    self.closed_by = at_work.result.removeprefix("FAILED: ")
                    self.leave(f"not run: not before this passes: {at_work.title}")
                self.try_to_write()
                if self.closed_by:
                    return
        except Interrupted as signalled:
            end_leftovers()
            if at_work.result == NOT_REACHED:
                at_work.result, at_work.text = f"INTERRUPTED by {signalled}", shortened(self.said)
            self.leave("not run: interrupted")
            self.try_to_write()
            raise

    def leave(self, result: str) -> None:
        for step in self.steps:
            if step.result == NOT_REACHED:
                step.result = result

    def one(self, step: Step) -> None:
        start = time.monotonic()
        limit = step.limit if self.end is None else min(step.limit, self.end - start)
        if limit < 1:
            step.result = "not run: no time was left of the budget"
            return
        print(f"=== {step.title} (within {limit:.0f} s)", flush=True)
        self.step_end, self.said = start + limit, ""
        try:
            step.text = step.run()
            step.result = "passed"
        except CannotRun as reason:
            step.result = f"not run: {reason}"
        except PastLimit:
            step.result, step.text = f"STOPPED: no end within {limit:.0f} s", self.said
        except Failed as failure:
            step.result, step.text = f"FAILED: {failure}", self.said
        except Exception as problem:  # a report of what was planned wrongly is worth more than none
            step.result = f"FAILED: {type(problem).__name__}: {' '.join(str(problem).split())[:200]}"
            step.text = self.said + traceback.format_exc()
        step.seconds = time.monotonic() - start
        step.text = shortened(step.text)
        print(step.text.rstrip() + f"\n--- {step.title}: {step.result}, {step.seconds:.0f} s", flush=True)

    def count(self, *beginnings: str) -> int:
        return sum(step.result.startswith(beginnings) for step in self.steps)

    def all_well(self) -> bool:
        return not self.closed_by and self.count("FAILED", "STOPPED", "INTERRUPTED") == 0

    def summary(self) -> str:
        failed, stopped = self.count("FAILED", "INTERRUPTED"), self.count("STOPPED")
        return (f"{self.count('passed')} passed, {failed} failed" + (f", {stopped} stopped at their limits" if stopped else "")
                + f", {self.count('not run')} not run")

    def text(self) -> str:
        lines = ["# gpu_check", "", self.summary(), "", *[f"- {line}" for line in self.head]]
        lines += ["", "| step | result | seconds |", "|---|---|---|"]
        lines += [f"| {step.title} | {step.result.replace('|', '/')} | {step.seconds:.0f} |" for step in self.steps]
        for step in self.steps:
            if step.text.strip():
                lines += ["", f"## {step.title}: {step.result}", "", "~~~~", step.text.strip("\n"), "~~~~"]
        return "\n".join(lines) + "\n"

    def try_to_write(self) -> None:
        """Steps go on without it: what they print is worth something, and the disk may have room again."""
        try:
            self.write()
        except OSError as problem:
            print(f"gpu_check: {self.report_file}: {problem.strerror}", file=sys.stderr, flush=True)

    def write(self) -> None:
        """Aside first, then renamed: whoever reads it, or brings it back from a host that is taken away, has a whole one."""
        if self.report_file.exists() and not self.report_file.is_file():  # a device is written to and not replaced
            self.report_file.write_text(self.text(), errors="replace")
            return
        aside = self.report_file.with_name(self.report_file.name + ".tmp")
        with open(aside, "w", errors="replace") as file:
            file.write(self.text())
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self.report_file)
