"""Drives a stand-in for Google Cloud KMS with Google's own Python client, and checks each answer with `cryptography`.

The client and what is expected of the service come from Google's documentation and protos; nothing of the stand-in is used. Arguments: host and
port, the path of its certificate authority, a token. Prints a line for each thing that was seen; exits with 1 at the first that is otherwise.
"""

import hashlib
import hmac
import sys

import grpc
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, utils
from google.api_core import exceptions
from google.cloud import kms_v1
from google.cloud.kms_v1.services.key_management_service.transports import KeyManagementServiceGrpcTransport

ADDRESS, CA, TOKEN = sys.argv[1:4]
SEEN = 0
Algorithm = kms_v1.CryptoKeyVersion.CryptoKeyVersionAlgorithm
Purpose = kms_v1.CryptoKey.CryptoKeyPurpose
State = kms_v1.CryptoKeyVersion.CryptoKeyVersionState

with open(CA, "rb") as file:
    channel = grpc.secure_channel(
        ADDRESS,
        grpc.composite_channel_credentials(grpc.ssl_channel_credentials(file.read()), grpc.access_token_call_credentials(TOKEN)),
        options=[("grpc.ssl_target_name_override", "localhost")],
    )
kms = kms_v1.KeyManagementServiceClient(transport=KeyManagementServiceGrpcTransport(channel=channel))
ONCE = {"retry": None, "timeout": 10.0}
LOCATION = "projects/example/locations/europe-west1"
ring = kms.create_key_ring(parent=LOCATION, key_ring_id="python", key_ring={}, **ONCE).name
MESSAGE = b"what is signed and sealed"


def seen(what: str, holds: bool = True) -> None:
    global SEEN
    if not holds:
        sys.exit(f"not so: {what}")
    SEEN += 1
    print("seen:", what)


def refused(what: str, kind: type, call) -> None:
    try:
        call()
    except kind:
        seen(f"{what} ({kind.__name__})")
        return
    sys.exit(f"not refused: {what}")


def crc(data: bytes) -> int:
    """CRC32C (RFC 3720, appendix B.4), bit by bit."""
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


def make(purpose, algorithm):
    name = algorithm.name.lower().replace("_", "-")
    template = {"algorithm": algorithm, "protection_level": kms_v1.ProtectionLevel.SOFTWARE}
    key = kms.create_crypto_key(parent=ring, crypto_key_id=name, crypto_key={"purpose": purpose, "version_template": template}, **ONCE)
    return key.name, f"{key.name}/cryptoKeyVersions/1"


def public_key(version: str):
    answer = kms.get_public_key(name=version, **ONCE)
    seen("the public key has its checksum", crc(answer.pem.encode()) == answer.pem_crc32c)
    return serialization.load_pem_public_key(answer.pem.encode())


key, version = make(Purpose.ENCRYPT_DECRYPT, Algorithm.GOOGLE_SYMMETRIC_ENCRYPTION)
aad = b"a context"
sealed = kms.encrypt(
    request={
        "name": key,
        "plaintext": MESSAGE,
        "plaintext_crc32c": crc(MESSAGE),
        "additional_authenticated_data": aad,
        "additional_authenticated_data_crc32c": crc(aad),
    },
    **ONCE,
)
seen("encrypt says that it has checked both checksums", sealed.verified_plaintext_crc32c and sealed.verified_additional_authenticated_data_crc32c)
seen("the ciphertext has its checksum", crc(sealed.ciphertext) == sealed.ciphertext_crc32c)
opened = kms.decrypt(request={"name": key, "ciphertext": sealed.ciphertext, "additional_authenticated_data": aad}, **ONCE)
seen("it opens, with its checksum", opened.plaintext == MESSAGE and crc(opened.plaintext) == opened.plaintext_crc32c)
refused(
    "another context does not open",
    exceptions.InvalidArgument,
    lambda: kms.decrypt(request={"name": key, "ciphertext": sealed.ciphertext, "additional_authenticated_data": b"x"}, **ONCE),
)
refused(
    "a checksum that does not fit",
    exceptions.InvalidArgument,
    lambda: kms.encrypt(request={"name": key, "plaintext": MESSAGE, "plaintext_crc32c": 1}, **ONCE),
)

for algorithm, digest, made in (
    (Algorithm.EC_SIGN_P256_SHA256, "sha256", hashes.SHA256()),
    (Algorithm.EC_SIGN_P384_SHA384, "sha384", hashes.SHA384()),
):
    _, version = make(Purpose.ASYMMETRIC_SIGN, algorithm)
    value = hashlib.new(digest, MESSAGE).digest()
    answer = kms.asymmetric_sign(request={"name": version, "digest": {digest: value}, "digest_crc32c": crc(value)}, **ONCE)
    seen("the digest's checksum was checked", answer.verified_digest_crc32c and crc(answer.signature) == answer.signature_crc32c)
    public_key(version).verify(answer.signature, value, ec.ECDSA(utils.Prehashed(made)))
    seen(f"{algorithm.name} verifies outside")

for algorithm, pad in (
    (Algorithm.RSA_SIGN_PSS_2048_SHA256, padding.PSS(padding.MGF1(hashes.SHA256()), 32)),
    (Algorithm.RSA_SIGN_PKCS1_2048_SHA256, padding.PKCS1v15()),
):
    _, version = make(Purpose.ASYMMETRIC_SIGN, algorithm)
    value = hashlib.sha256(MESSAGE).digest()
    signature = kms.asymmetric_sign(name=version, digest={"sha256": value}, **ONCE).signature
    public_key(version).verify(signature, value, pad, utils.Prehashed(hashes.SHA256()))
    seen(f"{algorithm.name} verifies outside")

_, version = make(Purpose.ASYMMETRIC_SIGN, Algorithm.EC_SIGN_ED25519)
answer = kms.asymmetric_sign(request={"name": version, "data": MESSAGE, "data_crc32c": crc(MESSAGE)}, **ONCE)
public = public_key(version)
seen("Ed25519 has a public key of its kind", isinstance(public, ed25519.Ed25519PublicKey))
public.verify(answer.signature, MESSAGE)
seen("Ed25519 verifies outside", answer.verified_data_crc32c)

_, version = make(Purpose.ASYMMETRIC_DECRYPT, Algorithm.RSA_DECRYPT_OAEP_2048_SHA256)
outside = public_key(version).encrypt(MESSAGE, padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None))
answer = kms.asymmetric_decrypt(request={"name": version, "ciphertext": outside, "ciphertext_crc32c": crc(outside)}, **ONCE)
seen("RSA-OAEP opens what was encrypted outside", answer.plaintext == MESSAGE and answer.verified_ciphertext_crc32c)

_, version = make(Purpose.MAC, Algorithm.HMAC_SHA256)
answer = kms.mac_sign(request={"name": version, "data": MESSAGE, "data_crc32c": crc(MESSAGE)}, **ONCE)
seen("a MAC has 32 bytes and its checksum", len(answer.mac) == 32 and crc(answer.mac) == answer.mac_crc32c)
again = kms.mac_verify(request={"name": version, "data": MESSAGE, "mac": answer.mac}, **ONCE)
other = kms.mac_verify(request={"name": version, "data": MESSAGE, "mac": bytes(32)}, **ONCE)
seen("it is verified, and no other", again.success and not other.success)
seen("hmac of nothing is none of ours", not hmac.compare_digest(answer.mac, bytes(32)))

second = kms.create_crypto_key_version(parent=key, crypto_key_version={}, **ONCE).name
kms.update_crypto_key_primary_version(name=key, crypto_key_version_id="2", **ONCE)
newer = kms.encrypt(name=key, plaintext=MESSAGE, **ONCE)
seen("the second version is primary", newer.name == second)
first = f"{key}/cryptoKeyVersions/1"
seen("what the first one made still opens", kms.decrypt(request={"name": key, "ciphertext": sealed.ciphertext, "additional_authenticated_data": aad}, **ONCE).plaintext == MESSAGE)
kms.update_crypto_key_version(crypto_key_version={"name": first, "state": State.DISABLED}, update_mask="state", **ONCE)
refused(
    "a disabled version opens nothing",
    exceptions.FailedPrecondition,
    lambda: kms.decrypt(request={"name": key, "ciphertext": sealed.ciphertext, "additional_authenticated_data": aad}, **ONCE),
)
destroyed = kms.destroy_crypto_key_version(name=first, **ONCE)
seen("a destruction is scheduled, with its time", destroyed.state == State.DESTROY_SCHEDULED and destroyed.destroy_time is not None)
restored = kms.restore_crypto_key_version(name=first, **ONCE)
seen("a restored version is disabled", restored.state == State.DISABLED)
refused("a key that never was", exceptions.NotFound, lambda: kms.get_crypto_key(name=f"{ring}/cryptoKeys/never-was", **ONCE))
refused(
    "a key that is there already",
    exceptions.AlreadyExists,
    lambda: kms.create_crypto_key(parent=ring, crypto_key_id="hmac-sha256", crypto_key={"purpose": Purpose.MAC, "version_template": {"algorithm": Algorithm.HMAC_SHA256}}, **ONCE),
)
names = {one.name.rsplit("/", 1)[-1] for one in kms.list_crypto_keys(parent=ring, **ONCE)}
seen("the list has every key", {"hmac-sha256", "ec-sign-ed25519", "google-symmetric-encryption"} <= names)
print(f"{SEEN} things seen")
