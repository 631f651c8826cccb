"""Answers are held against what Google publishes; the servers do it with every answer they give."""

import pytest

from tests.google.bigquery.server import BigQueryServer, Misspelt
from tests.google.published import complaints

JOB = {
    "kind": "bigquery#job",
    "jobReference": {"projectId": "p", "jobId": "j"},
    "status": {"state": "DONE"},
    "statistics": {"totalBytesProcessed": "10", "query": {"numDmlAffectedRows": "1"}},
}


def test_an_answer_as_published_passes() -> None:
    assert complaints("bigquery.v2", "Job", JOB) == []


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        ({**JOB, "jobReferences": {}}, "Job.jobReferences: not a published member"),
        ({**JOB, "status": "DONE"}, "Job.status: str where object is published"),
        (
            {**JOB, "statistics": {"totalBytesProcessed": 10}},
            "Job.statistics.totalBytesProcessed: int where string is published",
        ),
        (
            {**JOB, "statistics": {"totalBytesProcessed": "ten"}},
            "Job.statistics.totalBytesProcessed: 'ten' is no whole number",
        ),
    ],
)
def test_an_answer_that_google_would_never_give_is_noticed(broken: object, complaint: str) -> None:
    assert complaints("bigquery.v2", "Job", broken) == [complaint]


def test_a_test_whose_server_gave_such_an_answer_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    server = BigQueryServer()
    monkeypatch.setattr(server.engine, "dataset", lambda _: {"colour": "blue"})

    with pytest.raises(Misspelt, match=r"Dataset\.colour: not a published member"), server.running():
        server.answer("GET", "/bigquery/v2/projects/p/datasets/sales", b"")


def test_answers_of_the_bigquery_server_are_as_published() -> None:
    """A control of the above: the same question, answered by the engine itself."""
    with BigQueryServer().running() as server:
        server.engine.create_dataset("sales")
        server.answer("GET", "/bigquery/v2/projects/p/datasets/sales", b"")

        assert server.misspelt == []
