"""Makes a judgement from what a JSON report holds of a vector."""

from __future__ import annotations

from typing import Any

from pytest_ffparity.parity.compare import MISSING, Breach, Divergence, Seen
from pytest_ffparity.parity.judgement import (
    Example,
    Judgement,
    Load,
    PathResult,
    PhaseLoad,
    StressResult,
)
from pytest_ffparity.parity.percentiles import Bucket, Latency
from pytest_ffparity.parity.stability import Unstable


def judgement(raw: dict[str, Any], infos: dict[str, dict[str, str]], made_by: str) -> Judgement:
    """Make the judgement; a report holds neither its run's nonce nor its digest.

    Args:
        raw: The item of `vectors`.
        infos: What each path says of itself.
        made_by: What kinds of paths judged.
    """
    return Judgement(
        run="",
        file=raw["file"],
        id=raw["id"],
        digest="",
        paths={
            name: PathResult(
                decision=path["decision"],
                error=path["error"],
                latency_ms=path["timing"]["latency_ms"],
                info=infos.get(name, {}),
            )
            for name, path in raw["paths"].items()
        },
        divergences=tuple(map(_divergence, raw["divergences"])),
        unstable=tuple(map(_unstable, raw["unstable"])),
        stress=None if raw["stress"] is None else _stress(raw["stress"]),
        decisions=raw["decisions"],
        examples=tuple(map(_example, raw["examples"])),
        opened=tuple(raw["opened"]),
        problems=tuple(raw["problems"]),
        made_by=made_by,
    )


def _seen(raw: dict[str, Any]) -> Seen:
    return Seen(True, raw["value"]) if raw["present"] else MISSING


def _divergence(raw: dict[str, Any]) -> Divergence:
    return Divergence(
        **{
            **raw,
            "expected": None if raw["expected"] is None else _seen(raw["expected"]),
            "paths": {name: _seen(seen) for name, seen in raw["paths"].items()},
            "broken": tuple(Breach(**breach) for breach in raw["broken"]),
            "explanation": tuple(raw["explanation"]),
        }
    )


def _unstable(raw: dict[str, Any]) -> Unstable:
    return Unstable(**{**raw, "first": _seen(raw["first"]), "second": _seen(raw["second"])})


def _example(raw: dict[str, Any]) -> Example:
    return Example(**{**raw, "divergences": tuple(map(_divergence, raw["divergences"]))})


def _stress(raw: dict[str, Any]) -> StressResult:
    return StressResult(
        limit_ms=raw["limit_ms"],
        paths={name: _load(load) for name, load in raw["paths"].items()},
        missed=tuple(raw["missed"]),
    )


def _load(raw: dict[str, Any]) -> Load:
    return Load(
        latency=_latency(raw),
        concurrency=raw["concurrency"],
        throughput_per_s=raw["throughput_per_s"],
        errors=raw["errors"],
        phases=tuple(PhaseLoad(phase["name"], _latency(phase)) for phase in raw["phases"]),
        histogram=tuple(Bucket(**bucket) for bucket in raw["histogram"]),
    )


def _latency(raw: dict[str, Any]) -> Latency:
    return Latency(**{name: raw[name] for name in Latency.__struct_fields__})
