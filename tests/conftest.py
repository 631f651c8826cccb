"""What every test run shows: the versions it ran with, and whether the official Firestore emulator took part."""

import platform
from importlib import metadata

import pytest

pytest_plugins = ("tests.stores",)  # the fixture `documents`: every store in turn

_SHOWN = ("functions-framework", "flask", "werkzeug", "pydantic", "google-cloud-firestore", "duckdb", "sqlglot")
_EMULATOR = "emulator"


def pytest_report_header() -> str:
    """Print the versions that decide behaviour."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in _SHOWN)
    return f"python {platform.python_version()}; {versions}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line whether the official Firestore emulator was used, and if not, why."""
    ran = sum(_on_emulator(report) for kind in ("passed", "failed") for report in terminalreporter.getreports(kind))
    skipped = [report for report in terminalreporter.getreports("skipped") if _on_emulator(report)]
    if ran:
        line = f"firestore emulator: used by {ran} tests"
    elif skipped:
        line = f"firestore emulator: NOT used, {len(skipped)} tests skipped: {_reason(skipped[0])}"
    else:
        line = "firestore emulator: no test of this run asks for it"
    terminalreporter.write_line(line)


def _on_emulator(report: object) -> bool:
    return _EMULATOR in getattr(report, "nodeid", "")


def _reason(report: object) -> str:
    text = getattr(report, "longrepr", "")
    return str(text[2] if isinstance(text, tuple) else text).removeprefix("Skipped: ")
