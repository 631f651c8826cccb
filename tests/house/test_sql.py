"""Query files are GoogleSQL that DuckDB answers alike: forms known to differ in silence are refused here.

Each form was measured (design notes, "Traps"): sqlglot translates it without complaint and the answer is another one.
"""

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

import shared
from shared.adapters.bigquery.schema_files import declared_tables
from shared.adapters.duckdb.dialect import to_duckdb
from shared.ports.queries import QueryText, parse_query
from shared.ports.warehouse import Named, Table

ROOT = Path(__file__).resolve().parents[2]
SUITE = ROOT / "tests" / "contract" / "warehouse" / "sql"
FILES = sorted([*(ROOT / "shared").rglob("sql/*.sql"), *SUITE.glob("*.sql")])

TEXTUAL: Mapping[str, str] = {
    r"\bWITH\s+OFFSET\b": "UNNEST ... WITH OFFSET counts from 1 on DuckDB",
    r"\bFORMAT_TIMESTAMP\s*\(": "FORMAT_TIMESTAMP ignores its zone on DuckDB: FORMAT_DATE of DATE(at, zone)",
    r"\bFORMAT\s*\(": "FORMAT differs: make texts in Python",
    r"\bAPPROX_\w+\s*\(": "APPROX_ functions differ: count exactly",
    r"\bLAX_\w+\s*\(": "LAX_ functions are not translated",
    r"\bPARSE_\w+\s*\(": "PARSE_ functions differ in their formats: pass a typed parameter",
    r"\bISO(WEEK|YEAR)\b": "ISOWEEK and ISOYEAR are not translated: WEEK(MONDAY)",
    r"\bWEEK\b(?!\s*\(\s*MONDAY\s*\))": "a plain WEEK begins on Sunday on BigQuery, on Monday on DuckDB: WEEK(MONDAY)",
    r"\bDAYOFWEEK\b": "DAYOFWEEK counts from 1 on BigQuery, from 0 on DuckDB",
    r"\bINSERT\s+ROW\b": "INSERT ROW works on BigQuery only",
    r"\bCURRENT_(TIMESTAMP|DATE|DATETIME|TIME)\b": "time is an argument: pass a parameter",
    r"\b(RAND|GENERATE_UUID|SESSION_USER)\s*\(": "the same question must have the same answer",
    r"\bARRAY_AGG\s*\([^()]*\bLIMIT\b": "ARRAY_AGG with LIMIT is not translated",
    r"SELECT\s+\*\s+FROM\s+UNNEST": "name the columns: SELECT * FROM UNNEST(...) works on one engine only",
}
SORTED_AGGREGATES = (exp.ArrayAgg, exp.GroupConcat)
RANDOM_CHOICE = (exp.AnyValue,)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_query_file_keeps_to_the_common_language(path: Path) -> None:
    assert complaints(path.read_text(encoding="utf-8")) == []


def test_every_query_of_the_product_is_declared_once() -> None:
    declared = sorted(named.path for named in _queries())

    assert declared == [path for path in FILES if path.parent != SUITE]


def test_every_declared_query_bounds_the_partitions_it_reads() -> None:
    for named in _queries():
        text = parse_query(named.path.read_text(encoding="utf-8"))

        assert text.placeholders() <= named.tables.keys(), named.path
        assert unbounded(text, named.tables) == [], named.path


BAD: Mapping[str, str] = {
    "offset": "SELECT x, o FROM UNNEST([1]) AS x WITH OFFSET AS o ORDER BY o",
    "zone": "SELECT FORMAT_TIMESTAMP('%F', TIMESTAMP '2026-01-01 00:00:00+00', 'UTC') AS a",
    "format": "SELECT FORMAT('%05d', 5) AS a",
    "approx": "SELECT APPROX_TOP_COUNT(a, 3) AS b FROM {t}",
    "lax": "SELECT LAX_INT64(JSON '1') AS a",
    "isoweek": "SELECT EXTRACT(ISOWEEK FROM DATE '2026-01-01') AS a",
    "week": "SELECT CAST(DATE_TRUNC(d, WEEK) AS DATE) AS a FROM {t} ORDER BY a",
    "division": "SELECT a / b AS c FROM {t} ORDER BY c",
    "uncast trunc": "SELECT DATE_TRUNC(d, MONTH) AS a FROM {t} ORDER BY a",
    "uncast safe divide": "SELECT SAFE_DIVIDE(a, b) AS c FROM {t} ORDER BY c",
    "array limit": "SELECT ARRAY_AGG(a ORDER BY a LIMIT 3) AS b FROM {t}",
    "unnest star": "SELECT * FROM UNNEST(@rows) ORDER BY 1",
    "star": "SELECT * FROM {t} ORDER BY a",
    "unordered": "SELECT a FROM {t}",
    "unordered array": "SELECT ARRAY_AGG(a) AS b FROM {t}",
    "unordered text": "SELECT STRING_AGG(a, ',') AS b FROM {t}",
    "any value": "SELECT ANY_VALUE(a) AS b FROM {t}",
    "clock": "SELECT a FROM {t} WHERE at > CURRENT_TIMESTAMP() ORDER BY a",
    "name missing": "SELECT a + 1 FROM {t} ORDER BY 1",
    "undeclared parameter": "SELECT a FROM {t} WHERE a = @a ORDER BY a",
    "two statements": "SELECT 1 AS a; SELECT 2 AS b",
    "writing": "DELETE FROM {t} WHERE a = 1",
}


UNBOUNDED = (
    "SELECT sku FROM {lines} ORDER BY sku",
    "SELECT sku FROM {lines} WHERE sku = 'a' ORDER BY sku",
    "SELECT sku FROM {lines} WHERE opened_at >= first_seen_at ORDER BY sku",
)


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_a_form_that_differs_in_silence_is_refused(text: str) -> None:
    assert complaints(text) != []


def test_a_query_that_does_not_bound_its_partitions_is_seen() -> None:
    table = next(table for table in declared_tables() if table.partition_by == "opened_at")
    for text in UNBOUNDED:
        assert unbounded(parse_query(text), {"lines": table}) == [table.name]


def complaints(text: str) -> list[str]:
    """Return what is wrong with a query file."""
    try:
        query = parse_query(text)
    except ValueError as wrong:
        return [str(wrong)]
    found = [reason for form, reason in TEXTUAL.items() if re.search(form, query.sql, re.IGNORECASE)]
    plain = query.with_tables(lambda name: f"`{name}`")
    trees = sqlglot.parse(plain, read="bigquery")
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        return [*found, "one query per file, and only a query"]
    found += [reason for check in CHECKS for reason in check(trees[0])]
    try:
        to_duckdb(plain, query.parameters)
    except sqlglot.errors.SqlglotError as untranslated:
        found.append(str(untranslated))
    return found


def unbounded(text: QueryText, tables: Mapping[str, Table]) -> list[str]:
    """Return the partitioned tables whose own scope does not compare the partition column with a constant."""
    tree = sqlglot.parse_one(text.with_tables(lambda name: f"`{name}`"), read="bigquery")
    found = []
    for node in tree.find_all(exp.Table):
        table, scope = tables.get(node.name), node.find_ancestor(exp.Select)
        if table is None or table.partition_by is None or scope is None:
            continue
        where = scope.args.get("where")
        if where is None or not any(_bounds(one, table.partition_by) for one in where.find_all(exp.Predicate)):
            found.append(table.name)
    return found


def _bounds(predicate: exp.Expr, column: str) -> bool:
    if not isinstance(predicate, exp.GT | exp.GTE | exp.LT | exp.LTE | exp.EQ | exp.Between):
        return False
    sides = [one for one in predicate.args.values() if isinstance(one, exp.Expr)]
    bare = [one for one in sides if isinstance(one, exp.Column) and one.name == column]
    return bool(bare) and all(one in bare or one.find(exp.Column) is None for one in sides)


def _divisions(tree: exp.Expr) -> Iterator[str]:
    for node in tree.find_all(exp.Div):
        yield f"{node.sql('bigquery')}: by zero it fails on BigQuery and is infinite on DuckDB: SAFE_DIVIDE"


def _uncast(tree: exp.Expr) -> Iterator[str]:
    for node in tree.find_all(exp.DateTrunc, exp.SafeDivide):
        if not isinstance(node.parent, exp.Cast):
            yield f"{node.sql('bigquery')}: its type differs: CAST it"


def _stars(tree: exp.Expr) -> Iterator[str]:
    if any(not isinstance(node.parent, exp.Count) for node in tree.find_all(exp.Star)):
        yield "name the columns instead of *"


def _unnamed(tree: exp.Expr) -> Iterator[str]:
    if isinstance(tree, exp.Select):
        for column in tree.expressions:
            if not column.alias_or_name:
                yield f"{column.sql('bigquery')} needs a name"


def _unordered(tree: exp.Expr) -> Iterator[str]:
    single = isinstance(tree, exp.Select) and tree.args.get("group") is None and _one_row(tree)
    if not tree.args.get("order") and not single:
        yield "rows need an order"


def _one_row(tree: exp.Select) -> bool:
    """Say whether a query without GROUP BY gives one row: no table at all, or nothing but aggregates."""
    if tree.find(exp.From) is None:
        return True
    return all(column.find(exp.AggFunc) and not column.find(exp.Window) for column in tree.expressions)


def _chance(tree: exp.Expr) -> Iterator[str]:
    for node in tree.find_all(*SORTED_AGGREGATES):
        if node.find(exp.Order) is None:
            yield f"{node.sql('bigquery')} needs an ORDER BY inside"
    for node in tree.find_all(*RANDOM_CHOICE):
        yield f"{node.sql('bigquery')} may choose differently: MIN or MAX"


CHECKS: tuple[Callable[[exp.Expr], Iterator[str]], ...] = (_divisions, _uncast, _stars, _unnamed, _unordered, _chance)


def _queries() -> list[Named]:
    """Return the queries of the product: module-level `Named` of the domains' `warehouse` modules."""
    modules = [module.name for module in pkgutil.walk_packages(shared.__path__, "shared.") if _of_domain(module.name)]
    return [
        value for name in modules for value in vars(importlib.import_module(name)).values() if isinstance(value, Named)
    ]


def _of_domain(module: str) -> bool:
    parts = module.split(".")
    return len(parts) == 3 and parts[1] not in {"adapters", "ports"} and parts[2] == "warehouse"
