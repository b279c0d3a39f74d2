import { createPublicKey, diffieHellman, ECDH, generateKeyPairSync, type KeyObject } from "node:crypto";
import { describe, expect, it } from "vitest";
import { algorithmsWith, makeKey } from "./algorithms.ts";
import { call, faultOfRejected, openPair, openProvider } from "./open.ts";
import { serve } from "./serve.ts";

const CURVES: Readonly<Record<string, string>> = {
  "ECDH-P256": "prime256v1",
  "ECDH-P384": "secp384r1",
  "ECDH-P521": "secp521r1",
};
const FIELD_BYTES: Readonly<Record<string, number>> = { "ECDH-P256": 32, "ECDH-P384": 48, "ECDH-P521": 66 };

const pair = (namedCurve: string) => generateKeyPairSync("ec", { namedCurve });
const spkiOf = (key: KeyObject): Buffer => key.export({ type: "spki", format: "der" });
const peer = spkiOf(pair("prime256v1").publicKey);

/** The same key with its point compressed (SEC 1 § 2.3.3), as RFC 5480 § 2.2 allows. */
function compressed(spki: Buffer): Buffer {
  const point = ECDH.convertKey(spki.subarray(-65), "prime256v1", undefined, undefined, "compressed") as Buffer;
  const head = Buffer.from(spki.subarray(0, -65));
  head.writeUInt8(head.readUInt8(1) - 32, 1); // the SEQUENCE
  head.writeUInt8(head.readUInt8(head.length - 2) - 32, head.length - 2); // the BIT STRING
  return Buffer.concat([head, point]);
}

describe("agree", () => {
  it.for(algorithmsWith("agree"))("%s: both sides get the same secret, as long as the field", async (algorithm) => {
    const { fake, provider } = await openPair();
    const ref = await makeKey(provider, algorithm);
    const ours = pair(CURVES[algorithm] ?? "");
    const peerPublicKey = spkiOf(ours.publicKey);
    const { value, requestId } = await provider.agreement.agree({ ref, algorithm, peerPublicKey }, call());
    const { value: spki } = await provider.publicKeys.publicKey(ref, call());
    const publicKey = createPublicKey({ key: spki, format: "der", type: "spki" });
    expect(value).toEqual(diffieHellman({ privateKey: ours.privateKey, publicKey }));
    expect(value).toHaveLength(FIELD_BYTES[algorithm] ?? 0);
    expect(value.buffer.byteLength).toBe(value.length); // unpooled
    expect(fake.calls.of("DeriveSharedSecret")).toMatchObject([{ keyId: ref, requestId }]);
  });

  it("a compressed point reaches the service uncompressed", async () => {
    const { fake, provider } = await openPair();
    const ref = await makeKey(provider, "ECDH-P256");
    await provider.agreement.agree({ ref, algorithm: "ECDH-P256", peerPublicKey: compressed(peer) }, call());
    expect(fake.calls.of("DeriveSharedSecret")[0]?.input["PublicKey"]).toBe(peer.toString("base64"));
  });

  it.for([
    { name: "of another curve", peerPublicKey: spkiOf(pair("secp384r1").publicKey) },
    { name: "of secp256k1", peerPublicKey: spkiOf(pair("secp256k1").publicKey) },
    { name: "of X25519", peerPublicKey: spkiOf(generateKeyPairSync("x25519").publicKey) },
    { name: "off the curve", peerPublicKey: Buffer.concat([peer.subarray(0, -1), Buffer.from([0])]) },
    { name: "with a byte after it", peerPublicKey: Buffer.concat([peer, Buffer.alloc(1)]) },
    { name: "cut", peerPublicKey: peer.subarray(0, -1) },
    { name: "of no bytes", peerPublicKey: Buffer.alloc(0) },
    { name: "of 8193 bytes", peerPublicKey: Buffer.alloc(8193, 0x30) },
    {
      name: "in PEM",
      peerPublicKey: Buffer.from(pair("prime256v1").publicKey.export({ type: "spki", format: "pem" })),
    },
    {
      name: "that is private",
      peerPublicKey: pair("prime256v1").privateKey.export({ type: "pkcs8", format: "der" }),
    },
  ])("a key of the peer's $name is INVALID, without a call", async ({ peerPublicKey }) => {
    const { fake, provider } = await openPair();
    const agreeing = provider.agreement.agree({ ref: "arn", algorithm: "ECDH-P256", peerPublicKey }, call());
    expect(await faultOfRejected(provider, agreeing)).toEqual({
      failure: "INVALID",
      detail: "the peer's key is none of the curve",
    });
    expect(fake.calls.count()).toBe(0);
  });

  it.for(["X25519", "EC-P256-SHA256"] as const)("%s is refused before the call", async (algorithm) => {
    const { fake, provider } = await openPair();
    const agreeing = provider.agreement.agree({ ref: "arn", algorithm, peerPublicKey: peer }, call());
    expect((await faultOfRejected(provider, agreeing)).detail).toBe(`unsupported: agree with ${algorithm}`);
    expect(fake.calls.count()).toBe(0);
  });

  it("an answer without a secret is an outage, and a disabled key STATE", async () => {
    const input = { algorithm: "ECDH-P256", peerPublicKey: peer } as const;
    const silent = await openProvider({ endpoint: await serve(() => ({ body: "{}" })) });
    const asking = silent.agreement.agree({ ...input, ref: "arn" }, call());
    expect((await faultOfRejected(silent, asking)).failure).toBe("OUTAGE");
    const { provider } = await openPair();
    const ref = await makeKey(provider, "ECDH-P256");
    await provider.keys.disable(ref, call());
    const agreeing = provider.agreement.agree({ ...input, ref }, call());
    expect((await faultOfRejected(provider, agreeing)).failure).toBe("STATE");
  });
});
