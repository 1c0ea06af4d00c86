from __future__ import annotations

import runpy
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_tables_is_what_its_script_makes() -> None:
    make_tables = runpy.run_path(str(DOCS / "make_tables.py"))
    kept = (DOCS / "tables.md").read_text(encoding="utf-8")
    assert kept == make_tables["text"](), "run: python docs/make_tables.py"
