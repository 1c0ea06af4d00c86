"""Making tables that keep to their specification, and checking that they do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from trackleed.errors import TableError
from trackleed.tables.columns import TableSpec

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

Columns: TypeAlias = "Mapping[str, np.ndarray[Any, np.dtype[Any]]]"

_KINDS = {"int": "iu", "float": "f", "bool": "b", "str": "OU"}
_DTYPES: dict[str, Any] = {"int": "int64", "float": "float64", "bool": "bool", "str": "str"}


def empty(spec: TableSpec) -> pd.DataFrame:
    """Table of ``spec`` without rows."""
    import pandas as pd

    return pd.DataFrame({c.name: pd.Series(dtype=_DTYPES[c.dtype]) for c in spec.columns})


def build(spec: TableSpec, columns: Columns | pd.DataFrame) -> pd.DataFrame:
    """Checked table of ``spec`` from a mapping of arrays, or from another table.

    Columns that the specification does not name are kept, to the right.

    Raises
    ------
    TableError
        If a column is missing, of the wrong kind or of the wrong length.
    """
    import pandas as pd

    given = {str(name): values for name, values in columns.items()}
    _require_columns(list(given), spec)
    lengths = {name: len(values) for name, values in given.items()}
    if len(set(lengths.values())) > 1:
        raise TableError(f"{spec.name} table: columns differ in length: {lengths}")
    # Converted before pandas sees them: replacing columns of a table is many times slower.
    for column in spec.columns:
        try:
            given[column.name] = _converted(given[column.name], column.dtype)
        except (TypeError, ValueError) as error:
            raise TableError(
                f"{spec.name} table: column {column.name!r} should be {column.dtype}: {error}"
            ) from None
    extra = [name for name in given if name not in spec.names]
    table = pd.DataFrame({name: given[name] for name in [*spec.names, *extra]})
    return check(table, spec)


def _converted(values: Any, dtype: str) -> Any:
    """Values of a column as its kind of array; raises where that would change them."""
    import numpy as np
    import pandas as pd

    if dtype == "str":
        return pd.array(np.asarray(values, dtype=object), dtype="str")
    array = np.asarray(values)
    if dtype == "int" and array.dtype.kind not in "iu" and (array % 1 != 0).any():
        raise ValueError("not whole numbers")
    return array.astype(_DTYPES[dtype], copy=False)


def check(table: pd.DataFrame, spec: TableSpec) -> pd.DataFrame:
    """Return ``table`` if it keeps to ``spec``.

    Raises
    ------
    TableError
        If a column is missing or of another kind, or a key occurs twice.
    """
    _require_columns(list(table.columns), spec)
    dtypes = dict(zip(table.columns, table.dtypes, strict=True))
    for column in spec.columns:
        dtype = dtypes[column.name]
        if dtype.kind not in _KINDS[column.dtype] and not (
            column.dtype == "str" and str(dtype) in ("str", "string")
        ):
            raise TableError(
                f"{spec.name} table: column {column.name!r} is {dtype}, should be {column.dtype}"
            )
    if spec.key:
        twice = table.duplicated(list(spec.key))
        if twice.any():
            row = table.loc[twice, list(spec.key)].iloc[0].to_dict()
            raise TableError(f"{spec.name} table: more than one row for {row}")
    return table


def columns(table: pd.DataFrame | Columns) -> Columns:
    """The columns of a table as plain numpy arrays, as backends are handed them."""
    import numpy as np

    return {str(name): np.asarray(values) for name, values in table.items()}


def _require_columns(names: list[str], spec: TableSpec) -> None:
    missing = [name for name in spec.names if name not in names]
    if missing:
        raise TableError(
            f"{spec.name} table: missing column(s) {', '.join(missing)}; "
            f"it needs {', '.join(spec.names)}"
        )
