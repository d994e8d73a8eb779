"""The controller's books: every judgement that came in, and everything that is wrong with a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any

import msgspec

from pytest_ffparity.parity.judgement import Judgement, is_share
from pytest_ffparity.parity.verdict import Declared, Gap, Ruling, VectorKey, rule
from pytest_ffparity.plugin.collection import Collection
from pytest_ffparity.plugin.failure import FailureText
from pytest_ffparity.plugin.narrowing import Narrowing


class Ledger:
    """Takes reports and collections as they come in; gives the ruling at the end."""

    def __init__(
        self,
        declared: Declared,
        nonce: str,
        narrowing: Narrowing,
        today: date,
        objections: Iterable[str] = (),
    ) -> None:
        self.declared = declared
        self.judgements: list[tuple[Judgement, str | None]] = []
        self._taken: set[str] = set()
        self._nonce = nonce
        self._today = today
        self._objections = tuple(objections)
        self._narrowing = narrowing
        self._gaps: list[Gap] = []
        self._collections: list[Collection] = []
        self._beside: set[str] = set()

    @property
    def failed_beside(self) -> int:
        """How many tests and files failed that are no vectors."""
        return len(self._beside)

    def add_failed_beside(self, node: str) -> None:
        """Take the node id of something that failed and is no vector; several times is once."""
        self._beside.add(node)

    def add_gap(self, what: str, key: VectorKey | None = None) -> None:
        """Note a reason why the run can't be go, once."""
        gap = Gap(what, key)
        if gap not in self._gaps:
            self._gaps.append(gap)

    def add_collection(self, collection: Collection) -> None:
        """Take what one process collected."""
        self._collections.append(collection)

    def add_report(self, report: Any) -> None:
        """Take the report of one phase of one item."""
        place = getattr(report, "ffparity_key", None)
        if place is None:
            if report.outcome == "failed":
                self.add_failed_beside(report.nodeid)
            return
        key = VectorKey(*place)
        worker = getattr(report, "worker_id", None)
        passed = True
        for serial, text in dict(getattr(report, "ffparity_judgements", ())).items():
            if serial in self._taken:
                continue
            self._taken.add(serial)
            try:
                judgement = Judgement.from_text(text)
            except msgspec.MsgspecError:
                self.add_gap("the judgement on record can't be read", key)
                continue
            self.judgements.append((judgement, worker))
            if not judgement.passed:
                passed = False
                if report.outcome == "failed":
                    report.longrepr = FailureText(judgement)
        self._weigh(key, report, judged_well=passed)

    def _weigh(self, key: VectorKey, report: Any, *, judged_well: bool) -> None:
        """Note outcomes that a judgement can't vouch for."""
        if hasattr(report, "wasxfail"):
            self.add_gap("marked xfail", key)
        elif report.outcome == "skipped":
            self.add_gap("skipped", key)
        elif report.outcome == "rerun" and judged_well:
            self.add_gap("was run again, though no judgement had failed", key)
        elif report.outcome == "failed" and judged_well:
            self.add_gap(f"failed in {report.when}, outside the judgement", key)

    def progress(self, generated: int) -> str:
        """Say how far the judging of generated decisions has come."""
        shares = [j for j, _ in self.judgements if is_share(j.id)]
        done = sum(judgement.decisions for judgement in shares)
        diverged = sum(not judgement.passed for judgement in shares)
        return f"fuzz: {done:,} of {generated:,} decisions, shares that diverge: {diverged}"

    def ruling(self) -> Ruling:
        """Weigh everything that is on the books."""
        narrowed, gaps = self._left_out()
        return rule(
            self.declared,
            [judgement for judgement, _ in self.judgements],
            nonce=self._nonce,
            narrowed=narrowed,
            gaps=[*self._gaps, *gaps],
            objections=self._objections,
            today=self._today,
        )

    def _left_out(self) -> tuple[set[VectorKey], list[Gap]]:
        narrowed: set[VectorKey] = set()
        gaps: list[Gap] = []
        for seen in self._collections:
            collected, deselected = set(seen.collected), set(seen.deselected)
            if self._narrowing.deselects:
                narrowed |= deselected
            else:
                gaps += [Gap("deselected, not by this command line", k) for k in sorted(deselected)]
            if self._narrowing.skips_collecting:
                narrowed |= self.declared.digests.keys() - collected
            removed = collected - deselected - set(seen.scheduled)
            gaps += [Gap("removed from the run after its collection", k) for k in sorted(removed)]
            scheduled = Counter(seen.scheduled)
            gaps += [Gap("scheduled more than once", k) for k in scheduled if scheduled[k] > 1]
        return narrowed, list(dict.fromkeys(gaps))
