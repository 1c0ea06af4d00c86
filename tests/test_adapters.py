"""Adapters run in foreign environments: Python 3.8, and nothing of trackleed but the kit."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ADAPTERS = sorted(Path(__file__).parents[1].glob("trackleed-trackers-*/src/*/adapters/*.py"))


def test_there_are_adapters() -> None:
    assert len(ADAPTERS) > 3


@pytest.mark.parametrize("path", ADAPTERS, ids=lambda path: f"{path.parts[-3]}.{path.stem}")
def test_an_adapter_keeps_to_python_3_8_and_imports_the_kit_alone(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path), feature_version=(3, 8))
    imported = {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in [*(a.name for a in node.names), getattr(node, "module", "") or ""]
    }
    ours = {n for n in imported if n.startswith("trackleed") and not n.startswith("trackleed_kit")}
    own = f"{path.parts[-3]}.adapters"
    assert all(n.startswith(own) for n in ours), ours
