"""Drives a stand-in for Azure Key Vault with Microsoft's own Python client, and checks each answer with `cryptography`.

The client and what is expected of the service come from Microsoft's documentation; nothing of the stand-in is used. Arguments: the vault's
URL, the path of its certificate authority, a token. Prints a line for each thing that was seen; exits with 1 at the first that is otherwise.
"""

import hashlib
import sys
import time

from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.keyvault.keys import KeyClient
from azure.keyvault.keys.crypto import (
    CryptographyClient,
    EncryptionAlgorithm,
    KeyWrapAlgorithm,
    SignatureAlgorithm,
)
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

VAULT, CA, TOKEN = sys.argv[1:4]
SEEN = 0


class Credential:
    """A token that somebody else has obtained."""

    def get_token(self, *_scopes, **_options):
        return AccessToken(TOKEN, int(time.time()) + 3600)


OPTIONS = {"verify_challenge_resource": False, "connection_verify": CA, "retry_total": 0}
keys = KeyClient(VAULT, Credential(), **OPTIONS)


def remote(key) -> CryptographyClient:
    """A client that has the key's identifier alone, so that what needs the private half is asked of the service."""
    return CryptographyClient(key.id, Credential(), **OPTIONS)


def seen(what: str, holds: bool = True) -> None:
    global SEEN
    if not holds:
        sys.exit(f"not so: {what}")
    SEEN += 1
    print("seen:", what)


def refused(what: str, kind: type, status: int, call) -> None:
    try:
        call()
    except kind as error:
        seen(f"{what} ({status})", error.status_code == status)
        return
    sys.exit(f"not refused: {what}")


def number(value: bytes) -> int:
    return int.from_bytes(value, "big")


def rsa_public(key):
    return rsa.RSAPublicNumbers(number(key.key.e), number(key.key.n)).public_key()


CURVES = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1(), "P-256K": ec.SECP256K1()}


def ec_public(key):
    return ec.EllipticCurvePublicNumbers(number(key.key.x), number(key.key.y), CURVES[key.key.crv]).public_key()


MESSAGE = b"what is signed and sealed"
HASHES = {"256": (hashlib.sha256, hashes.SHA256()), "384": (hashlib.sha384, hashes.SHA384()), "512": (hashlib.sha512, hashes.SHA512())}

for size in (2048, 3072):
    key = keys.create_rsa_key(f"rsa-{size}", size=size)
    public = rsa_public(key)
    seen(f"RSA-{size} has a modulus of its size", public.key_size == size)
    for algorithm in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"):
        make, name = HASHES[algorithm[2:]]
        digest = make(MESSAGE).digest()
        signature = remote(key).sign(SignatureAlgorithm(algorithm), digest).signature
        pad = padding.PKCS1v15() if algorithm.startswith("RS") else padding.PSS(padding.MGF1(name), name.digest_size)
        public.verify(signature, digest, pad, utils.Prehashed(name))
        seen(f"RSA-{size} {algorithm} verifies outside")
        try:
            public.verify(signature, make(b"another").digest(), pad, utils.Prehashed(name))
            sys.exit("another message verifies")
        except InvalidSignature:
            pass
    for algorithm, name in ((EncryptionAlgorithm.rsa_oaep, hashes.SHA1()), (EncryptionAlgorithm.rsa_oaep_256, hashes.SHA256())):
        outside = public.encrypt(MESSAGE, padding.OAEP(padding.MGF1(name), name, None))
        opened = remote(key).decrypt(algorithm, outside).plaintext
        seen(f"RSA-{size} {algorithm.value} opens what was encrypted outside", opened == MESSAGE)
    wrapped = public.encrypt(b"k" * 32, padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None))
    seen(f"RSA-{size} unwraps", remote(key).unwrap_key(KeyWrapAlgorithm.rsa_oaep_256, wrapped).key == b"k" * 32)

for curve, algorithm in (("P-256", "ES256"), ("P-384", "ES384"), ("P-521", "ES512"), ("P-256K", "ES256K")):
    key = keys.create_ec_key(f"ec-{curve.lower()}", curve=curve)
    make, name = HASHES["256" if algorithm == "ES256K" else algorithm[2:]]
    digest = make(MESSAGE).digest()
    raw = remote(key).sign(SignatureAlgorithm(algorithm), digest).signature
    half = len(raw) // 2
    der = utils.encode_dss_signature(number(raw[:half]), number(raw[half:]))
    ec_public(key).verify(der, digest, ec.ECDSA(utils.Prehashed(name)))
    seen(f"{curve} {algorithm} verifies outside")

key = keys.create_rsa_key("states", size=2048)
older = key.properties.version
newer = keys.create_rsa_key("states", size=2048).properties.version
versions = {one.version for one in keys.list_properties_of_key_versions("states")}
seen("a key that is made again has a second version", versions == {older, newer} and older != newer)
seen("the name alone is the newest", keys.get_key("states").properties.version == newer)
keys.update_key_properties("states", newer, enabled=False)
refused("a disabled key signs nothing", HttpResponseError, 403, lambda: remote(keys.get_key("states", newer)).sign(SignatureAlgorithm.rs256, b"0" * 32))
keys.update_key_properties("states", newer, enabled=True, tags={"owner": "claviger"})
seen("tags and enabling are kept", keys.get_key("states").properties.tags == {"owner": "claviger"})

keys.begin_delete_key("states").result()
refused("a deleted key is not there", ResourceNotFoundError, 404, lambda: keys.get_key("states"))
seen("it is among the deleted", "states" in {one.name for one in keys.list_deleted_keys()})
keys.begin_recover_deleted_key("states").result()
seen("it is recovered, with both versions", len(list(keys.list_properties_of_key_versions("states"))) == 2)
keys.begin_delete_key("states").result()
keys.purge_deleted_key("states")
time.sleep(0.2)
refused("a purged key is gone", ResourceNotFoundError, 404, lambda: keys.get_deleted_key("states"))

refused("a key that never was", ResourceNotFoundError, 404, lambda: keys.get_key("never-was"))
names = {one.name for one in keys.list_properties_of_keys()}
seen("the list has every key", {"rsa-2048", "rsa-3072", "ec-p-256"} <= names)
print(f"{SEEN} things seen")
