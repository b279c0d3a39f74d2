/** What the floor signs with: keys of its own in memory, and node:crypto as a bare handler would use it. */
import {
  constants,
  createHmac,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  timingSafeEqual,
  verify,
} from "node:crypto";
import type { Express } from "express";

type Pair = { readonly privateKey: KeyObject; readonly publicKey: KeyObject };
type Body = { readonly message: string; readonly signature?: string; readonly mac?: string };

const PAIRS: Readonly<Record<string, { readonly hash: string | null; readonly pair: Pair }>> = {
  "EC-P256-SHA256": { hash: "sha256", pair: generateKeyPairSync("ec", { namedCurve: "P-256" }) },
  "RSA-2048-PSS-SHA256": { hash: "sha256", pair: generateKeyPairSync("rsa", { modulusLength: 2048 }) },
  ED25519: { hash: null, pair: generateKeyPairSync("ed25519") },
  "ML-DSA-65": { hash: null, pair: generateKeyPairSync("ml-dsa-65") },
};
const macKey = randomBytes(32);

/** `POST /sign/ALGORITHM`, `POST /verify/ALGORITHM`, `POST /mac`. */
export function addSigning(app: Express): void {
  for (const [algorithm, { hash, pair }] of Object.entries(PAIRS)) {
    const padding = algorithm.includes("-PSS-")
      ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
      : {};
    app.post(`/sign/${algorithm}`, ({ body }: { readonly body: Body }, response) => {
      const signature = sign(hash, Buffer.from(body.message, "base64"), { key: pair.privateKey, ...padding });
      response.json({ signature: signature.toString("base64") });
    });
    app.post(`/verify/${algorithm}`, ({ body }: { readonly body: Body }, response) => {
      const [message, signature] = [body.message, body.signature ?? ""].map((text) => Buffer.from(text, "base64"));
      const key = { key: pair.publicKey, ...padding };
      response.json({ valid: verify(hash, message ?? Buffer.alloc(0), key, signature ?? Buffer.alloc(0)) });
    });
  }
  const macOf = ({ message }: Body): Buffer =>
    createHmac("sha256", macKey).update(Buffer.from(message, "base64")).digest();
  app.post("/mac", ({ body }: { readonly body: Body }, response) => {
    response.json({ mac: macOf(body).toString("base64") });
  });
  app.post("/verify-mac", ({ body }: { readonly body: Body }, response) => {
    const [mac, given] = [macOf(body), Buffer.from(body.mac ?? "", "base64")];
    response.json({ valid: mac.length === given.length && timingSafeEqual(mac, given) });
  });
}
