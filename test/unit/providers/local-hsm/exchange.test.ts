import {
  createPublicKey,
  decapsulate,
  diffieHellman,
  encapsulate,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";
import { describe, expect, it } from "vitest";
import type { AlgorithmName } from "#core/algorithms.ts";
import { call, expectOwned, expectUnsupported, faultOf } from "../../../conformance/provider/subject.ts";
import { keptHsm, pkcs8Of } from "./kept.ts";

const { provider, keyOf, publicKeyOf, restart } = await keptHsm();

const spkiOf = (key: KeyObject): Buffer => createPublicKey(key).export({ format: "der", type: "spki" });
const readSpki = (key: Buffer): KeyObject => createPublicKey({ key, format: "der", type: "spki" });
const X25519_HEAD = Buffer.from("302a300506032b656e032100", "hex");

const PEERS: readonly { algorithm: AlgorithmName; bytes: number; peer: () => KeyObject }[] = [
  { algorithm: "ECDH-P256", bytes: 32, peer: () => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey },
  { algorithm: "ECDH-P384", bytes: 48, peer: () => generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey },
  { algorithm: "ECDH-P521", bytes: 66, peer: () => generateKeyPairSync("ec", { namedCurve: "P-521" }).privateKey },
  { algorithm: "X25519", bytes: 32, peer: () => generateKeyPairSync("x25519").privateKey },
];

describe("key agreement", () => {
  it.each(PEERS)("with $algorithm gives both sides the same $bytes bytes", async ({ algorithm, bytes, peer }) => {
    const ref = await keyOf(algorithm);
    for (let at = 0; at < 8; at++) {
      const privateKey = peer();
      const { value } = await provider.agreement.agree({ ref, algorithm, peerPublicKey: spkiOf(privateKey) }, call());
      const expected = diffieHellman({ privateKey, publicKey: readSpki(await publicKeyOf(ref)) });
      expect(value.equals(expected)).toBe(true);
      expect(value).toHaveLength(bytes);
      expectOwned(value);
    }
  });

  it("pads a secret that begins with zeros to the field's length", async () => {
    const algorithm = "ECDH-P256";
    const ref = await keyOf(algorithm);
    const publicKey = readSpki(await publicKeyOf(ref));
    for (;;) {
      const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      if (diffieHellman({ privateKey, publicKey })[0] !== 0) continue;
      const { value } = await provider.agreement.agree({ ref, algorithm, peerPublicKey: spkiOf(privateKey) }, call());
      expect(value).toHaveLength(32);
      expect(value[0]).toBe(0);
      return;
    }
  });

  it("refuses a peer's key of another curve, off the curve, with more behind it, or no key", async () => {
    const algorithm = "ECDH-P256";
    const ref = await keyOf(algorithm);
    const good = spkiOf(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
    const off = Buffer.from(good);
    off.writeUInt8(off.readUInt8(off.length - 1) ^ 1, off.length - 1);
    const bad = [
      spkiOf(generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey),
      spkiOf(generateKeyPairSync("ec", { namedCurve: "secp256k1" }).privateKey),
      spkiOf(generateKeyPairSync("x25519").privateKey),
      pkcs8Of(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey),
      off,
      Buffer.concat([good, Buffer.alloc(1)]),
      good.subarray(0, -1),
      Buffer.alloc(0),
      Buffer.alloc(1000),
    ];
    for (const peerPublicKey of bad) {
      const agree = async () => await provider.agreement.agree({ ref, algorithm, peerPublicKey }, call());
      expect((await faultOf(provider, agree)).failure).toBe("INVALID");
    }
  });

  it("refuses points of low order of X25519", async () => {
    const ref = await keyOf("X25519");
    const points = [
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0100000000000000000000000000000000000000000000000000000000000000",
      "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
      "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    for (const point of points) {
      const peerPublicKey = Buffer.concat([X25519_HEAD, Buffer.from(point, "hex")]);
      const agree = async () => await provider.agreement.agree({ ref, algorithm: "X25519", peerPublicKey }, call());
      expect((await faultOf(provider, agree)).failure).toBe("INVALID");
    }
  });
});

describe("key encapsulation", () => {
  const sizes = [
    { algorithm: "ML-KEM-512", bytes: 768 },
    { algorithm: "ML-KEM-768", bytes: 1088 },
    { algorithm: "ML-KEM-1024", bytes: 1568 },
  ] as const;

  it.each(sizes)("with $algorithm gives both sides a secret, by $bytes bytes", async ({ algorithm, bytes }) => {
    const ref = await keyOf(algorithm);
    const { value } = await provider.encapsulation.encapsulate({ ref, algorithm }, call());
    expect(value.ciphertext).toHaveLength(bytes);
    expect(value.sharedSecret).toHaveLength(32);
    expectOwned(value.sharedSecret);
    const next = await restart();
    const opened = await next.encapsulation.decapsulate({ ref, algorithm, ciphertext: value.ciphertext }, call());
    expect(opened.value.equals(value.sharedSecret)).toBe(true);
    expectOwned(opened.value);
    const { ciphertext, sharedKey } = encapsulate(readSpki(await publicKeyOf(ref)));
    const ofOthers = await provider.encapsulation.decapsulate({ ref, algorithm, ciphertext }, call());
    expect(ofOthers.value.equals(sharedKey)).toBe(true);
  });

  it("answers a changed ciphertext with another secret, and a wrong length with INVALID", async () => {
    const algorithm = "ML-KEM-768";
    const ref = await keyOf(algorithm);
    const { value } = await provider.encapsulation.encapsulate({ ref, algorithm }, call());
    const open = async (ciphertext: Buffer) =>
      await provider.encapsulation.decapsulate({ ref, algorithm, ciphertext }, call());
    value.ciphertext.writeUInt8(value.ciphertext.readUInt8(9) ^ 1, 9);
    const rejected = (await open(value.ciphertext)).value;
    expect(rejected).toHaveLength(32);
    expect(rejected.equals(value.sharedSecret)).toBe(false);
    for (const length of [0, 768, 1087, 1089, 1568]) {
      expect((await faultOf(provider, async () => await open(Buffer.alloc(length)))).failure).toBe("INVALID");
    }
  });

  it("decapsulates what an imported key is for", async () => {
    const { privateKey } = generateKeyPairSync("ml-kem-512");
    const spec = {
      algorithm: "ML-KEM-512",
      marker: "outside",
      description: "",
      material: pkcs8Of(privateKey),
    } as const;
    const { ref } = await provider.importer.importKey(spec, call());
    const { value } = await provider.encapsulation.encapsulate({ ref, algorithm: "ML-KEM-512" }, call());
    expect(decapsulate(privateKey, value.ciphertext).equals(value.sharedSecret)).toBe(true);
  });

  it("is not offered for X-WING", async () => {
    const spec = { algorithm: "X-WING", marker: "x-wing", description: "" } as const;
    await expectUnsupported(provider, async () => await provider.keys.create(spec, call()));
  });
});
