"""The HTTP surface of the queue and the scheduler."""
