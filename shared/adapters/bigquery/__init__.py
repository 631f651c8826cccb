"""The cloud warehouse: BigQuery through its official client, which is imported on first need only.

Every call has a timeout and bounded retries, because the client's own defaults wait for ten minutes and more.
"""
