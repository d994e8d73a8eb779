"""The JSON report: one object, `header` first and `footer` last, schema `report.v1`."""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec

from pytest_ffparity.parity.compare import Divergence, Seen
from pytest_ffparity.parity.judgement import Example, Judgement, Load, PathResult
from pytest_ffparity.parity.percentiles import DEFINITION
from pytest_ffparity.parity.stability import Unstable
from pytest_ffparity.report import model
from pytest_ffparity.report.model import Entry, Report, Source, Surroundings
from pytest_ffparity.vectors.waivers import Waiver

SCHEMA_VERSION: Final = "1"


def to_text(report: Report) -> str:
    """Write a run; one that never finished has neither times nor an exit status."""
    ruling = report.ruling
    document = {
        "header": _header(report),
        "verdict": str(ruling.verdict),
        "gate_run": report.gate_run,
        "reasons": {
            "failures": list(ruling.failures),
            "gaps": [str(gap) for gap in ruling.gaps],
            "narrowed": [str(key) for key in ruling.narrowed],
        },
        "counts": report.counts(),
        "waivers": [_waiver(waiver) for waiver in report.waivers],
        "baseline": None if report.baseline is None else msgspec.to_builtins(report.baseline),
        "stress": {
            name: {"vector": vector, **_load(load)}
            for name, (vector, load) in report.stress.items()
        },
        "vectors": [_vector(entry) for entry in report.entries],
        "footer": _footer(report),
    }
    return json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def unfinished(surroundings: Surroundings, reason: str) -> str:
    """Write what stands in the file until a run has come to its end, and stays if it does not."""
    return to_text(model.unfinished(surroundings, reason))


def _footer(report: Report) -> dict[str, Any]:
    timing = {"finished_at": report.finished_at, "duration_s": report.duration_s}
    return {
        "verdict": str(report.ruling.verdict),
        "exit_status": report.exit_status if report.finished else None,
        "failed_beside": report.failed_beside,
        "timing": timing if report.finished else None,
    }


def _header(report: Report) -> dict[str, Any]:
    surroundings = report.surroundings
    matrix = surroundings.matrix
    return {
        "schema": f"report.v{SCHEMA_VERSION}",
        "versions": surroundings.versions,
        "commit": surroundings.commit,
        "vectors": [_source(source) for source in surroundings.vectors],
        "matrix": None
        if matrix is None
        else {"file": matrix.file, "digest": matrix.digest, "rows": list(surroundings.rows)},
        "paths": [{"name": name, "info": info} for name, info in report.paths.items()],
        "made_by": report.made_by,
        "percentiles": DEFINITION,
        "platform": surroundings.platform,
        "cpus": surroundings.cpus,
        "generated": None
        if not surroundings.generated
        else {
            "decisions": surroundings.generated,
            "seed": surroundings.seed,
            "command": surroundings.command,
        },
        "workers": report.workers,
        "timing": {"started_at": surroundings.started_at},
    }


def _source(source: Source) -> dict[str, Any]:
    return {
        "file": source.file,
        "digest": source.digest,
        "worlds_digest": source.worlds_digest,
        "vectors": source.vectors,
    }


def _vector(entry: Entry) -> dict[str, Any]:
    judgement = entry.telling
    return {
        "id": entry.key.id,
        "file": entry.key.file,
        "line": entry.line,
        "outcome": entry.outcome,
        "judgements": len(entry.judgements),
        "worker": entry.worker,
        "decisions": 0 if judgement is None else judgement.decisions,
        "divergences": [] if judgement is None else [_divergence(d) for d in judgement.divergences],
        "unstable": [] if judgement is None else [_unstable(u) for u in judgement.unstable],
        "problems": [] if judgement is None else list(judgement.problems),
        "opened": [] if judgement is None else list(judgement.opened),
        "waived": [f"{waiver.vector} {waiver.field}" for waiver in entry.waivers],
        "examples": [] if judgement is None else [_example(e) for e in judgement.examples],
        "paths": {}
        if judgement is None
        else {name: _path(result) for name, result in judgement.paths.items()},
        "stress": None if judgement is None else _stress(judgement),
    }


def _divergence(divergence: Divergence) -> dict[str, Any]:
    return {
        "field": divergence.field,
        "rule": divergence.rule,
        "must": str(divergence.must),
        "why": divergence.why,
        "broken": [msgspec.to_builtins(breach) for breach in divergence.broken],
        "odd": divergence.odd,
        "expected": None if divergence.expected is None else _seen(divergence.expected),
        "paths": {name: _seen(seen) for name, seen in divergence.paths.items()},
        "explanation": list(divergence.explanation),
        "case": divergence.case,
        "count": divergence.count,
    }


def _unstable(unstable: Unstable) -> dict[str, Any]:
    return {
        "path": unstable.path,
        "field": unstable.field,
        "rule": unstable.rule,
        "first": _seen(unstable.first),
        "second": _seen(unstable.second),
        "error": unstable.error,
        "case": unstable.case,
        "count": unstable.count,
    }


def _example(example: Example) -> dict[str, Any]:
    return {
        "case": example.case,
        "world": example.world,
        "requests": example.requests,
        "divergences": [_divergence(d) for d in example.divergences],
        "raised": example.raised,
        "saved": example.saved,
        "again": example.again,
    }


def _waiver(waiver: Waiver) -> dict[str, Any]:
    return {
        "vector": waiver.vector,
        "field": waiver.field,
        "owner": waiver.owner,
        "reason": waiver.reason,
        "expires": waiver.expires.isoformat(),
        "line": waiver.line,
    }


def _seen(seen: Seen) -> dict[str, Any]:
    return {"present": True, "value": seen.value} if seen.present else {"present": False}


def _path(result: PathResult) -> dict[str, Any]:
    return {
        "decision": result.decision,
        "error": result.error,
        "timing": {"latency_ms": result.latency_ms},
    }


def _stress(judgement: Judgement) -> dict[str, Any] | None:
    if judgement.stress is None:
        return None
    return {
        "limit_ms": judgement.stress.limit_ms,
        "missed": list(judgement.stress.missed),
        "paths": {name: _load(load) for name, load in judgement.stress.paths.items()},
    }


def _load(load: Load) -> dict[str, Any]:
    return {
        **msgspec.to_builtins(load.latency),
        "concurrency": load.concurrency,
        "throughput_per_s": load.throughput_per_s,
        "errors": load.errors,
        "phases": [
            {"name": phase.name, **msgspec.to_builtins(phase.latency)} for phase in load.phases
        ],
        "histogram": msgspec.to_builtins(load.histogram),
    }
