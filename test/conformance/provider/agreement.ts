import { createPublicKey, diffieHellman, type KeyObject } from "node:crypto";
import { expect } from "vitest";
import type { AlgorithmName } from "#core/algorithms.ts";
import type { KeyAgreement, Provider } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import { type OutsidePair, outsidePair, pkcs8Of, spkiOf } from "./material.ts";
import { call, expectOwned, faultOf, type ProviderTest, type ProviderTests } from "./subject.ts";

export const agreementTests: ProviderTests = ({ capabilities }) =>
  capabilities.rows.flatMap(({ operation, algorithm, maxInputBytes }) =>
    operation === "agree" ? testsOf(algorithm, maxInputBytes) : [],
  );

/** Bytes of a secret: of the field, or of RFC 7748. */
const SECRET_BYTES: Partial<Readonly<Record<AlgorithmName, number>>> = {
  "ECDH-P256": 32,
  "ECDH-P384": 48,
  "ECDH-P521": 66,
  X25519: 32,
};

function testsOf(algorithm: AlgorithmName, maxInputBytes: number): ProviderTest[] {
  return [
    {
      name: `${algorithm}: agree gives what the other party gets, from each handle, in a buffer of the caller's own`,
      run: async ({ provider, second, sharedKey }) => {
        const ref = await sharedKey(algorithm);
        const publicKey = await publicKeyOf(provider, ref);
        for (const peer of [
          outsidePair(algorithm),
          outsidePair(algorithm),
          peerWithLeadingZero(algorithm, publicKey),
        ]) {
          for (const handle of [provider, second]) {
            const secret = await agree(handle, { ref, algorithm, peerPublicKey: spkiOf(peer) });
            expect(secret).toHaveLength(SECRET_BYTES[algorithm] ?? Number.NaN);
            expect(secret.equals(diffieHellman({ privateKey: peer.privateKey, publicKey }))).toBe(true);
            expectOwned(secret);
          }
        }
      },
    },
    {
      name: `${algorithm}: another key agrees on another secret`,
      run: async ({ provider, sharedKey }) => {
        const peerPublicKey = spkiOf(outsidePair(algorithm));
        const refs = [await sharedKey(algorithm), await sharedKey(algorithm, "second")];
        const secrets = await Promise.all(
          refs.map(async (ref) => (await agree(provider, { ref, algorithm, peerPublicKey })).toString("hex")),
        );
        expect(new Set(secrets).size).toBe(2);
      },
    },
    {
      name: `${algorithm}: a peer's key of another curve, off the curve, of low order, or in another form is INVALID`,
      run: async ({ provider, sharedKey }) => {
        const ref = await sharedKey(algorithm);
        for (const [what, peerPublicKey] of Object.entries(wrongPeers(algorithm, maxInputBytes))) {
          const { failure } = await faultOf(
            provider,
            async () => await agree(provider, { ref, algorithm, peerPublicKey }),
          );
          expect(failure, what).toBe("INVALID");
        }
      },
    },
  ];
}

/** A peer with whom the secret begins with a zero byte: one that is not padded is shorter. Quick on P-256 alone. */
function peerWithLeadingZero(algorithm: AlgorithmName, publicKey: KeyObject): OutsidePair {
  for (;;) {
    const peer = outsidePair(algorithm);
    if (algorithm !== "ECDH-P256" || diffieHellman({ privateKey: peer.privateKey, publicKey })[0] === 0) return peer;
  }
}

function wrongPeers(algorithm: AlgorithmName, maxInputBytes: number): Record<string, Buffer> {
  const own = outsidePair(algorithm);
  const spki = spkiOf(own);
  const others = (["ECDH-P256", "ECDH-P384", "ECDH-P521", "X25519", "EC-SECP256K1-SHA256", "ED25519"] as const).filter(
    (name) => name !== algorithm,
  );
  const header = spki.subarray(0, spki.length - (algorithm === "X25519" ? 32 : 2 * (SECRET_BYTES[algorithm] ?? 0)));
  const point = (...bytes: readonly number[]) =>
    Buffer.concat([header, Buffer.alloc(spki.length - header.length)]).fill(
      Buffer.from(bytes),
      header.length,
      header.length + bytes.length,
    );
  const isX25519 = algorithm === "X25519";
  return {
    ...Object.fromEntries(others.map((name) => [name, spkiOf(outsidePair(name))])),
    ...(isX25519 ? { "order 1": point(0), "order 4": point(1), "order 8": lowOrder(header) } : {}),
    ...(isX25519 ? {} : { "off the curve": changedLast(spki), zeros: point(0) }),
    "a private key": pkcs8Of(own),
    "a byte less": spki.subarray(0, -1),
    "a byte more": Buffer.concat([spki, Buffer.alloc(1)]),
    "the bare point": spki.subarray(header.length - (isX25519 ? 0 : 1)),
    pem: Buffer.from(own.publicKey.export({ format: "pem", type: "spki" })),
    nothing: Buffer.alloc(0),
    "longer than any": Buffer.alloc(maxInputBytes + 1, 0x30),
  };
}

/** A point of order 8 (RFC 7748 § 7, Curve25519: May the Fourth, "low order points"). */
function lowOrder(header: Buffer): Buffer {
  return Buffer.concat([
    header,
    Buffer.from("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800", "hex"),
  ]);
}

function changedLast(spki: Buffer): Buffer {
  const copy = Buffer.from(spki);
  copy.writeUInt8(copy.readUInt8(copy.length - 1) ^ 1, copy.length - 1);
  return copy;
}

async function publicKeyOf({ publicKeys }: Provider, ref: NativeRef): Promise<KeyObject> {
  const { value } = await (publicKeys ?? expect.fail("it shows no public keys")).publicKey(ref, call());
  return createPublicKey({ key: value, format: "der", type: "spki" });
}

async function agree(
  { agreement = expect.fail("the provider does not agree") }: Provider,
  input: Parameters<KeyAgreement["agree"]>[0],
): Promise<Buffer> {
  return (await agreement.agree(input, call())).value;
}
