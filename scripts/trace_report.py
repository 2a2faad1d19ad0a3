# SPDX-License-Identifier: MIT
"""Reads a trace (docs/formats.md, "Traces") and says by phase where a GPU's time went, for gpu_trace."""
import collections
import statistics
from dataclasses import dataclass, field
from pathlib import Path

import kernel_names

UNKNOWN = "(unknown)"
FIELDS = {"P": 2, "N": 2, "F": 2, "K": 8, "C": 8, "X": 2, "D": 1, "W": 1, "E": 0}  # of a line behind its letter
NAME_SHOWN = 110  # characters of a kernel's name


class TraceError(Exception):
    """A file that is no trace."""


@dataclass(frozen=True)
class Activity:
    """A kernel, or a copy or fill; times in ns."""
    start: int
    end: int
    is_kernel: bool
    graph: int  # 0: it belongs to none
    correlation: int
    phase: str
    name: str


@dataclass
class Trace:
    activities: list = field(default_factory=list)  # by start
    phases: list = field(default_factory=list)  # every path that was named
    warnings: list = field(default_factory=list)
    is_whole: bool = False


@dataclass
class Sums:
    """Of some activities, in ns."""
    kernels: int = 0
    copies: int = 0
    time: int = 0  # theirs, added up
    gaps: int = 0  # when nothing ran, up to the start of one of these
    overlap: int = 0  # when one of these ran and something else too

    def add(self, other: "Sums") -> None:
        for name in vars(self):
            setattr(self, name, getattr(self, name) + getattr(other, name))


def read(path: Path) -> Trace:
    lines = path.read_bytes().decode(errors="replace").split("\n")
    if lines[0] != "ebm trace 1" or len(lines) < 2:
        raise TraceError(f"{path} is no trace: its first line is not \"ebm trace 1\"; scripts/gpu_trace --keep writes one")
    trace, rows, phases, names, nodes, correlations, dropped, untimed = Trace(), [], {}, {}, {}, {}, 0, 0
    for number, line in enumerate(lines[1:-1], 2):  # behind the last line's end there is nothing, or a line that was cut
        kind, *fields = line.split("\t")
        try:
            if len(fields) != FIELDS[kind]:
                raise ValueError
            if kind == "P":
                phases[int(fields[0])] = fields[1]
            elif kind == "F":
                names[int(fields[0])] = fields[1]
            elif kind == "N":
                nodes[int(fields[0])] = int(fields[1])
            elif kind == "X":
                correlations[int(fields[0])] = int(fields[1])
            elif kind == "W":
                trace.warnings.append(fields[0])
            elif kind == "D":
                dropped += int(fields[0])
            elif kind == "E":
                trace.is_whole = True
            else:
                rows.append((kind, *map(int, fields)))
        except (KeyError, ValueError):
            raise TraceError(f"{path}, line {number}: \"{line[:80]}\" is no line of a trace; trace the program again") from None
    for kind, start, end, _device, _stream, graph, node, correlation, name in rows:
        if start == 0 or end < start:
            untimed += 1
            continue
        phase = nodes.get(node) if node else correlations.get(correlation)
        trace.activities.append(Activity(start, end, kind == "K", graph, correlation, phases.get(phase, UNKNOWN),
                                         names.get(name, UNKNOWN)))
    trace.activities.sort(key=lambda a: (a.start, a.end))
    trace.phases = list(phases.values())
    trace.warnings += [f"{dropped} records were dropped by CUPTI"] * (dropped > 0)
    trace.warnings += [f"{untimed} kernels or copies have no times and are left out"] * (untimed > 0)
    return trace


def outer(phase: str, depth: int) -> str:
    return "/".join(phase.split("/")[:depth])


def sweep(activities: list, depth: int) -> tuple:
    """The Sums of each phase, cut to `depth` names, in order of first start; and those of all together."""
    by_phase, whole = {}, Sums()
    events = []
    for number, a in enumerate(activities):
        phase = outer(a.phase, depth)
        sums = by_phase.setdefault(phase, Sums())
        for s in (sums, whole):
            s.kernels += a.is_kernel
            s.copies += not a.is_kernel
            s.time += a.end - a.start
        if a.end > a.start:
            events += [(a.start, 1, number, phase), (a.end, 0, number, phase)]
    active, before, gap = collections.Counter(), None, 0
    for time, is_start, _, phase in sorted(events):
        running = sum(active.values())
        if before is not None and running == 0:
            gap += time - before
        elif running >= 2:
            whole.overlap += time - before
            for other in active:
                by_phase[other].overlap += time - before
        if is_start:
            by_phase[phase].gaps += gap
            whole.gaps += gap
            gap = 0
        active[phase] += 1 if is_start else -1
        if active[phase] == 0:
            del active[phase]
        before = time
    return by_phase, whole


def iterations(trace: Trace) -> list:
    """The launches of the graph that took most of the time, each a list of activities: one is an iteration. The first is
    left out where there are more than two (it warms up). Empty where no graph was launched twice."""
    launches = {}
    for a in trace.activities:
        if a.graph:
            launches.setdefault(a.graph, {}).setdefault(a.correlation, []).append(a)
    repeated = [list(of_graph.values()) for of_graph in launches.values() if len(of_graph) > 1]
    if not repeated:
        return []
    main = max(repeated, key=lambda of_graph: sum(a.end - a.start for launch in of_graph for a in launch))
    return main[1:] if len(main) > 2 else main


def rows_of(by_phase: dict, whole: Sums, count: int) -> list:
    lines = [f"  {'phase':<44} {'kernels':>9} {'copies':>7} {'ms':>10} {'share':>7} {'gaps ms':>9} {'overlap ms':>11}"]
    for phase, s in list(by_phase.items()) + [("all", whole)]:
        share = 100 * s.time / whole.time if whole.time else 0
        lines.append(f"  {phase:<44} {s.kernels / count:>9.1f} {s.copies / count:>7.1f} {s.time / count * 1e-6:>10.4f} "
                     f"{share:>5.1f} % {s.gaps / count * 1e-6:>9.4f} {s.overlap / count * 1e-6:>11.4f}")
    return lines


def dearest_of(activities: list, count: int, most: int) -> list:
    kinds = {}
    for a in activities:
        if a.is_kernel:
            of_kind = kinds.setdefault(kernel_names.short(kernel_names.plain(a.name)), [0, 0])
            of_kind[0] += a.end - a.start
            of_kind[1] += 1
    whole = sum(time for time, _ in kinds.values())
    lines = [f"  {'ms':>10} {'share':>7} {'count':>9}  the dearest kernels"]
    for name, (time, calls) in sorted(kinds.items(), key=lambda item: (-item[1][0], item[0]))[:most]:
        shown = name if len(name) <= NAME_SHOWN else name[:NAME_SHOWN - 3] + "..."
        lines.append(f"  {time / count * 1e-6:>10.4f} {100 * time / whole if whole else 0:>5.1f} % {calls / count:>9.1f}  {shown}")
    return lines


def table(activities: list, depth: int, dearest: int) -> list:
    by_phase, whole = sweep(activities, depth)
    return rows_of(by_phase, whole, 1) + [""] + dearest_of(activities, 1, dearest)


def report(trace: Trace, depth: int, dearest: int) -> str:
    lines = [f"note: {warning}" for warning in trace.warnings]
    if not trace.is_whole:
        lines.append("note: the trace has no end: the program was ended from outside; what came before is shown")
    launches = iterations(trace)
    if not launches:
        return "\n".join(lines + ["no graph was launched twice, so no iteration is known; all that ran:", ""]
                         + table(trace.activities, depth, dearest)) + "\n"
    by_phase, whole = {}, Sums()
    for launch in launches:
        of_launch, sums = sweep(launch, depth)
        whole.add(sums)
        for phase, s in of_launch.items():
            by_phase.setdefault(phase, Sums()).add(s)
    span = statistics.mean(max(a.end for a in launch) - launch[0].start for launch in launches)
    apart = statistics.median(b[0].start - a[0].start for a, b in zip(launches, launches[1:])) if len(launches) > 1 else span
    lines += [f"an iteration, the mean of {len(launches)} launches of one graph: {span * 1e-6:.4f} ms from its first start to its last end;",
              f"from one start to the next {apart * 1e-6:.4f} ms (median)", ""]
    lines += rows_of(by_phase, whole, len(launches)) + [""]
    in_launches = [a for launch in launches for a in launch]
    lines += dearest_of(in_launches, len(launches), dearest)
    outside = [a for a in trace.activities if not a.graph]
    if outside:
        lines += ["", "outside of graphs, in all (gaps are what the host and graphs took in between):", ""] + table(outside, depth, dearest)
    return "\n".join(lines) + "\n"
