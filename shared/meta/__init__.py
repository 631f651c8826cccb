"""What a deployment says about itself: whether its backends answer, how much it holds, how busy this instance is.

`/health` needs none of this and touches nothing. `/ready` runs one cheap check per backend; stale snapshots degrade, they do
not fail. Numbers of requests are those of one instance; numbers of documents are everybody's.
"""
