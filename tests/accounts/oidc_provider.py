"""A stand-in OpenID provider speaks real HTTP on loopback: discovery, keys, codes for tokens, with PKCE.

It signs with PyJWT, so that what signs and what checks (Authlib, joserfc) are not the same code.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

CLIENT_ID, CLIENT_SECRET = "pylantir", "a secret of the tests, long enough to sign with"


@dataclass
class Key:
    kid: str
    private: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    def public(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(RSAAlgorithm.to_jwk(self.private.public_key()))
        return {**found, "kid": self.kid, "use": "sig", "alg": "RS256"}


@dataclass
class Granted:
    """What a code stands for until it is exchanged."""

    asked: dict[str, str]
    id_token: str


class OidcProvider:
    def __init__(self) -> None:
        self.key = Key("first")
        self.codes: dict[str, Granted] = {}
        self.names_itself = ""  # another issuer, where it lies
        self.sends_id_token = True
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.get(self)

            def do_POST(self) -> None:
                provider.exchange(self)

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}/hospital"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self) -> OidcProvider:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def let_in(self, address: str, *, key: Key | None = None, algorithm: str = "RS256", **claims: Any) -> str:
        """Return where the browser goes once the person has signed in here, as from `address`."""
        asked = dict(parse_qsl(urlsplit(address).query))
        now = int(time.time())
        said = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": "4711",
            "iat": now,
            "exp": now + 60,
            "nonce": asked["nonce"],
            "preferred_username": "erika",
            "name": "Erika Muster",
            "email": "erika@example.org",
            "groups": ["staff"],
            **claims,
        }
        sent = {name: value for name, value in said.items() if value is not None}
        signing = key or self.key
        secret: Any = {"none": None, "HS256": CLIENT_SECRET}.get(algorithm, signing.private)
        token = jwt.encode(sent, secret, algorithm, headers={"kid": signing.kid})
        code = f"code-{len(self.codes)}"
        self.codes[code] = Granted(asked, token)
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def get(self, request: BaseHTTPRequestHandler) -> None:
        if request.path.endswith("/keys"):
            _answer(request, {"keys": [self.key.public()]})
            return
        metadata = {
            "issuer": self.names_itself or self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
        }
        _answer(request, metadata)

    def exchange(self, request: BaseHTTPRequestHandler) -> None:
        length = int(request.headers["Content-Length"])
        sent = {name: values[0] for name, values in parse_qs(request.rfile.read(length).decode()).items()}
        granted = self.codes.pop(sent["code"], None)
        if granted is None or not _is_ours(request) or not _proves(sent, granted.asked):
            _answer(request, {"error": "invalid_grant"}, status=400)
            return
        token = {"id_token": granted.id_token} if self.sends_id_token else {}
        _answer(request, {"access_token": "opaque", "token_type": "Bearer", "expires_in": 60, **token})


def _is_ours(request: BaseHTTPRequestHandler) -> bool:
    given = base64.b64decode(request.headers.get("Authorization", "").removeprefix("Basic ")).decode()
    return unquote(given) == f"{CLIENT_ID}:{CLIENT_SECRET}"


def _proves(sent: dict[str, str], asked: dict[str, str]) -> bool:
    digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return (asked["code_challenge"], asked["code_challenge_method"]) == (challenge, "S256") and (
        sent["redirect_uri"] == asked["redirect_uri"]
    )


def _answer(request: BaseHTTPRequestHandler, body: dict[str, Any], status: int = 200) -> None:
    content = json.dumps(body).encode()
    request.send_response(status)
    request.send_header("Content-Type", "application/json")
    request.send_header("Content-Length", str(len(content)))
    request.end_headers()
    request.wfile.write(content)
