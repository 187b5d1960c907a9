"""From rounds to a printed table: medians, ratios paired round by round, and verdicts."""

import dataclasses
import enum
import statistics
import typing

import peers
import rounds


@dataclasses.dataclass(frozen=True)
class Column:
    name: str
    digits: int


class Better(enum.Enum):
    MORE = ">="
    LESS = "<="


class Best:
    """Stands for the peer with the best median of the column in this run."""


@dataclasses.dataclass(frozen=True)
class Target:
    """A bound on spile's rows: times the figure of `against`, or an absolute one without it."""

    column: Column
    better: Better
    bound: float
    against: typing.Any  # Best, a tool's name, or None

    def met_by(self, value):
        return value >= self.bound if self.better is Better.MORE else value <= self.bound

    def heading(self):
        limit = f"{self.column.name} {self.better.value} {self.bound:g}"
        if self.against is None:
            return limit
        return f"{limit}x {'best peer' if self.against is Best else self.against}"


def at_least(column, bound, against=None):
    return Target(column, Better.MORE, bound, against)


def at_most(column, bound, against=None):
    return Target(column, Better.LESS, bound, against)


@dataclasses.dataclass
class Verdict:
    tool: str
    target: Target
    value: typing.Optional[float]  # None: this row or the one to compare with has no figure
    reference: typing.Optional[str]

    def __str__(self):
        if self.value is None:
            return "not measured"
        times = "" if self.target.against is None else "x"
        return f"{self.value:.2f}{times} {'PASS' if self.passed else 'miss'}"

    @property
    def passed(self):
        return self.value is not None and self.target.met_by(self.value)


@dataclasses.dataclass
class Table:
    title: str
    columns: list
    targets: list
    runs: rounds.Runs
    note: str = ""

    def median(self, name, column):
        values = [row[column] for row in self.runs.measured.get(name, {}).values() if column in row]
        return statistics.median(values) if values else None

    def paired_ratio(self, name, reference, column):
        """The median over the rounds in which both were measured."""
        ours, theirs = self.runs.measured.get(name, {}), self.runs.measured.get(reference, {})
        ratios = [
            ours[number][column] / theirs[number][column]
            for number in ours.keys() & theirs.keys()
            if column in ours[number] and theirs[number].get(column)
        ]
        return statistics.median(ratios) if ratios else None

    def reference(self, target):
        """The name of the row that a target compares with; None if it is missing or not needed."""
        if target.against is not Best:
            return target.against
        candidates = {
            tool.name: self.median(tool.name, target.column)
            for tool in self.runs.tools
            if tool.kind is peers.Kind.PEER
        }
        known = {name: value for name, value in candidates.items() if value is not None}
        choose = max if target.better is Better.MORE else min
        return choose(known, key=known.get) if known else None

    def value(self, name, target):
        if target.against is None:
            return self.median(name, target.column)
        reference = self.reference(target)
        return None if reference is None else self.paired_ratio(name, reference, target.column)

    def verdict(self, tool, target):
        return Verdict(tool.name, target, self.value(tool.name, target), self.reference(target))

    def verdicts(self):
        return [
            self.verdict(tool, target)
            for tool in self.runs.tools
            if tool.kind is peers.Kind.SPILE
            for target in self.targets
        ]

    def lines(self):
        """The table as text, one string a line."""
        head = self.columns[0]
        heading = ["", head.name, "min..max", *(column.name for column in self.columns[1:])]
        heading += [target.heading() for target in self.targets]
        rows = [heading] + [self._row(tool) for tool in self.runs.tools]
        widths = [max(len(row[i]) for row in rows if len(row) > i) for i in range(len(heading))]
        yield f"{self.title}, {self.runs.rounds} round{'s' * (self.runs.rounds != 1)}"
        yield from self._remarks()
        for row, tool in zip(rows, [None, *self.runs.tools]):
            cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
            yield "  ".join(cells + [self._trouble(tool)]).rstrip()

    def _remarks(self):
        loads = self.runs.loads
        yield f"  other load before each run: median {statistics.median(loads):.0f} %, most {max(loads):.0f} %"
        for target in self.targets:
            if target.against is Best:
                yield f"  best peer in {target.column.name}: {self.reference(target) or 'none'}"
        if self.note:
            yield f"  {self.note}"

    def _row(self, tool):
        values = [row[self.columns[0]] for row in self.runs.measured[tool.name].values() if self.columns[0] in row]
        digits = self.columns[0].digits
        spread = f"{min(values):.{digits}f}..{max(values):.{digits}f}" if values else "-"
        medians = [self._number(tool.name, column) for column in self.columns]
        return [tool.name, medians[0], spread, *medians[1:], *(self._judged(tool, target) for target in self.targets)]

    def _number(self, name, column):
        value = self.median(name, column)
        return "-" if value is None else f"{value:.{column.digits}f}"

    def _judged(self, tool, target):
        """spile's rows get a verdict; the others, for comparison, the same ratio without one."""
        verdict = self.verdict(tool, target)
        if tool.kind is peers.Kind.SPILE:
            return str(verdict)
        if verdict.value is None or target.against is None:
            return ""
        return f"{verdict.value:.2f}x" + " " * len(" PASS")

    def _trouble(self, tool):
        if tool is None or tool.name not in self.runs.failures:
            return ""
        done = len(self.runs.measured[tool.name])
        return f"({done} of {self.runs.rounds} rounds: {self.runs.failures[tool.name]})"

    def as_json(self):
        measured = {
            name: {number: {column.name: value for column, value in row.items()} for number, row in by_round.items()}
            for name, by_round in self.runs.measured.items()
        }
        return {"title": self.title, "note": self.note, "loads": self.runs.loads, "measured": measured,
                "failures": self.runs.failures}
