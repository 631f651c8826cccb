"""The bare yardstick: what the platform itself costs."""

import functions_framework


@functions_framework.http
def main(request):
    return "hello"
