"""Entry point of the function `orders`."""

import os

import flask
import functions_framework

from shared.app import App
from shared.http.router import Router
from shared.http.serve import serve

from .routes import router


def _older() -> Router:
    from .legacy import router as older

    return older


handle = serve([router], App.from_env, _older)
if "K_SERVICE" in os.environ:  # there a bad setting stops the deployment, and no request waits for a client
    handle.warm().load_clients(__file__)


@functions_framework.http
def main(request: flask.Request) -> flask.Response:
    """Answer one request."""
    return handle(request)
