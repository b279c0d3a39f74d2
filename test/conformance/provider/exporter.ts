import {
  constants,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  privateDecrypt,
} from "node:crypto";
import { expect } from "vitest";
import { type AlgorithmName, hasPublicKey } from "#core/algorithms.ts";
import type { Provider } from "#core/provider.ts";
import { call, faultOf, type ProviderTest, type ProviderTests, type Subject } from "./subject.ts";

/** Wrapped export of keys that were made extractable. */
export const exportTests: ProviderTests = ({ capabilities }) => {
  const rows = capabilities.rows.filter(({ operation }) => operation === "export");
  const [first] = rows;
  return [
    ...rows.map(({ algorithm }) => testOf(algorithm)),
    ...(first === undefined ? [] : generalTests(first.algorithm)),
  ];
};

function testOf(algorithm: AlgorithmName): ProviderTest {
  return {
    name: `${algorithm}: what was brought and may leave comes out wrapped, as it was`,
    run: async (subject) => {
      const { provider, second, material } = subject;
      const ref = await extractableKey(subject, algorithm);
      const { privateKey, spki } = await recipientOf(subject);
      const wraps: Buffer[] = [];
      for (const handle of [provider, second]) {
        const wrapped = await exported(handle, { ref, algorithm, wrappingKey: spki });
        wraps.push(wrapped);
        expectSame(algorithm, unwrapped(privateKey, wrapped), material(algorithm));
      }
      expect(wraps[0]?.equals(wraps[1] ?? Buffer.alloc(0))).toBe(false);
    },
  };
}

function generalTests(algorithm: AlgorithmName): ProviderTest[] {
  return [
    {
      name: "a key that was made extractable leaves, and can be brought back as another",
      run: async (subject) => {
        const { provider, freshMarker, note } = subject;
        const spec = { algorithm, description: "made by the conformance suite", extractable: true };
        const made = await provider.keys.create({ ...spec, marker: freshMarker() }, call());
        note(made.ref);
        const { privateKey, spki } = await recipientOf(subject);
        const material = unwrapped(
          privateKey,
          await exported(provider, { ref: made.ref, algorithm, wrappingKey: spki }),
        );
        const importer = provider.importer ?? expect.fail("it imports nothing");
        const back = await importer.importKey({ ...spec, marker: freshMarker(), material }, call());
        note(back.ref);
        const again = await exported(provider, { ref: back.ref, algorithm, wrappingKey: spki });
        expect(unwrapped(privateKey, again).equals(material)).toBe(true);
      },
    },
    {
      name: "a key that was not made extractable never leaves: DENIED",
      run: async (subject) => {
        const { provider, sharedKey, importedKey } = subject;
        const { spki } = await recipientOf(subject);
        for (const ref of [await sharedKey(algorithm), await importedKey(algorithm)]) {
          const { failure } = await faultOf(
            provider,
            async () => await exported(provider, { ref, algorithm, wrappingKey: spki }),
          );
          expect(failure).toBe("DENIED");
        }
      },
    },
    {
      name: "a key under which nothing is wrapped well is INVALID: another kind, a short one, a private one, garbage",
      run: async (subject) => {
        const ref = await extractableKey(subject, algorithm);
        for (const [what, wrappingKey] of Object.entries(wrongRecipients())) {
          const { failure } = await faultOf(
            subject.provider,
            async () => await exported(subject.provider, { ref, algorithm, wrappingKey }),
          );
          expect(failure, what).toBe("INVALID");
        }
      },
    },
    {
      name: "a disabled key does not leave: STATE; enabled again it does",
      run: async (subject) => {
        const { provider } = subject;
        const ref = await extractableKey(subject, algorithm);
        const { spki } = await recipientOf(subject);
        const leave = async () => await exported(provider, { ref, algorithm, wrappingKey: spki });
        await provider.keys.disable(ref, call());
        expect((await faultOf(provider, leave)).failure).toBe("STATE");
        await provider.keys.enable(ref, call());
        expect((await leave()).length).toBeGreaterThan(0);
      },
    },
    {
      name: "an export whose signal has fired rejects as CANCELLED",
      run: async (subject) => {
        const ref = await extractableKey(subject, algorithm);
        const { spki } = await recipientOf(subject);
        const ended = call(AbortSignal.abort(new Error("the caller left")));
        const { failure } = await faultOf(
          subject.provider,
          async () => await exported(subject.provider, { ref, algorithm, wrappingKey: spki }, ended),
        );
        expect(failure).toBe("CANCELLED");
      },
    },
  ];
}

async function extractableKey(
  { provider, material, freshMarker, note }: Subject,
  algorithm: AlgorithmName,
): Promise<string> {
  const importer = provider.importer ?? expect.fail("it imports nothing");
  const spec = { algorithm, marker: freshMarker(), description: "may leave", extractable: true };
  const { ref } = await importer.importKey({ ...spec, material: material(algorithm) }, call());
  note(ref);
  return ref;
}

type Recipient = { readonly privateKey: KeyObject; readonly spki: Buffer };

async function recipientOf({ once }: Subject): Promise<Recipient> {
  return await once("export recipient", async () => {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    return await Promise.resolve({ privateKey, spki: publicKey.export({ format: "der", type: "spki" }) });
  });
}

function wrongRecipients(): Record<string, Buffer> {
  const short = generateKeyPairSync("rsa", { modulusLength: 1024 });
  const curve = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return {
    nothing: Buffer.alloc(0),
    garbage: Buffer.alloc(300, 7),
    "a short one": short.publicKey.export({ format: "der", type: "spki" }),
    "another kind": curve.publicKey.export({ format: "der", type: "spki" }),
    "a private one": short.privateKey.export({ format: "der", type: "pkcs8" }),
  };
}

/** CKM_RSA_AES_KEY_WRAP, opened with node:crypto alone. */
function unwrapped(key: KeyObject, wrapped: Buffer): Buffer {
  const modulusBytes = (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8;
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const kek = privateDecrypt({ key, padding, oaepHash: "sha256" }, wrapped.subarray(0, modulusBytes));
  expect(kek.length).toBe(32);
  const decipher = createDecipheriv("id-aes256-wrap-pad", kek, Buffer.from("a65959a6", "hex"));
  return Buffer.concat([decipher.update(wrapped.subarray(modulusBytes)), decipher.final()]);
}

function expectSame(algorithm: AlgorithmName, given: Buffer, wanted: Buffer): void {
  if (!hasPublicKey(algorithm)) {
    expect(given.equals(wanted)).toBe(true);
    return;
  }
  const [mine, theirs] = [given, wanted].map((key) => createPrivateKey({ key, format: "der", type: "pkcs8" }));
  if (mine === undefined || theirs === undefined) expect.fail("no private keys");
  expect(mine.equals(theirs)).toBe(true);
  expect(createPublicKey(mine).equals(createPublicKey(theirs))).toBe(true);
}

type Export = { readonly ref: string; readonly algorithm: AlgorithmName; readonly wrappingKey: Uint8Array };

async function exported({ exporter }: Provider, input: Export, context = call()): Promise<Buffer> {
  return (await (exporter ?? expect.fail("it exports nothing")).exportKey(input, context)).value;
}
