"""The other bare yardstick: hello on FastAPI."""

from fastapi import FastAPI

app = FastAPI()


@app.get("/")
def hello():
    return "hello"
