"""The controller's books: every judgement that came in, and everything that is wrong with a run."""

from __future__ import annotations

from typing import Any

import msgspec

from pytest_ffparity.parity.judgement import Judgement
from pytest_ffparity.parity.verdict import Declared, Ruling, VectorKey, rule
from pytest_ffparity.plugin.collection import Collection
from pytest_ffparity.plugin.failure import FailureText
from pytest_ffparity.plugin.narrowing import Narrowing


class Ledger:
    """Takes reports and collections as they come in; gives the ruling at the end."""

    def __init__(self, declared: Declared, nonce: str, narrowing: Narrowing) -> None:
        self.declared = declared
        self.judgements: list[tuple[Judgement, str | None]] = []
        self._nonce = nonce
        self._narrowing = narrowing
        self._gaps: list[str] = []
        self._collections: list[Collection] = []

    def add_gap(self, text: str) -> None:
        """Note a reason why the run can't be go, once."""
        if text not in self._gaps:
            self._gaps.append(text)

    def add_collection(self, collection: Collection) -> None:
        """Take what one process collected."""
        self._collections.append(collection)

    def add_report(self, report: Any) -> None:
        """Take the report of one phase of one item."""
        key = getattr(report, "ffparity_key", None)
        if key is None:
            return
        worker = getattr(report, "worker_id", None)
        passed = True
        for text in getattr(report, "ffparity_judgements", ()):
            try:
                judgement = Judgement.from_text(text)
            except msgspec.MsgspecError:
                self.add_gap(f"{VectorKey(*key)}: the judgement on record can't be read")
                continue
            self.judgements.append((judgement, worker))
            if not judgement.passed:
                passed = False
                if report.outcome == "failed":
                    report.longrepr = FailureText(judgement)
        self._weigh(str(VectorKey(*key)), report, judged_well=passed)

    def _weigh(self, name: str, report: Any, *, judged_well: bool) -> None:
        """Note outcomes that a judgement can't vouch for."""
        if hasattr(report, "wasxfail"):
            self.add_gap(f"{name}: marked xfail")
        elif report.outcome == "skipped":
            self.add_gap(f"{name}: skipped")
        elif report.outcome == "rerun" and judged_well:
            self.add_gap(f"{name}: was run again, though no judgement had failed")
        elif report.outcome == "failed" and judged_well:
            self.add_gap(f"{name}: failed in {report.when}, outside the judgement")

    def ruling(self) -> Ruling:
        """Weigh everything that is on the books."""
        narrowed, gaps = self._left_out()
        return rule(
            self.declared,
            [judgement for judgement, _ in self.judgements],
            nonce=self._nonce,
            narrowed=narrowed,
            gaps=[*self._gaps, *gaps],
        )

    def _left_out(self) -> tuple[set[VectorKey], list[str]]:
        narrowed: set[VectorKey] = set()
        gaps: list[str] = []
        for seen in self._collections:
            collected, deselected = set(seen.collected), set(seen.deselected)
            if self._narrowing.deselects:
                narrowed |= deselected
            elif deselected:
                gaps += [f"{k}: deselected, not by this command line" for k in sorted(deselected)]
            if self._narrowing.skips_collecting:
                narrowed |= self.declared.digests.keys() - collected
            removed = collected - deselected - set(seen.scheduled)
            gaps += [f"{key}: removed from the run after its collection" for key in sorted(removed)]
            twice = {key for key in seen.scheduled if seen.scheduled.count(key) > 1}
            gaps += [f"{key}: scheduled more than once" for key in sorted(twice)]
        return narrowed, list(dict.fromkeys(gaps))
