import { afterAll, afterEach, describe, expect, it } from "vitest";
import { type AwsKmsFake, openAwsKmsFake } from "../../fakes/aws-kms/fake.ts";
import type { FaultKind } from "../../fakes/aws-kms/faults.ts";
import { createClient, createKey, onFake, present } from "./subject.ts";

const fake: AwsKmsFake = await openAwsKmsFake();
const kms = createClient(fake.endpoint);
afterEach(() => fake.reset());
afterAll(async () => {
  kms.destroy();
  await fake[Symbol.asyncDispose]();
});

type Seen = {
  readonly name: string;
  readonly code?: string;
  readonly message: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
};

const failureOf = async (call: Promise<unknown>): Promise<Seen> => {
  const error = await call.then(
    () => new Error("the call succeeded"),
    (caught: unknown) => caught,
  );
  return error as Seen;
};

describe.runIf(onFake)("faults of the AWS KMS fake", () => {
  const answers: readonly [FaultKind, string, number][] = [
    ["error500", "KMSInternalException", 500],
    ["error503", "DependencyTimeoutException", 503],
    ["throttle", "ThrottlingException", 400],
    ["limit", "LimitExceededException", 400],
    ["access-denied", "AccessDeniedException", 400],
    ["expired-token", "ExpiredTokenException", 400],
    ["disabled", "DisabledException", 400],
    ["not-found", "NotFoundException", 400],
    ["invalid-ciphertext", "InvalidCiphertextException", 400],
    ["garbage", "SyntaxError", 200],
    ["error-html", "SyntaxError", 502],
  ];
  it.for(answers)("%s reaches the SDK as %s with status %i", async ([kind, name, status]) => {
    fake.faults.add({ kind });
    const error = await failureOf(kms.listKeys({}));
    expect(error).toMatchObject({ name, $metadata: { httpStatusCode: status } });
    await kms.listKeys({});
    expect(fake.calls.all.map(({ outcome }) => outcome)).toStrictEqual([kind, "ok"]);
  });

  it("empty-200 is a success without fields", async () => {
    fake.faults.add({ kind: "empty-200" });
    const answer = await kms.generateRandom({ NumberOfBytes: 8 });
    expect(answer.Plaintext).toBeUndefined();
    expect(answer.$metadata.httpStatusCode).toBe(200);
  });

  it("wrong-plaintext waits for a Decrypt and answers other bytes", async () => {
    const { id: KeyId } = await createKey(kms);
    fake.faults.add({ kind: "wrong-plaintext" });
    const Plaintext = Buffer.from("attack at dawn");
    const { CiphertextBlob } = await kms.encrypt({ KeyId, Plaintext });
    const spoilt = Buffer.from(present((await kms.decrypt({ KeyId, CiphertextBlob })).Plaintext));
    expect(spoilt).toHaveLength(Plaintext.length);
    expect(spoilt.equals(Plaintext)).toBe(false);
    const opened = await kms.decrypt({ KeyId, CiphertextBlob });
    expect(Buffer.from(present(opened.Plaintext))).toStrictEqual(Plaintext);
  });

  it("lost-answer creates the key and tells nobody", async () => {
    fake.faults.add({ kind: "lost-answer", operation: "CreateKey" });
    const error = await failureOf(kms.createKey({}));
    expect(error.code).toBe("ECONNRESET");
    expect((await kms.listKeys({})).Keys).toHaveLength(1);
  });

  it("reset-mid-body cuts the answer", async () => {
    fake.faults.add({ kind: "reset-mid-body" });
    const error = await failureOf(kms.listKeys({}));
    expect(error.message).toContain("aborted");
    expect((await kms.listKeys({})).Keys).toHaveLength(0);
  });

  it("reset-on-reuse strikes the second request of a connection", async () => {
    const fresh = createClient(fake.endpoint);
    fake.faults.add({ kind: "reset-on-reuse" });
    await fresh.listKeys({});
    const error = await failureOf(fresh.listKeys({}));
    expect(error.code).toBe("ECONNRESET");
    await fresh.listKeys({});
    fresh.destroy();
  });

  it("refuse resets a connection as it is made", async () => {
    const fresh = createClient(fake.endpoint);
    fake.faults.add({ kind: "refuse" });
    const error = await failureOf(fresh.listKeys({}));
    expect(error.code).toBe("ECONNRESET");
    await fresh.listKeys({});
    expect(fake.calls.count()).toBe(1);
    fresh.destroy();
  });

  it("hang never answers, until the caller gives up", async () => {
    fake.faults.add({ kind: "hang" });
    const abort = new AbortController();
    const call = failureOf(kms.listKeys({}, { abortSignal: abort.signal }));
    await expect.poll(() => fake.calls.count(), { timeout: 4_000 }).toBe(1);
    abort.abort();
    expect((await call).name).toBe("AbortError");
  });

  it("slow performs and answers late", async () => {
    fake.faults.add({ kind: "slow", ms: 5 });
    expect((await kms.generateRandom({ NumberOfBytes: 4 })).Plaintext).toHaveLength(4);
  });

  it("a fault strikes once, n times or until it is withdrawn, and only its operation", async () => {
    fake.faults.add({ kind: "error500", operation: "CreateKey", repeat: 2 });
    const handle = fake.faults.add({ kind: "throttle", operation: "ListKeys", repeat: "forever" });
    await kms.generateRandom({ NumberOfBytes: 1 });
    for (const _ of [1, 2]) {
      expect(await failureOf(kms.createKey({}))).toHaveProperty("name", "KMSInternalException");
      expect(await failureOf(kms.listKeys({}))).toHaveProperty("name", "ThrottlingException");
    }
    await kms.createKey({});
    handle[Symbol.dispose]();
    expect((await kms.listKeys({})).Keys).toHaveLength(1);
    expect(fake.faults.pending).toStrictEqual([]);
  });

  it("a stopped fake refuses connections, and starts again on its port with its keys", async () => {
    const { id: KeyId } = await createKey(kms);
    const { port } = fake;
    await fake.stop();
    expect((await failureOf(kms.describeKey({ KeyId }))).code).toBe("ECONNREFUSED");
    await fake.start();
    expect(fake.port).toBe(port);
    expect((await kms.describeKey({ KeyId })).KeyMetadata?.KeyId).toBe(KeyId);
  });

  it("the log of calls says what was asked, of which key, and what came of it", async () => {
    const { id: KeyId } = await createKey(kms);
    const seen = await kms.describeKey({ KeyId });
    await failureOf(kms.describeKey({ KeyId: "alias/none" }));
    expect(fake.calls.counts).toStrictEqual({ CreateKey: 1, DescribeKey: 2 });
    expect(fake.calls.of("DescribeKey")).toMatchObject([
      { keyId: KeyId, outcome: "ok", requestId: seen.$metadata.requestId, accessKeyId: "AKIDEXAMPLE" },
      { keyId: "alias/none", outcome: "NotFoundException" },
    ]);
  });
});
