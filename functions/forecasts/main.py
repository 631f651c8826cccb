"""Entry point of the function `forecasts`."""

import os

import flask
import functions_framework

from shared.app import App
from shared.http.serve import serve

from .routes import router

handle = serve([router], App.from_env)
if "K_SERVICE" in os.environ:  # in the cloud a bad setting stops the deployment, not a request
    handle.warm()


@functions_framework.http
def main(request: flask.Request) -> flask.Response:
    """Answer one request."""
    return handle(request)
