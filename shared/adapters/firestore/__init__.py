"""Documents in Firestore: commits through the official client, reads over its REST surface with a fast JSON parser.

Measured per document of a list, the official client costs 0.26-0.33 ms of CPU and REST 0.025 ms. A function that only reads
never loads the client (about 300 ms of cold start).
"""

from shared.adapters.firestore.documents import FirestoreDocuments

__all__ = ["FirestoreDocuments"]
