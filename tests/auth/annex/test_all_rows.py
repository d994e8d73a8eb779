"""Every row of the list of bad input is a test named by it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROWS = {"S": 21, "H": 10, "A": 12, "K": 10, "G": 10, "C": 24, "J": 19, "E": 25, "D": 3}


def test_each_of_the_134_rows_has_its_test_and_no_other_is_named() -> None:
    rows = {f"{letter}{n:02}" for letter, most in ROWS.items() for n in range(1, most + 1)}
    assert len(rows) == 134
    named = {
        found[1]
        for file in Path(__file__).parent.glob("test_*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        and (found := re.match(r"test_([A-Z]\d\d)_", node.name))
    }
    assert named == rows
