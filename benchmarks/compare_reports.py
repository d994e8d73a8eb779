"""Compare the JSON reports of repeated gate runs: all go, all the same decisions.

Latencies are printed and never judged here: each run has held its own against its own limit.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any


def without_latency(decision: Any) -> Any:
    """The decision but for the one field that no two runs share."""
    if not isinstance(decision, dict) or not isinstance(decision.get("meta"), dict):
        return decision
    meta = {key: value for key, value in decision["meta"].items() if key != "latency_ms"}
    return {**decision, "meta": meta}


def told(report: dict[str, Any]) -> dict[str, str]:
    """What a run says of each vector, as text: in Python 1 equals True."""
    return {
        vector["id"]: json.dumps(
            [
                vector["outcome"],
                {name: without_latency(path["decision"]) for name, path in vector["paths"].items()},
            ],
            sort_keys=True,
        )
        for vector in report["vectors"]
    }


def faults(reports: dict[str, dict[str, Any]], expected: int) -> list[str]:
    """One line for each thing that is wrong with these runs."""
    found = [] if len(reports) == expected else [f"{len(reports)} reports, expected {expected}"]
    found += [
        f"{name}: {report['verdict']}"
        for name, report in reports.items()
        if report["verdict"] != "go"
    ]
    first_name, first = next(iter(reports.items()), ("", {"vectors": []}))
    said = told(first)
    for name, report in reports.items():
        says = told(report)
        found += [
            f"{name}: {vector} differs from {first_name}"
            for vector in sorted(said.keys() | says.keys())
            if said.get(vector) != says.get(vector)
        ]
    return found


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the reports lie")
    parser.add_argument("--expect", type=int, required=True, help="how many there must be")
    options = parser.parse_args(arguments)
    reports = {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(options.folder.glob("*.json"))
    }
    for name, report in reports.items():
        figures = "  ".join(
            f"{path} p99 {load['p99_ms']:.1f} ms" for path, load in report["stress"].items()
        )
        print(f"{name}  {report['verdict']:<10}  {figures}")
    found = faults(reports, options.expect)
    print("\n".join(found) or f"{len(reports)} runs, all go, all the same decisions")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
