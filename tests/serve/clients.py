"""A plain HTTP client, and a server to ask."""

import http.client
import json
import socket
import urllib.parse
from contextlib import contextmanager
from dataclasses import dataclass

from enlighten_cli.photo import Photo, encode
from enlighten_cli.serve.private_folder import PrivateFolder
from enlighten_cli.serve.server import RunningServer, listening
from enlighten_cli.serve.settings import Settings
from enlighten_cli.serve.shared import share


@dataclass
class Answer:
    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The code of an error; every error has this one shape."""
        assert self.headers["content-type"] == "application/json"
        (error,) = self.json.values()
        assert list(self.json) == ["error"]
        assert set(error) == {"status", "code", "message"}
        assert error["status"] == self.status
        assert "\n" not in error["message"]
        return error["code"]


@dataclass
class Client:
    port: int
    token: str = ""
    shared: object = None

    def ask(self, method, path, body=None, headers=None, host=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            headers = dict(headers or {})
            headers["Host"] = host or f"127.0.0.1:{self.port}"
            if self.token:
                headers.setdefault("Authorization", f"Bearer {self.token}")
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, names, answer.read())
        finally:
            connection.close()

    def get(self, path, **options):
        return self.ask("GET", path, **options)

    def enhance(self, content, **words):
        return self.ask("POST", "/v1/enhance?" + urllib.parse.urlencode(words), content)

    def post_json(self, path, value):
        return self.ask("POST", path, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def visit(self):
        return Visit(self, self.ask("POST", "/visits").json)


class Visit:
    """What the page does, without the page."""

    def __init__(self, client, facts):
        self.client, self.facts = client, facts
        self.path = f"/visits/{facts['visit']}"

    def upload(self, name, content):
        answer = self.client.ask("POST", f"{self.path}/photos?{urllib.parse.urlencode({'name': name})}", content)
        assert answer.status == 201, answer.body
        return answer.json

    def view(self, photo, **words):
        return self.client.get(f"{self.path}/photos/{photo}/view?{urllib.parse.urlencode(words)}")

    def save(self, photos, to, **more):
        wish = {"to": to, "photos": [{"id": photo} for photo in photos], **more}
        answer = self.client.post_json(f"{self.path}/saves", wish)
        assert answer.status == 200, answer.body
        return [json.loads(line) for line in answer.body.splitlines()]

    def outcomes(self, photos, to, **more):
        return [event for event in self.save(photos, to, **more) if "status" in event]


@contextmanager
def serving(tmp_path, host="127.0.0.1", **settings):
    """Serve, and yield a client."""
    tmp_path.mkdir(parents=True, exist_ok=True)
    with PrivateFolder(tmp_path) as folder, listening("127.0.0.1", 0) as listener:
        shared = share(Settings(**settings), folder)
        with RunningServer(shared, listener, host) as server:
            yield Client(server.port, settings.get("token", ""), shared)


def leftovers(client):
    """Files of clients that the server still keeps."""
    return [path.name for path in client.shared.folder.path.rglob("*") if path.is_file() and path.name != "lock"]


def form(fields, boundary="x-y-z"):
    """A multipart form: values are text, or (name, bytes) for a file."""
    parts = []
    for name, value in fields:
        file = f'; filename="{value[0]}"' if isinstance(value, tuple) else ""
        content = value[1] if isinstance(value, tuple) else value.encode()
        parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + content)
    body = b"\r\n".join(parts) + f"\r\n--{boundary}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def raw(port, content):
    """Send bytes as they are, and return a socket to read from."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection.sendall(content)
    return connection


def picture(pixels, format="PNG", **options):
    return encode(Photo(pixels, format), **options)
