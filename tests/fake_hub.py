"""A model hub on this machine: the few addresses that huggingface_hub asks, over real HTTP."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class FakeHub:
    """``repos``: id -> file name -> bytes. ``refused``: id -> (status, X-Error-Code)."""

    repos: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refused: dict[str, tuple[int, str]] = field(default_factory=dict)
    plain: dict[str, bytes] = field(default_factory=dict)  # path -> bytes, outside of repositories
    cut: int | None = None  # answers end after so many bytes, whatever they promised
    corrupt: bool = False  # bytes on their way are changed
    asked: list[str] = field(default_factory=list)  # "GET /path" and "GET /path bytes=5-"
    url: str = ""

    def card(self, repo: str) -> dict[str, Any]:
        """What the hub answers about ``repo``."""
        files = [{"rfilename": n, **self.entry(n, d)} for n, d in self.repos[repo].items()]
        return {"id": repo, "sha": COMMIT, "siblings": files, "cardData": {"license": "mit"}}

    def entry(self, name: str, data: bytes) -> dict[str, Any]:
        """A file's sizes and, of weights, its hash."""
        found: dict[str, Any] = {"size": len(data), "blobId": "0" * 40}
        if name.endswith((".safetensors", ".bin")):
            digest = hashlib.sha256(data).hexdigest()
            found["lfs"] = {"sha256": digest, "oid": digest, "size": len(data), "pointerSize": 134}
        return found

    def tree(self, repo: str) -> list[dict[str, Any]]:
        """The list of files of ``repo``."""
        return [
            {"type": "file", "path": name, "oid": "0" * 40, **self.entry(name, data)}
            for name, data in self.repos[repo].items()
        ]


@contextmanager
def running() -> Iterator[FakeHub]:
    """A hub that answers while open."""
    hub = FakeHub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            path, wanted = self.path.split("?")[0], self.headers.get("Range", "")
            hub.asked.append(f"{self.command} {path} {wanted}".rstrip())
            parts = path.strip("/").split("/")
            if path in hub.plain:
                self.send_file(hub.plain[path], "plain")
                return
            named = parts[2:] if parts[:2] == ["api", "models"] else parts
            repo = "/".join(named[:2])
            if repo in hub.refused:
                status, code = hub.refused[repo]
                self.send(status, b"{}", {"X-Error-Code": code})
            elif repo not in hub.repos:
                self.send(404, b"{}", {"X-Error-Code": "RepoNotFound"})
            elif named == parts:
                self.send_file(hub.repos[repo][parts[-1]], parts[-1])
            else:
                answer: Any = hub.tree(repo) if "tree" in named else hub.card(repo)
                self.send(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})

        def send_file(self, data: bytes, name: str) -> None:
            digest = hashlib.sha256(data).hexdigest()
            headers = {"ETag": f'"{digest}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
            wanted = self.headers.get("Range")
            if hub.corrupt:
                data = data[:-1] + bytes([data[-1] ^ 1])
            if wanted is None:
                self.send(200, data, headers)
                return
            start = int(wanted.removeprefix("bytes=").split("-")[0])
            if start >= len(data):
                self.send(416, b"", headers)
                return
            span = f"bytes {start}-{len(data) - 1}/{len(data)}"
            self.send(206, data[start:], {**headers, "Content-Range": span})

        def send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body[: hub.cut])
                self.close_connection = hub.cut is not None

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
