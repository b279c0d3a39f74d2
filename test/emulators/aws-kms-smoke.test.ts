import { CreateKeyCommand, DecryptCommand, EncryptCommand, KMSClient, ListKeysCommand } from "@aws-sdk/client-kms";
import { describe, expect, it, onTestFinished } from "vitest";
import { getEmulators } from "./endpoints.ts";

describe.for(getEmulators())("$name", ({ endpoint, auth }) => {
  it("a new key decrypts what it encrypted, under the same context", async () => {
    const client = openClient(endpoint);
    const { KeyMetadata } = await client.send(new CreateKeyCommand({ Description: "smoke" }));
    const KeyId = KeyMetadata?.Arn;
    const EncryptionContext = { purpose: "smoke" };
    const Plaintext = Buffer.from("an emulator that works");

    const { CiphertextBlob } = await client.send(new EncryptCommand({ KeyId, EncryptionContext, Plaintext }));
    expect(Buffer.from(CiphertextBlob ?? []).includes(Plaintext)).toBe(false);
    const opened = await client.send(new DecryptCommand({ KeyId, EncryptionContext, CiphertextBlob }));
    expect(Buffer.from(opened.Plaintext ?? [])).toEqual(Plaintext);
    expect(opened.KeyId).toBe(KeyId);
  });

  it("another encryption context is refused", async () => {
    const client = openClient(endpoint);
    const { KeyMetadata } = await client.send(new CreateKeyCommand());
    const KeyId = KeyMetadata?.Arn;
    const Plaintext = Buffer.from("bound to its context");
    const { CiphertextBlob } = await client.send(
      new EncryptCommand({ KeyId, Plaintext, EncryptionContext: { purpose: "smoke" } }),
    );
    await expect(
      client.send(new DecryptCommand({ KeyId, CiphertextBlob, EncryptionContext: { purpose: "other" } })),
    ).rejects.toMatchObject({ name: "InvalidCiphertextException" });
  });

  it(`an unknown access key is ${auth ? "refused" : "let through"}`, async () => {
    const client = openClient(endpoint, { accessKeyId: "AKIAUNKNOWNUNKNOWN00", secretAccessKey: "unknown" });
    const answer = client.send(new ListKeysCommand());
    await (auth
      ? expect(answer).rejects.toMatchObject({ name: "UnrecognizedClientException" })
      : expect(answer).resolves.toHaveProperty("Keys"));
  });
});

function openClient(endpoint: string, credentials = { accessKeyId: "test", secretAccessKey: "test" }): KMSClient {
  const client = new KMSClient({ endpoint, credentials, region: "us-east-1", maxAttempts: 1 });
  onTestFinished(() => {
    client.destroy();
  });
  return client;
}
