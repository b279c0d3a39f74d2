import { constants, createDecipheriv, generateKeyPairSync, privateDecrypt, randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import type { Random } from "#core/clock.ts";
import { isOneSequence } from "#providers/aws-kms/der.ts";
import { wrapMaterial } from "#providers/aws-kms/wrap-material.ts";

const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const oaep = { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" };

/** Random bytes that the test sees, and what became of them. */
function watched(): { random: Random; given: Buffer[]; copies: Buffer[] } {
  const given: Buffer[] = [];
  const copies: Buffer[] = [];
  const bytes = (length: number): Buffer => {
    const made = randomBytes(length);
    given.push(made);
    copies.push(Buffer.from(made));
    return made;
  };
  return { random: { bytes, kernelBytes: bytes }, given, copies };
}

it("a secret goes under RSAES-OAEP with SHA-256, without an ephemeral key", () => {
  const { random, given } = watched();
  const material = randomBytes(32);
  const wrapped = wrapMaterial(material, { publicKey, algorithm: "RSAES_OAEP_SHA_256" }, random);
  expect(privateDecrypt(oaep, wrapped)).toEqual(material);
  expect(given).toEqual([]);
});

it.for([1, 7, 8, 32, 1217, 2375])("%d bytes go under an ephemeral AES-256 key, and that under RSAES-OAEP", (size) => {
  const { random, given, copies } = watched();
  const material = randomBytes(size);
  const before = Buffer.from(material);
  const wrapped = wrapMaterial(material, { publicKey, algorithm: "RSA_AES_KEY_WRAP_SHA_256" }, random);
  expect(wrapped).toHaveLength(256 + 8 * Math.ceil(size / 8) + 8);
  const ephemeral = privateDecrypt(oaep, wrapped.subarray(0, 256));
  expect(copies).toEqual([ephemeral]);
  expect(given).toEqual([Buffer.alloc(32)]);
  const decipher = createDecipheriv("id-aes256-wrap-pad", ephemeral, Buffer.from("a65959a6", "hex"));
  expect(Buffer.concat([decipher.update(wrapped.subarray(256)), decipher.final()])).toEqual(before);
  expect(material).toEqual(before);
});

it.for([
  { name: "empty", hex: "3000", whole: true },
  { name: "short", hex: "30020500", whole: true },
  { name: "of 128 bytes", hex: `308180${"00".repeat(128)}`, whole: true },
  { name: "of 256 bytes", hex: `30820100${"00".repeat(256)}`, whole: true },
  { name: "with a byte too many", hex: "3002050000", whole: false },
  { name: "with a byte too few", hex: "300205", whole: false },
  { name: "of another tag", hex: "31020500", whole: false },
  { name: "of a length that is missing", hex: "30", whole: false },
  { name: "of indefinite length", hex: "308005000000", whole: false },
  { name: "of a length in four octets", hex: "30840000000205 00".replace(" ", ""), whole: false },
  { name: "of no bytes", hex: "", whole: false },
])("a sequence $name: $whole", ({ hex, whole }) => {
  expect(isOneSequence(Buffer.from(hex, "hex"))).toBe(whole);
});
