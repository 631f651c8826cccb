"""No file of ours carries what does not belong there: open ends, machine paths, package registries."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Written in two halves, so that this file does not contain what it looks for.
OPEN_ENDS = [first + second for first, second in (("TO", "DO"), ("FIX", "ME"), ("X", "XX"), ("HA", "CK"))]
PLACES = [
    first + second for first, second in (("/wo", "rk/"), ("/op", "t/"), ("/ro", "ot/"), ("/Use", "rs/"), ("/ho", "me/"))
]
HOSTS = [
    first + second for first, second in (("py", "pi."), ("python", "hosted"), ("art", "ifactory"), ("npm", "js.org"))
]
OPEN_END = re.compile(rf"\b({'|'.join(OPEN_ENDS)})\b")
PLACE = re.compile(rf"(?<![\w.<>{{}}$)-])({'|'.join(PLACES)})")
HOST = re.compile("|".join(map(re.escape, HOSTS)), re.IGNORECASE)


def test_nothing_is_left_open() -> None:
    assert _hits(OPEN_END) == []


def test_no_path_of_a_machine_is_written_down() -> None:
    assert _hits(PLACE) == []


def test_no_package_registry_is_named() -> None:
    assert _hits(HOST) == []


def test_each_word_would_be_seen() -> None:
    assert all(OPEN_END.search(f"# {word}: later") for word in OPEN_ENDS)
    assert all(PLACE.search(f'open("{place}x")') for place in PLACES)
    assert all(HOST.search(f"https://{host}org") for host in HOSTS)


def _hits(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()[:120]}"
        for name, text in _texts()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def _texts() -> list[tuple[str, str]]:
    line = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    files = [(name, ROOT / name) for name in names if name]
    return [(name, path.read_text(errors="replace")) for name, path in files if path.is_file()]
