import { createHmac, createPrivateKey, createPublicKey, randomBytes } from "node:crypto";
import { expect } from "vitest";
import { type AlgorithmName, algorithmTraits, hasPublicKey } from "#core/algorithms.ts";
import type { CapabilityRow, Observation, Provider } from "#core/provider.ts";
import { outsideMaterial } from "./material.ts";
import { call, faultOf, type ProviderTest, type ProviderTests, type Subject } from "./subject.ts";

export const importTests: ProviderTests = ({ capabilities }) => {
  const rows = capabilities.rows.filter(({ operation }) => operation === "import");
  const [first] = rows;
  return [...rows.flatMap(testsOf), ...(first === undefined ? [] : generalTests(first.algorithm))];
};

function testsOf(row: CapabilityRow): ProviderTest[] {
  const { algorithm } = row;
  return [
    {
      name: `${algorithm}: an imported key is enabled, carries its marker, and is the one that was brought`,
      run: async ({ provider, second, material: materialOf, freshMarker, note }) => {
        const marker = freshMarker();
        const material = Buffer.from(materialOf(algorithm));
        const made = await importKey(provider, { algorithm, marker, material });
        note(made.ref);
        expect(made).toMatchObject({ observed: "enabled", algorithm, marker, destroyTime: null });
        expect(material.equals(materialOf(algorithm))).toBe(true);
        for (const handle of [provider, second]) {
          expect({ ...(await handle.describe(made.ref, call())), requestId: null }).toEqual({
            ...made,
            requestId: null,
          });
        }
        if (hasPublicKey(algorithm))
          expect((await spkiBytes(provider, made.ref)).equals(publicHalf(material))).toBe(true);
        if (algorithm.startsWith("HMAC-")) await expectHmac(provider, { algorithm, ref: made.ref, key: material });
      },
    },
    {
      name: `${algorithm}: bytes that are no key of it are INVALID, and leave the marker to one that is`,
      run: async (subject) => {
        const { provider, freshMarker, note } = subject;
        const marker = freshMarker();
        for (const [what, material] of Object.entries(wrongMaterial(subject, row))) {
          const { failure } = await faultOf(
            provider,
            async () => await importKey(provider, { algorithm, marker, material }),
          );
          expect(failure, what).toBe("INVALID");
        }
        const made = await importKey(provider, { algorithm, marker, material: subject.material(algorithm) });
        note(made.ref);
        expect(made).toMatchObject({ observed: "enabled", marker });
      },
    },
  ];
}

function generalTests(algorithm: AlgorithmName): ProviderTest[] {
  return [
    {
      name: "an import answers the key that carries the marker already, and as many at once make one",
      run: async ({ provider, second, freshMarker, note }) => {
        const spec = { algorithm, marker: freshMarker(), material: outsideMaterial(algorithm) };
        const first = await importKey(provider, spec);
        note(first.ref);
        expect((await importKey(second, spec)).ref).toBe(first.ref);
        expect((await provider.keys.create({ ...spec, description: "" }, call())).ref).toBe(first.ref);
        const other = { ...spec, marker: freshMarker() };
        const handles = [provider, second, provider, second];
        const made = await Promise.all(handles.map(async (handle) => await importKey(handle, other)));
        for (const { ref } of made) note(ref);
        expect(new Set(made.map(({ ref }) => ref)).size).toBe(1);
        expect(made[0]?.ref).not.toBe(first.ref);
      },
    },
    {
      name: "an import whose signal has fired rejects as CANCELLED",
      run: async ({ provider, freshMarker }) => {
        const spec = { algorithm, marker: freshMarker(), material: outsideMaterial(algorithm) };
        const ended = call(AbortSignal.abort(new Error("the caller left")));
        expect((await faultOf(provider, async () => await importKey(provider, spec, ended))).failure).toBe("CANCELLED");
      },
    },
  ];
}

function wrongMaterial(
  subject: Subject,
  { algorithm, minInputBytes, maxInputBytes }: CapabilityRow,
): Record<string, Buffer> {
  const good = subject.material(algorithm);
  const lengths = { nothing: Buffer.alloc(0), "longer than any": randomBytes(maxInputBytes + 1) };
  if (!hasPublicKey(algorithm))
    return { ...lengths, "too short": randomBytes((minInputBytes ?? MIN_SECRET_BYTES) - 1) };
  const pair = createPrivateKey({ key: good, format: "der", type: "pkcs8" });
  const others = (
    ["EC-P256-SHA256", "EC-P384-SHA384", "ED25519", "RSA-2048-PSS-SHA256", "RSA-3072-PSS-SHA256"] as const
  ).filter((name) => pkcs8Kind(subject.material(name)) !== pkcs8Kind(good));
  return {
    ...lengths,
    ...Object.fromEntries(others.map((name) => [`a key for ${name}`, subject.material(name)])),
    "its public half": createPublicKey(pair).export({ format: "der", type: "spki" }),
    pem: Buffer.from(pair.export({ format: "pem", type: "pkcs8" })),
    "a byte less": good.subarray(0, -1),
    "a byte more": Buffer.concat([good, Buffer.alloc(1)]),
    "an encrypted key": pair.export({ format: "der", type: "pkcs8", cipher: "aes-256-cbc", passphrase: "" }),
    garbage: randomBytes(good.length),
  };
}

/** No service takes symmetric keys of fewer bytes. */
const MIN_SECRET_BYTES = 14;

function pkcs8Kind(material: Buffer): string {
  const { asymmetricKeyType, asymmetricKeyDetails } = createPrivateKey({ key: material, format: "der", type: "pkcs8" });
  return JSON.stringify([asymmetricKeyType, asymmetricKeyDetails?.namedCurve, asymmetricKeyDetails?.modulusLength]);
}

type Hmac = { readonly algorithm: AlgorithmName; readonly ref: string; readonly key: Buffer };

async function expectHmac({ mac }: Provider, { algorithm, ref, key }: Hmac): Promise<void> {
  const message = randomBytes(50);
  const { value } = await (mac ?? expect.fail("it makes no macs")).mac({ ref, algorithm, message }, call());
  const wanted = createHmac(algorithmTraits(algorithm).hash ?? "", key)
    .update(message)
    .digest();
  expect(value.equals(wanted)).toBe(true);
}

function publicHalf(pkcs8: Buffer): Buffer {
  return createPublicKey(createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" })).export({
    format: "der",
    type: "spki",
  });
}

async function spkiBytes({ publicKeys }: Provider, ref: string): Promise<Buffer> {
  return (await (publicKeys ?? expect.fail("it shows no public keys")).publicKey(ref, call())).value;
}

type Import = { readonly algorithm: AlgorithmName; readonly marker: string; readonly material: Buffer };

async function importKey({ importer }: Provider, spec: Import, context = call()): Promise<Observation> {
  const description = "brought by the conformance suite";
  return await (importer ?? expect.fail("it imports nothing")).importKey({ ...spec, description }, context);
}
