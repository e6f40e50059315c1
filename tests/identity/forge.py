"""What a forger can make: compact tokens of any header, claims and signature."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding

from tests.identity.issuer import private_key

type Signer = Callable[[bytes], bytes]


def rsa_signer(kid: str, *, bits: int = 2048, digest: hashes.HashAlgorithm | None = None) -> Signer:
    """Sign with RSASSA-PKCS1-v1_5 and the key of this name; with SHA-256 this is RS256."""
    return lambda text: private_key(kid, bits).sign(text, padding.PKCS1v15(), digest or hashes.SHA256())


def pss_signer(kid: str) -> Signer:
    """Sign as PS256 with the key of this name."""
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
    return lambda text: private_key(kid).sign(text, scheme, hashes.SHA256())


def hmac_signer(kid: str) -> Signer:
    """Sign as HS256 with the published key of this name for a secret: everybody has it."""
    public = private_key(kid).public_key()
    secret = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return lambda text: hmac.digest(secret, text, hashlib.sha256)


def ec_signer() -> Signer:
    """Sign with an elliptic key of one's own."""
    return lambda text: ec.generate_private_key(ec.SECP256R1()).sign(text, ec.ECDSA(hashes.SHA256()))


def encoded(part: Any) -> str:
    """Encode a part of a token: bytes as they are, anything else as JSON."""
    octets = part if isinstance(part, bytes) else json.dumps(part).encode()
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def forged(header: Any, claims: Any, signer: Signer) -> str:
    """Put a token together and sign it."""
    text = f"{encoded(header)}.{encoded(claims)}"
    return f"{text}.{encoded(signer(text.encode()))}"
