/** What the floor asks AWS KMS with: the bare SDK, as a handler would use it that knows its keys. */
import { CreateKeyCommand, DecryptCommand, EncryptCommand, KMSClient, SignCommand } from "@aws-sdk/client-kms";
import type { Express } from "express";

type Body = { readonly plaintext?: string; readonly ciphertext?: string; readonly message?: string };

/** `POST /aws/encrypt`, `/aws/decrypt`, `/aws/sign`, each one call of the SDK. Makes the keys first. */
export async function addAws(app: Express, endpoint: string): Promise<void> {
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  const client = new KMSClient({ endpoint, region: "us-east-1", maxAttempts: 1, credentials });
  const symmetric = await makeKey(client, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT");
  const signing = await makeKey(client, "ECC_NIST_P256", "SIGN_VERIFY");
  app.post("/aws/encrypt", async ({ body }: { readonly body: Body }, response) => {
    const Plaintext = Buffer.from(body.plaintext ?? "", "base64");
    const { CiphertextBlob } = await client.send(new EncryptCommand({ KeyId: symmetric, Plaintext }));
    response.json({ ciphertext: base64(CiphertextBlob) });
  });
  app.post("/aws/decrypt", async ({ body }: { readonly body: Body }, response) => {
    const CiphertextBlob = Buffer.from(body.ciphertext ?? "", "base64");
    const { Plaintext } = await client.send(new DecryptCommand({ KeyId: symmetric, CiphertextBlob }));
    response.json({ plaintext: base64(Plaintext) });
  });
  app.post("/aws/sign", async ({ body }: { readonly body: Body }, response) => {
    const Message = Buffer.from(body.message ?? "", "base64");
    const command = new SignCommand({ KeyId: signing, Message, SigningAlgorithm: "ECDSA_SHA_256" });
    const { Signature } = await client.send(command);
    response.json({ signature: base64(Signature) });
  });
}

async function makeKey(
  client: KMSClient,
  KeySpec: "SYMMETRIC_DEFAULT" | "ECC_NIST_P256",
  KeyUsage: "ENCRYPT_DECRYPT" | "SIGN_VERIFY",
): Promise<string> {
  const { KeyMetadata } = await client.send(new CreateKeyCommand({ KeySpec, KeyUsage }));
  if (KeyMetadata?.Arn === undefined) throw new Error("the new key has no arn");
  return KeyMetadata.Arn;
}

function base64(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString("base64");
}
