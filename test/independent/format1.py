#!/usr/bin/env python3
"""A second implementation of Claviger's format 1, written from docs/format.md.

It shares no code with the gateway. It needs Python 3.9 or newer and the package `cryptography`.

    format1.py [VECTORS]                                      checks every vector of test/vectors/format-1.json
    format1.py open --journal FILE --branch-key HEX TEXT      opens a ciphertext with the journal and a branch key
               [--context KEY=VALUE]...                       (the plaintext goes to standard output)
"""

import argparse
import base64
import hashlib
import hmac
import json
import sys
import uuid
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

FRAME_PLAINTEXT = 65_536
TAG = 16
FRAME = FRAME_PLAINTEXT + TAG
HEADER = 25
PREAMBLE = HEADER + 32 + 32
NO_SHARING = "00000000-0000-0000-0000-000000000000"
SUITES = {0x01, 0x02, 0x80, 0x81}


class Refused(Exception):
    """The bytes are not what they should be."""


def require(condition, why):
    if not condition:
        raise Refused(why)


# Section 1: notation


def u16(value):
    return value.to_bytes(2, "big")


def u32(value):
    return value.to_bytes(4, "big")


def uuid_bytes(text):
    parsed = uuid.UUID(text)
    require(str(parsed) == text, "not the text form of a UUID")
    return parsed.bytes


def label(text, *parts):
    return text.encode("ascii") + b"\x00" + b"".join(parts)


def hkdf(key, salt, info, length):
    require(len(key) == 32 and any(key), "not a key")
    return HKDF(algorithm=hashes.SHA512(), length=length, salt=salt or None, info=info).derive(key)


def from_base64(text):
    data = base64.b64decode(text, validate=True)
    require(base64.b64encode(data).decode() == text, "not canonical base64")
    return data


# Section 2: context


def encode_context(context):
    kind = context["kind"]
    if kind == "none":
        return b"\x00"
    if kind == "bytes":
        data = bytes.fromhex(context["bytes"])
        encoded = b"\x02" + u32(len(data)) + data
    else:
        pairs = sorted((key.encode("utf-8"), value.encode("utf-8")) for key, value in context["pairs"])
        require(len({key for key, _ in pairs}) == len(pairs), "a key twice")
        require(len(pairs) <= 32, "more than 32 pairs")
        if not pairs:
            return b"\x00"
        encoded = b"\x01" + u16(len(pairs))
        for key, value in pairs:
            encoded += u16(len(key)) + key + u16(len(value)) + value
    require(len(encoded) <= 8192, "more than 8,192 bytes")
    return encoded


def context_digest(context):
    return hashlib.sha256(encode_context(context)).digest()


# Section 3: ciphertexts


def encode_text(data):
    return "clv1." + base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode_text(text):
    require(text.startswith("clv1."), "another prefix")
    body = text[len("clv1.") :]
    try:
        data = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    except ValueError as error:
        raise Refused("not base64url") from error
    require(encode_text(data) == text, "not the one text of its bytes")
    return data


def make_header(suite, key_id, version):
    return b"CLV\x01" + bytes([suite]) + uuid_bytes(key_id) + u32(version)


def parse_header(data):
    require(len(data) >= HEADER, "too short for a header")
    require(data[:4] == b"CLV\x01", "another magic or format")
    require(data[4] in SUITES, "an unknown suite")
    version = int.from_bytes(data[21:25], "big")
    require(version >= 1, "version 0")
    return data[4], str(uuid.UUID(bytes=data[5:21])), version


def message_keys(version_key, header, message_id, digest):
    okm = hkdf(version_key, message_id, label("claviger/1 message", header, digest), 64)
    return okm[:32], okm[32:]


def frame_iv(index, last):
    return index.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def seal(suite, version_key, key_id, version, message_id, digest, plaintext):
    header = make_header(suite, key_id, version)
    frame_key, commitment = message_keys(version_key, header, message_id, digest)
    pieces = [plaintext[at : at + FRAME_PLAINTEXT] for at in range(0, len(plaintext), FRAME_PLAINTEXT)] or [b""]
    require(suite == 2 or len(pieces) == 1, "too long for a message")
    sealed = [
        AESGCM(frame_key).encrypt(frame_iv(index, index == len(pieces) - 1), piece, None)
        for index, piece in enumerate(pieces)
    ]
    return header + message_id + commitment + b"".join(sealed)


def split_frames(suite, body):
    frames = [body[at : at + FRAME] for at in range(0, len(body), FRAME)]
    require(frames, "no frame")
    require(len(frames) <= 2**24, "too many frames")
    require(len(frames) == 1 or suite == 2, "a message with two frames")
    shortest = TAG if len(frames) == 1 else TAG + 1
    require(len(frames[-1]) >= shortest, "a last frame without plaintext")
    return frames


def open_ciphertext(version_key, digest, data):
    suite, _, _ = parse_header(data)
    require(suite in (1, 2), "not a suite of portable keys")
    require(len(data) >= PREAMBLE + TAG, "too short")
    frame_key, commitment = message_keys(version_key, data[:HEADER], data[HEADER : HEADER + 32], digest)
    require(hmac.compare_digest(commitment, data[HEADER + 32 : PREAMBLE]), "another commitment")
    frames = split_frames(suite, data[PREAMBLE:])
    try:
        return b"".join(
            AESGCM(frame_key).decrypt(frame_iv(index, index == len(frames) - 1), frame, None)
            for index, frame in enumerate(frames)
        )
    except InvalidTag as error:
        raise Refused("another tag") from error


# Section 4: new keys


def new_key(kernel, own, contributions):
    return hmac.new(kernel, own + b"".join(contributions), hashlib.sha512).digest()[:32]


# Section 5: seal of a version key


def seal_key(branch_key, place):
    info = label(
        "claviger/1 seal",
        uuid_bytes(place["namespace"]),
        uuid_bytes(place["key"]),
        u32(place["version"]),
        uuid_bytes(place["branch"]),
        u32(place["branchVersion"]),
    )
    return hkdf(branch_key, b"", info, 32)


def open_seal(branch_key, place, sealed):
    require(len(sealed) == 40, "a seal of another length")
    try:
        return keywrap.aes_key_unwrap(seal_key(branch_key, place), sealed)
    except keywrap.InvalidUnwrap as error:
        raise Refused("the seal does not open") from error


# Section 6: wrap of a branch key


def wrap_context(place, recipient):
    return label(
        "claviger/1 wrap",
        uuid_bytes(place["namespace"]),
        uuid_bytes(place["branch"]),
        u32(place["branchVersion"]),
        recipient,
        uuid_bytes(NO_SHARING),
    )


def wrap_digest(place):
    return hashlib.sha256(wrap_context(place, uuid_bytes(place["recipient"]))).digest()


def make_payload(branch_key, place):
    return b"CLBK" + bytes([1, 0, 0, 0]) + branch_key + wrap_digest(place)


def branch_commitment(branch_key, place):
    return hkdf(branch_key, b"", label("claviger/1 commitment", wrap_context(place, bytes(16))), 32)


def open_payload(payload, place, commitment):
    require(len(payload) == 72, "a payload of another length")
    require(payload[:8] == b"CLBK" + bytes([1, 0, 0, 0]), "not the payload of a whole branch key")
    require(hmac.compare_digest(payload[40:], wrap_digest(place)), "another wrap context")
    branch_key = payload[8:40]
    require(hmac.compare_digest(branch_commitment(branch_key, place), commitment), "another commitment")
    return branch_key


# Section 7: root key


def row_key(root_key):
    return hkdf(root_key, b"", b"claviger/1 row seal", 32)


def root_pin(root_key, key_id, version):
    return hkdf(root_key, b"", label("claviger/1 root commitment", uuid_bytes(key_id), u32(version)), 32)


def secret_key(root_key, secret_id):
    return hkdf(root_key, b"", label("claviger/1 secret", secret_id.encode("utf-8")), 32)


# Section 8: software HSM


def local_wrap_key(key, object_id, additional_data):
    digest = hashlib.sha256(additional_data).digest()
    return hkdf(key, b"", label("claviger/1 local-hsm wrap", uuid_bytes(object_id), digest), 32)


def open_opaque(key, digest, ciphertext):
    message_id, commitment, frame = ciphertext[:32], ciphertext[32:64], ciphertext[64:]
    okm = hkdf(key, message_id, label("claviger/1 local-hsm", digest), 64)
    require(hmac.compare_digest(okm[32:], commitment), "another commitment")
    return AESGCM(okm[:32]).decrypt(frame_iv(0, True), frame, None)


# Section 9: journal


def canonical_json(value):
    """RFC 8785 for what a line holds: no numbers but integers."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(canonical_json(name) + ":" + canonical_json(value[name]) for name in names) + "}"
    if isinstance(value, list):
        return "[" + ",".join(canonical_json(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def no_fraction(text):
    raise Refused(f"a number that is no integer: {text}")


def read_line(line, key=None):
    try:
        members = json.loads(line, parse_float=no_fraction, parse_constant=no_fraction)
    except ValueError as error:
        raise Refused("not JSON") from error
    require(isinstance(members, dict) and canonical_json(members) == line, "not canonical JSON")
    require(members.get("type") in ("branch", "wrap", "version", "tombstone"), "an unknown type")
    if key is not None:
        rest = canonical_json({name: value for name, value in members.items() if name != "hmac"})
        fits = hmac.new(key, rest.encode("utf-8"), hashlib.sha256).digest()
        require(hmac.compare_digest(fits, from_base64(members["hmac"])), "another HMAC")
    return members


def read_journal(text):
    *lines, rest = text.split("\n")
    read = []
    for number, line in enumerate(lines, 1):
        try:
            read.append(read_line(line))
        except Refused as error:
            raise Refused(f"line {number} of the journal: {error}") from error
    if rest:
        try:
            json.loads(rest)
        except ValueError:
            return read  # never finished, never relied upon
        read.append(read_line(rest))
    return read


def open_with_journal(lines, branch_key, digest, text):
    data = decode_text(text)
    _, key_id, version = parse_header(data)
    commitments = {
        (line["branch"], line["branchVersion"]): from_base64(line["commitment"])
        for line in lines
        if line["type"] in ("branch", "wrap")
    }
    stones = {(line["key"], line["version"]) for line in lines if line["type"] == "tombstone"}
    require((key_id, version) not in stones, "the key version is destroyed")
    for line in lines:
        if line["type"] != "version" or (line["key"], line["version"]) != (key_id, version):
            continue
        expected = commitments.get((line["branch"], line["branchVersion"]))
        if expected is not None and hmac.compare_digest(branch_commitment(branch_key, line), expected):
            return open_ciphertext(open_seal(branch_key, line, from_base64(line["seal"])), digest, data)
    raise Refused("the journal has no seal of this key version under this branch key")


# Section 10: vectors


class Checker:
    def __init__(self, vectors):
        self.vectors = vectors
        self.contexts = {vector["name"]: vector["context"] for vector in vectors["contexts"]}
        self.checked = 0
        self.failures = []

    def run(self):
        sections = {name: getattr(self, f"check_{name}", None) for name in self.vectors if name != "format"}
        unknown = [name for name, check in sections.items() if check is None]
        if self.vectors["format"] != 1 or unknown:
            self.failures.append(f"unknown vectors: {', '.join(unknown) or 'another format'}")
            return
        for name, check in sections.items():
            group = self.vectors[name]
            for number, vector in enumerate(group if isinstance(group, list) else [group], 1):
                self.check_one(f"{name} {number}", check, vector)

    def check_one(self, name, check, vector):
        try:
            check(vector)
        except Exception as error:  # whatever goes wrong is a mismatch, and the next vector is still checked
            self.failures.append(f"{name} ({vector.get('name', '')}): {type(error).__name__}: {error}")

    def same(self, found, expected, what):
        require(found == expected, f"{what} differs")

    def digest(self, vector):
        return context_digest(self.contexts[vector["context"]])

    def refused(self, run):
        try:
            run()
        except Refused:
            self.checked += 1
            return
        raise AssertionError("it was not refused")

    def check_contexts(self, vector):
        self.same(encode_context(vector["context"]).hex(), vector["encoded"], "encoded")
        self.same(context_digest(vector["context"]).hex(), vector["sha256"], "sha256")
        self.checked += 1

    def check_messageIds(self, vector):
        head = bytes.fromhex(vector["processSecret"]) + bytes.fromhex(vector["random"]) + self.digest(vector)
        if vector["suite"] == 1:
            rest = bytes.fromhex(vector["plaintext"])
        else:
            rest = bytes.fromhex(vector["kernel"]) + vector["monotonicNanoseconds"].to_bytes(8, "big")
        found = hashlib.sha256(label("claviger/1 message id", head, rest)).hexdigest()
        self.same(found, vector["id"], "id")
        self.checked += 1

    def check_messages(self, vector):
        version_key, plaintext = bytes.fromhex(vector["versionKey"]), bytes.fromhex(vector["plaintext"])
        message_id, digest = bytes.fromhex(vector["messageId"]), self.digest(vector)
        sealed = seal(1, version_key, vector["key"], vector["keyVersion"], message_id, digest, plaintext)
        self.same(encode_text(sealed), vector["text"], "text")
        data = decode_text(vector["text"])
        self.same(parse_header(data), (1, vector["key"], vector["keyVersion"]), "header")
        self.same(open_ciphertext(version_key, digest, data), plaintext, "plaintext")
        self.checked += 1

    def check_streams(self, vector):
        version_key, message_id = bytes.fromhex(vector["versionKey"]), bytes.fromhex(vector["messageId"])
        plaintext = bytes(i % 251 for i in range(vector["plaintextBytes"]))
        digest = self.digest(vector)
        sealed = seal(2, version_key, vector["key"], vector["keyVersion"], message_id, digest, plaintext)
        self.same(len(sealed), vector["bytes"], "bytes")
        self.same(sealed[:PREAMBLE].hex(), vector["preamble"], "preamble")
        tags = [frame[-TAG:].hex() for frame in split_frames(2, sealed[PREAMBLE:])]
        self.same(tags, vector["tags"], "tags")
        self.same(hashlib.sha256(sealed).hexdigest(), vector["sha256"], "sha256")
        self.same(open_ciphertext(version_key, digest, sealed), plaintext, "plaintext")
        self.checked += 1

    def check_refused(self, vector):
        version_key, digest = bytes.fromhex(vector["versionKey"]), self.digest(vector)
        self.refused(lambda: open_ciphertext(version_key, digest, decode_text(vector["text"])))

    def check_macs(self, vector):
        bits = vector["algorithm"].rsplit("-", 1)[1]
        number = {"224": 1, "256": 2, "384": 3, "512": 4}[bits]
        info = label("claviger/1 mac", uuid_bytes(vector["key"]), u32(vector["keyVersion"]), u16(number))
        key = hkdf(bytes.fromhex(vector["versionKey"]), b"", info, int(bits) // 8)
        found = hmac.new(key, bytes.fromhex(vector["message"]), "sha" + bits).hexdigest()
        self.same(found, vector["mac"], "mac")
        self.checked += 1

    def check_wrapped(self, vector):
        info = label("claviger/1 wrap", uuid_bytes(vector["key"]), u32(vector["keyVersion"]))
        kek = hkdf(bytes.fromhex(vector["versionKey"]), b"", info, 32)
        material, data = bytes.fromhex(vector["material"]), decode_text(vector["text"])
        self.same(parse_header(data), (0x81, vector["key"], vector["keyVersion"]), "header")
        self.same(keywrap.aes_key_wrap_with_padding(kek, material).hex(), data[HEADER:].hex(), "wrapped")
        self.same(keywrap.aes_key_unwrap_with_padding(kek, data[HEADER:]), material, "material")
        self.checked += 1

    def check_newKeys(self, vector):
        contributions = [bytes.fromhex(part) for part in vector["contributions"]]
        found = new_key(bytes.fromhex(vector["kernel"]), bytes.fromhex(vector["own"]), contributions)
        self.same(found.hex(), vector["key"], "key")
        self.checked += 1

    def check_versionSeals(self, vector):
        branch_key, version_key = bytes.fromhex(vector["branchKey"]), bytes.fromhex(vector["versionKey"])
        made = keywrap.aes_key_wrap(seal_key(branch_key, vector), version_key)
        self.same(made.hex(), vector["seal"], "seal")
        self.same(open_seal(branch_key, vector, bytes.fromhex(vector["seal"])), version_key, "version key")
        self.checked += 1

    def check_refusedSeals(self, vector):
        branch_key, sealed = bytes.fromhex(vector["branchKey"]), bytes.fromhex(vector["seal"])
        self.refused(lambda: open_seal(branch_key, vector, sealed))

    def check_wraps(self, vector):
        branch_key = bytes.fromhex(vector["branchKey"])
        context = wrap_context(vector, uuid_bytes(vector["recipient"]))
        self.same(context.hex(), vector["wrapContext"], "wrap context")
        self.same(make_payload(branch_key, vector).hex(), vector["payload"], "payload")
        self.same(branch_commitment(branch_key, vector).hex(), vector["commitment"], "commitment")
        opened = open_payload(bytes.fromhex(vector["payload"]), vector, bytes.fromhex(vector["commitment"]))
        self.same(opened, branch_key, "branch key")
        self.checked += 1

    def check_refusedPayloads(self, vector):
        payload, commitment = bytes.fromhex(vector["payload"]), bytes.fromhex(vector["commitment"])
        self.refused(lambda: open_payload(payload, vector, commitment))

    def check_rootKeys(self, vector):
        root_key = bytes.fromhex(vector["rootKey"])
        self.same(row_key(root_key).hex(), vector["rowKey"], "K_row")
        self.same(root_pin(root_key, vector["key"], vector["version"]).hex(), vector["commitment"], "pin")
        self.checked += 1

    def check_secrets(self, vector):
        kek = secret_key(bytes.fromhex(vector["rootKey"]), vector["id"])
        secret = bytes.fromhex(vector["secret"])
        self.same(keywrap.aes_key_wrap_with_padding(kek, secret).hex(), vector["sealed"], "sealed")
        opened = keywrap.aes_key_unwrap_with_padding(kek, bytes.fromhex(vector["sealed"]))
        self.same(opened, secret, "secret")
        self.checked += 1

    def check_refusedLines(self, vector):
        self.refused(lambda: read_line(vector["line"], bytes.fromhex(vector["rowKey"])))

    def check_journal(self, vector):
        for line in vector["lines"]:
            read_line(line, bytes.fromhex(vector["rowKey"]))
            self.checked += 1
        lines = read_journal("".join(line + "\n" for line in vector["lines"]))
        third = self.vectors["messages"][2]
        branch_key = bytes.fromhex(vector["branchKey"])
        opened = open_with_journal(lines, branch_key, self.digest(third), third["text"])
        self.same(opened.hex(), third["plaintext"], "plaintext")
        self.check_journal_wrap(lines, branch_key)
        self.checked += 1

    def check_journal_wrap(self, lines, branch_key):
        """The whole way: the wrap of the journal, under the software HSM's key."""
        (wrap,) = [line for line in lines if line["type"] == "wrap"]
        key = bytes.fromhex(self.vectors["localHsm"]["wraps"][0]["key"])
        kek = local_wrap_key(key, wrap["nativeRef"], wrap_digest(wrap))
        payload = keywrap.aes_key_unwrap_with_padding(kek, from_base64(wrap["wrap"]))
        self.same(open_payload(payload, wrap, from_base64(wrap["commitment"])), branch_key, "branch key")

    def check_localHsm(self, vector):
        require(set(vector) == {"wraps", "opaque", "native"}, "unknown vectors")
        for wrap in vector["wraps"]:
            kek = local_wrap_key(
                bytes.fromhex(wrap["key"]), wrap["object"], bytes.fromhex(wrap["additionalData"])
            )
            payload = bytes.fromhex(wrap["payload"])
            self.same(keywrap.aes_key_wrap_with_padding(kek, payload).hex(), wrap["wrap"], "wrap")
            self.same(keywrap.aes_key_unwrap_with_padding(kek, bytes.fromhex(wrap["wrap"])), payload, "payload")
            self.checked += 1
        for opaque in vector["opaque"]:
            ciphertext = bytes.fromhex(opaque["ciphertext"])
            opened = open_opaque(bytes.fromhex(opaque["key"]), self.digest(opaque), ciphertext)
            self.same(opened.hex(), opaque["plaintext"], "plaintext")
            self.checked += 1
        for native in vector["native"]:
            frame = bytes.fromhex(native["frame"])
            self.same(parse_header(frame), (0x80, native["key"], native["keyVersion"]), "header")
            self.same(frame[HEADER : HEADER + 16], uuid_bytes(native["binding"]), "binding")
            self.same(frame[HEADER + 16 :].hex(), vector["opaque"][0]["ciphertext"], "ciphertext")
            self.checked += 1


def check_vectors(path):
    checker = Checker(json.loads(Path(path).read_text(encoding="utf-8")))
    checker.run()
    for failure in checker.failures:
        print(f"MISMATCH {failure}", file=sys.stderr)
    print(f"{checker.checked} vectors checked")
    return 1 if checker.failures else 0


def open_command(arguments):
    parser = argparse.ArgumentParser(prog="format1.py open")
    parser.add_argument("--journal", required=True)
    parser.add_argument("--branch-key", required=True, help="32 bytes in hex")
    parser.add_argument("--context", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("text")
    options = parser.parse_args(arguments)
    context = {"kind": "map", "pairs": [pair.split("=", 1) for pair in options.context]}
    try:
        # Line feeds alone end lines: Python's own reading of text files would take carriage returns for them too.
        lines = read_journal(Path(options.journal).read_bytes().decode("utf-8"))
        branch_key = bytes.fromhex(options.branch_key)
        plaintext = open_with_journal(lines, branch_key, context_digest(context), options.text)
    except Refused as error:
        print(f"refused: {error}", file=sys.stderr)
        return 1
    sys.stdout.buffer.write(plaintext)
    return 0


def main(arguments):
    if arguments[:1] == ["open"]:
        return open_command(arguments[1:])
    return check_vectors(arguments[0] if arguments else Path(__file__).parent.parent / "vectors" / "format-1.json")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
