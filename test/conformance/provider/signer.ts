import { constants, createPublicKey, hash, type KeyObject, randomBytes, verify } from "node:crypto";
import { expect } from "vitest";
import { type AlgorithmName, algorithmTraits } from "#core/algorithms.ts";
import type { CapabilityRow, Provider, Signable, Signer } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import { damaged, flipped } from "./attack.ts";
import { ecdsaMisforms, isStrictEcdsaDer } from "./ecdsa-der.ts";
import { call, expectUnsupported, faultOf, type ProviderTest, type ProviderTests } from "./subject.ts";

/** What a wrong key or algorithm may be called: the service, or the adapter before it, says it. */
const REFUSALS = ["INTERNAL", "INVALID", "STATE", "NOT_FOUND"];

export const signerTests: ProviderTests = ({ capabilities }) => {
  const rows = capabilities.rows.filter(({ operation }) => operation === "sign");
  const judged = new Set(
    capabilities.rows.filter(({ operation }) => operation === "verify").map(({ algorithm }) => algorithm),
  );
  return rows.flatMap((row) => {
    const judges = judged.has(row.algorithm); // some services sign and leave verifying to whoever has the public key
    return [
      messageTest(row, judges),
      ...(judges ? [judgementTest(row)] : []),
      ...digestTests(row, judges),
      ...refusalTests(row, rows),
    ];
  });
};

function messageTest({ algorithm, minInputBytes = 0, maxInputBytes }: CapabilityRow, judges: boolean): ProviderTest {
  return {
    name: `${algorithm}: a signature fits its message in node:crypto${judges ? ", and in the service from each handle" : ""}`,
    run: async (subject) => {
      const { provider, second } = subject;
      const ref = await subject.sharedKey(algorithm);
      const publicKey = await publicKeyOf(provider, ref);
      for (const size of new Set([minInputBytes, 1000, maxInputBytes])) {
        const signable = message(randomBytes(size));
        const signature = await sign(provider, { ref, algorithm, signable });
        expect(verifies({ algorithm, publicKey, message: signable.bytes, signature })).toBe(true);
        if (isEcdsa(algorithm)) expect(isStrictEcdsaDer(signature)).toBe(true);
        if (judges) expect(await fits(second, { ref, algorithm, signable, signature })).toBe(true);
      }
    },
  };
}

function judgementTest({ algorithm }: CapabilityRow): ProviderTest {
  return {
    name: `${algorithm}: a signature of another message, of another key, or with changed, missing or more bytes is false, not an error`,
    run: async (subject) => {
      const { provider, sizes } = subject;
      const ref = await subject.sharedKey(algorithm);
      const other = await subject.sharedKey(algorithm, "second");
      const signable = message(randomBytes(40));
      const signature = await sign(provider, { ref, algorithm, signable });
      const good = { ref, algorithm, signable, signature };
      expect(await fits(provider, { ...good, ref: other })).toBe(false);
      expect(await fits(provider, { ...good, signable: message(flipped(signable.bytes, 9)) })).toBe(false);
      const bounded = {
        ...sizes,
        flippedBits: Math.min(sizes.flippedBits, FLIPPED_BITS),
        cuts: Math.min(sizes.cuts, CUTS),
      };
      const misforms = isEcdsa(algorithm) ? ecdsaMisforms(signature, fieldBytes(algorithm)) : [];
      for (const bytes of [...damaged(signature, bounded), ...misforms]) {
        expect(await fits(provider, { ...good, signature: bytes })).toBe(false);
      }
      expect(await fits(provider, good)).toBe(true);
    },
  };
}

/** Of a signature, which may have thousands of bytes: how many are tried. */
const FLIPPED_BITS = 16;
const CUTS = 6;

function digestTests({ algorithm, digests }: CapabilityRow, judges: boolean): ProviderTest[] {
  const digestOf = (bytes: Uint8Array): Buffer => hash(algorithmTraits(algorithm).hash ?? "sha256", bytes, "buffer");
  if (digests !== true) {
    return [
      {
        name: `${algorithm}: a digest in place of the message is refused, before the call`,
        run: async ({ provider, harness }) => {
          const signable = digest(digestOf(randomBytes(9)));
          const input = { ref: harness.unknownRef, algorithm, signable };
          await expectUnsupported(provider, async () => await sign(provider, input));
          const signature = Buffer.alloc(64);
          await expectUnsupported(provider, async () => await fits(provider, { ...input, signature }));
        },
      },
    ];
  }
  return [
    {
      name: `${algorithm}: a message and its digest have the same signatures`,
      run: async (subject) => {
        const { provider } = subject;
        const ref = await subject.sharedKey(algorithm);
        const bytes = randomBytes(33);
        const ways = [message(bytes), digest(digestOf(bytes))];
        const publicKey = await publicKeyOf(provider, ref);
        for (const signable of ways) {
          const signature = await sign(provider, { ref, algorithm, signable });
          expect(verifies({ algorithm, publicKey, message: bytes, signature })).toBe(true);
          if (!judges) continue;
          for (const way of ways) expect(await fits(provider, { ref, algorithm, signable: way, signature })).toBe(true);
          const other = digest(digestOf(flipped(bytes, 1)));
          expect(await fits(provider, { ref, algorithm, signable: other, signature })).toBe(false);
          const changed = flipped(signature, signature.length * 4);
          const broken = { ref, algorithm, signable: ways[1] ?? expect.fail(), signature: changed };
          expect(await fits(provider, broken)).toBe(false);
        }
      },
    },
    {
      name: `${algorithm}: a digest of another length is refused, before the call`,
      run: async ({ provider, harness }) => {
        const { length } = digestOf(Buffer.alloc(0));
        for (const size of [length - 1, length + 1, 20]) {
          const input = { ref: harness.unknownRef, algorithm, signable: digest(randomBytes(size)) };
          await expectUnsupported(provider, async () => await sign(provider, input));
          const signature = Buffer.alloc(64);
          await expectUnsupported(provider, async () => await fits(provider, { ...input, signature }));
        }
      },
    },
  ];
}

function refusalTests(row: CapabilityRow, rows: readonly CapabilityRow[]): ProviderTest[] {
  const { algorithm, minInputBytes = 0, maxInputBytes } = row;
  const foreign = rows.find((one) => kindOf(one.algorithm) !== kindOf(algorithm))?.algorithm;
  return [
    {
      name: `${algorithm}: sign and verify refuse more bytes than they declare, or fewer, before the call`,
      run: async ({ provider, harness }) => {
        for (const size of [maxInputBytes + 1, ...(minInputBytes > 0 ? [minInputBytes - 1] : [])]) {
          const input = { ref: harness.unknownRef, algorithm, signable: message(Buffer.alloc(size)) };
          await expectUnsupported(provider, async () => await sign(provider, input));
          const signature = Buffer.alloc(64);
          await expectUnsupported(provider, async () => await fits(provider, { ...input, signature }));
        }
      },
    },
    ...(foreign === undefined ? [] : [wrongKeyTest(algorithm, foreign)]),
  ];
}

function wrongKeyTest(algorithm: AlgorithmName, foreign: AlgorithmName): ProviderTest {
  return {
    name: `${algorithm}: a key for another kind of signature is refused`,
    run: async (subject) => {
      const { provider } = subject;
      const input = { ref: await subject.sharedKey(foreign), algorithm, signable: message(randomBytes(40)) };
      const { failure } = await faultOf(provider, async () => await sign(provider, input));
      expect(REFUSALS).toContain(failure);
    },
  };
}

/** The type of the key: RSA keys of one size are the same to some services, whatever their padding is. */
function kindOf(algorithm: AlgorithmName): string {
  return algorithm.startsWith("RSA-") ? "rsa" : algorithm;
}

function isEcdsa(algorithm: AlgorithmName): boolean {
  return algorithm.startsWith("EC-");
}

function fieldBytes(algorithm: AlgorithmName): number {
  if (algorithm.includes("P521")) return 66;
  return algorithm.includes("P384") ? 48 : 32;
}

type Verification = {
  readonly algorithm: AlgorithmName;
  readonly publicKey: KeyObject;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
};

/** Verifies outside the provider. The salt of PSS is as long as the digest, and no other length will do. */
function verifies({ algorithm, publicKey, message: bytes, signature }: Verification): boolean {
  const { hash: name = null } = algorithmTraits(algorithm);
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  const padding = algorithm.includes("-PSS-") ? pss : {};
  return verify(name, bytes, { key: publicKey, ...padding }, signature);
}

async function publicKeyOf({ publicKeys }: Provider, ref: NativeRef): Promise<KeyObject> {
  const { value } = await (publicKeys ?? expect.fail("it shows no public keys")).publicKey(ref, call());
  return createPublicKey({ key: value, format: "der", type: "spki" });
}

function message(bytes: Uint8Array): Signable {
  return { kind: "message", bytes };
}

function digest(bytes: Uint8Array): Signable {
  return { kind: "digest", bytes };
}

async function sign(provider: Provider, input: Parameters<Signer["sign"]>[0]): Promise<Buffer> {
  return (await signerOf(provider).sign(input, call())).value;
}

async function fits(provider: Provider, input: Parameters<Signer["verify"]>[0]): Promise<boolean> {
  return (await signerOf(provider).verify(input, call())).value;
}

function signerOf({ signer }: Provider): Signer {
  return signer ?? expect.fail("the provider does not sign");
}
