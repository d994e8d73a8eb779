"""The controller: keeps the books of a gate run and gives the verdict."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ffparity.formats import instant
from pytest_ffparity.parity.verdict import Verdict
from pytest_ffparity.plugin import keys
from pytest_ffparity.plugin.collection import OUTPUT_KEY, Collection, CollectionWatch
from pytest_ffparity.plugin.exit_status import blames
from pytest_ffparity.plugin.failure import write
from pytest_ffparity.report import terminal
from pytest_ffparity.report.lines import plain
from pytest_ffparity.report.model import Report, build

if TYPE_CHECKING:
    from pytest_ffparity.plugin.ledger import Ledger
    from pytest_ffparity.plugin.settings import Settings
    from pytest_ffparity.report.model import Baseline, Surroundings


class Gate(CollectionWatch):
    """Hooks of the process that gives the verdict."""

    def __init__(
        self,
        config: pytest.Config,
        settings: Settings,
        ledger: Ledger,
        around: Surroundings,
        baseline: Baseline | None = None,
    ) -> None:
        super().__init__()
        self._config = config
        self._settings = settings
        self._ledger = ledger
        self._around = around
        self._baseline = baseline
        self._started = time.monotonic()
        self._report: Report | None = None
        self.workers = 0

    @property
    def report(self) -> Report | None:
        """The finished run, once there is a verdict."""
        return self._report

    def pytest_report_header(self) -> str:
        """Say in pytest's header what the gate will judge."""
        generated = self._around.generated
        count = sum(source.vectors or 0 for source in self._around.vectors)
        files = ", ".join(source.file for source in self._around.vectors)
        told = f"ffparity: {files or 'no sound vector file'}, vectors declared: {count}"
        if generated:
            told += f", decisions to generate: {generated} (seed {self._around.seed})"
        return told

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take a report, from this process or from a worker."""
        self._ledger.add_report(report)
        if self._around.generated and getattr(report, "ffparity_judgements", None):
            self._config.stash[keys.PROGRESS](self._ledger.progress(self._around.generated))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a file that could not be collected; of vector files the inventory tells."""
        if report.failed and not report.nodeid.endswith(".json"):
            self._ledger.add_failed_beside(report.nodeid)

    def take_worker(self, output: dict[str, Any] | None, name: str, error: object) -> None:
        """Take what a worker left when it went."""
        text = (output or {}).get(OUTPUT_KEY)
        if error is not None or text is None:
            self._ledger.add_gap(f"worker {name} died before it had finished")
        else:
            self._ledger.add_collection(Collection.from_text(text))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Give the verdict before anybody reports."""
        self._finish(session)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the report."""
        if self._report is not None:
            terminalreporter.section("ffparity", sep="=")
            write(terminalreporter._tw, self._lines(self._report))  # noqa: SLF001 - no public way to colour parts

    def pytest_unconfigure(self) -> None:
        """Print the verdict where there is no terminal plugin to print the report."""
        if self._report is not None and not self._config.pluginmanager.has_plugin(
            "terminalreporter"
        ):
            sys.stderr.write(plain(self._lines(self._report)) + "\n")

    def _lines(self, report: Report) -> list[Any]:
        if self._config.get_verbosity() < 0:
            return terminal.short(report)
        return terminal.summary(report)

    def _finish(self, session: pytest.Session) -> None:
        if self.workers == 0:
            self._ledger.add_collection(self.seen)
        ruling = self._ledger.ruling()
        excused = bool(ruling.narrowed) and not ruling.gaps and not self._settings.require_go
        harmless = (
            ruling.verdict is Verdict.GO
            or (ruling.verdict is Verdict.INCOMPLETE and excused)
            or (ruling.verdict is Verdict.GO_WITH_WAIVERS and not self._settings.require_go)
        )
        if not blames(session.exitstatus) and not harmless:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        status = int(session.exitstatus)
        self._config.stash[keys.EXIT_STATUS] = status
        self._report = build(
            declared=self._ledger.declared,
            judgements=self._ledger.judgements,
            surroundings=self._around,
            ruling=ruling,
            workers=self.workers,
            duration_s=round(time.monotonic() - self._started, 3),
            finished_at=instant.text(datetime.now(UTC)),
            exit_status=status,
            gate_run=not ruling.narrowed,
            baseline=self._baseline,
            failed_beside=self._ledger.failed_beside,
        )
        self._settings.files.write(self._report)


class XdistHooks:
    """The hooks that exist with xdist only."""

    def __init__(self, gate: Gate, given: dict[str, str]) -> None:
        self._gate = gate
        self._input = given

    def pytest_configure_node(self, node: Any) -> None:
        """Give a worker the run's nonce, and what to judge by, before it starts."""
        node.workerinput.update(self._input)
        self._gate.workers += 1

    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Take what a worker left, or note that it died."""
        self._gate.take_worker(getattr(node, "workeroutput", None), node.gateway.id, error)
