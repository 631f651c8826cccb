"""A process killed with signal 9 leaves whole commits only, and the file opens again."""

import random
import subprocess
import sys
from pathlib import Path

from shared.adapters.shapes import Shapes
from shared.adapters.sqlite import SqliteDocuments
from shared.ports.documents import Create, Documents, Key, Put, Query

ROOT = Path(__file__).parents[3]
KILLS = 10


def work(documents: Documents) -> None:
    """Raise a counter and write one entry for it in the same commit, for ever."""
    while True:
        stored = documents.get(Key("stock", "s"))
        number = stored.data["n"] if stored else 0
        put = Put(Key("stock", "s"), {"n": number + 1}, stored.version if stored else None)
        entry = Create(Key("moves", f"{number:09}"), {"n": number, "filler": "x" * 2000})
        documents.commit([put, entry])
        print("committed", flush=True)


def whole(path: Path) -> bool:
    """Say whether the counter equals the number of entries."""
    documents = SqliteDocuments(path, Shapes())
    stored = documents.get(Key("stock", "s"))
    entries = documents.count(Query("moves"))
    documents.close()
    return (stored.data["n"] if stored else 0) == entries


def killed_after(path: Path, commits: int) -> None:
    """Run `work` in a process, kill it when so many commits were reported."""
    program = f"from tests.contract.documents.test_kill import *; work(SqliteDocuments({str(path)!r}, Shapes()))"
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(commits):
            assert process.stdout.readline() == "committed\n"
        process.kill()
        process.stdout.read()


def test_a_killed_process_leaves_whole_commits(tmp_path: Path) -> None:
    seed = 20261123
    rng = random.Random(seed)
    for _ in range(KILLS):
        killed_after(tmp_path / "store.db", rng.randint(1, 60))
        assert whole(tmp_path / "store.db")
    print(f"seed {seed}: {KILLS} kills")


def test_control_two_commits_can_be_torn_apart(tmp_path: Path) -> None:
    documents = SqliteDocuments(tmp_path / "store.db", Shapes())
    documents.commit([Put(Key("stock", "s"), {"n": 1})])
    documents.close()  # as a process that died between its two commits

    assert not whole(tmp_path / "store.db")
