"""Orders that a 3PL holds: found, explained, kept with their history, and served.

An order is **held** while a shipment of it cannot leave; the **OOS feed** is the held orders short of stock. A **refresh**
reads one 3PL completely and publishes an immutable **snapshot** of its held orders, or changes nothing at all. An order
that is missing from a complete refresh is asked for directly and only then **resolved**, with the reason; one that comes
back opens a new **episode** and keeps the time it was first seen. Readers see the snapshot the one pointer names, with its
age; a failed refresh leaves it in place and marks it stale.
"""
