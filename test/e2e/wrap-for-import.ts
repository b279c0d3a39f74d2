import { constants, createCipheriv, createPublicKey, publicEncrypt, randomBytes } from "node:crypto";

/** As whoever brings a key wraps it: RSA-OAEP of a key for AES-256-KWP, then the material under that. */
export function wrapForImport(material: Buffer, publicKey: unknown): string {
  const key = createPublicKey({ key: Buffer.from(String(publicKey), "base64"), format: "der", type: "spki" });
  const kek = randomBytes(32);
  const kwp = createCipheriv("id-aes256-wrap-pad", kek, Buffer.from("a65959a6", "hex"));
  const sealed = publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" }, kek);
  return Buffer.concat([sealed, kwp.update(material), kwp.final()]).toString("base64");
}
