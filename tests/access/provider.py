"""An identity provider under test: its keys, and tokens that they sign."""

import base64
import json
import time
import warnings
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

ISSUER, AUDIENCE = "https://id.example", "kullback"
RSA_KEY = rsa.generate_private_key(65537, 2048)
SHORT_KEY = rsa.generate_private_key(65537, 1024)  # noqa: S505 - to be refused
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()
OTHER_KEY = ec.generate_private_key(ec.SECP256R1())
PEM = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
Claims = dict[str, Any]


def jwk(text: str, **fields: str) -> Claims:
    return {**json.loads(text), **fields}


KEYS = [
    jwk(RSAAlgorithm.to_jwk(RSA_KEY.public_key()), kid="rsa", use="sig"),
    jwk(ECAlgorithm.to_jwk(EC_KEY.public_key()), kid="ec", alg="ES256"),
    jwk(OKPAlgorithm.to_jwk(ED_KEY.public_key()), kid="ed"),
    jwk(RSAAlgorithm.to_jwk(SHORT_KEY.public_key()), kid="short"),
    jwk(ECAlgorithm.to_jwk(OTHER_KEY.public_key()), kid="encrypts", use="enc"),
    {"kty": "oct", "kid": "shared", "k": base64.urlsafe_b64encode(bytes(32)).decode()},
    {"kty": "RSA", "kid": "broken"},
]


def key_set(*keys: Claims) -> bytes:
    return json.dumps({"keys": keys or KEYS}).encode()


def claims(**changes: object) -> Claims:
    now = int(time.time())
    fields = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "ann",
        "iat": now,
        "exp": now + 600,
        "scope": "read score openid",
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not None}


def signed(
    key: Any = EC_KEY,  # noqa: ANN401 - of any kind
    algorithm: str = "ES256",
    kid: str | None = "ec",
    head: Claims | None = None,
    **changes: object,
) -> bytes:
    headers = {**({"kid": kid} if kid else {}), **(head or {})}
    with warnings.catch_warnings(action="ignore"):  # of a key that is too short
        return jwt.encode(claims(**changes), key, algorithm, headers).encode()
