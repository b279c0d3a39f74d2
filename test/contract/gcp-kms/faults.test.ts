import { credentials, Client, Metadata, type ServiceError } from "@grpc/grpc-js";
import { protos } from "@google-cloud/kms";
import { beforeEach, describe, expect, it } from "vitest";
import type { FaultKind } from "../../fakes/gcp-kms/faults.ts";
import { crc32c } from "../../fakes/gcp-kms/crc32c.ts";
import { openGcpKmsFake } from "../../fakes/gcp-kms/fake.ts";
import {
  bytes,
  createClient,
  createKey,
  createRing,
  expectFailure,
  failureOf,
  once,
  onePage,
  openSubject,
  RING,
  SYMMETRIC,
  TOKEN,
} from "./subject.ts";

const { fake, kms } = await openSubject({ tokens: [TOKEN] });
const plaintext = Buffer.from("attack at dawn");
const getRing = async (): Promise<unknown> => await kms.getKeyRing({ name: RING }, once);

beforeEach(async () => {
  fake.reset();
  await createRing(kms);
  fake.calls.clear();
});

describe("faults of the Cloud KMS fake", () => {
  const answers: readonly [FaultKind | "throttle", number][] = [
    ["unavailable", 14],
    ["internal", 13],
    ["deadline", 4],
    ["aborted", 10],
    ["throttle", 8],
    ["access-denied", 7],
    ["unauthenticated", 16],
    ["disabled", 9],
    ["not-found", 5],
    ["invalid-ciphertext", 3],
    ["error-html", 14],
    ["garbage", 13],
    ["refuse", 14],
    ["lost-answer", 14],
    ["reset", 14],
  ];
  it.for(answers)("%s reaches the SDK as code %i, once", async ([kind, code]) => {
    fake.faults.add({ kind, operation: "GetKeyRing" });
    await expectFailure(getRing(), code);
    await expect.poll(async () => (await failureOf(getRing())).code, { timeout: 4_000 }).toBeUndefined();
    expect(fake.calls.of("GetKeyRing")[0]?.outcome).toBe(kind);
  });

  it("throttle says in RetryInfo when to ask again", async () => {
    fake.faults.add({ kind: "throttle", retryMs: 1_500 });
    const { statusDetails } = await failureOf(getRing());
    const retry = statusDetails?.find((detail) => "retryDelay" in detail);
    expect(JSON.parse(JSON.stringify(retry))).toMatchObject({ retryDelay: { seconds: "1", nanos: 500_000_000 } });
  });

  it("access-denied names the permission and the resource", async () => {
    fake.faults.add({ kind: "access-denied" });
    const error = await failureOf(kms.encrypt({ name: `${RING}/cryptoKeys/k`, plaintext }, once));
    expect(error.details).toBe(
      `Permission 'cloudkms.cryptoKeyVersions.useToEncrypt' denied on resource '${RING}/cryptoKeys/k' (or it may not exist).`,
    );
    expect(error).toMatchObject({ reason: "IAM_PERMISSION_DENIED", domain: "cloudkms.googleapis.com" });
  });

  it("hang never answers, until the caller's deadline", async () => {
    fake.faults.add({ kind: "hang" });
    const error = await failureOf(kms.getKeyRing({ name: RING }, { timeout: 100, retry: null }));
    expect([error.code, fake.calls.count()]).toStrictEqual([4, 1]);
  });

  it("slow performs and answers late", async () => {
    fake.faults.add({ kind: "slow", ms: 5 });
    expect(await getRing()).toMatchObject([{ name: RING }, {}, {}]);
  });

  it("lost-answer makes the key and tells nobody", async () => {
    fake.faults.add({ kind: "lost-answer", operation: "CreateCryptoKey" });
    await expectFailure(createKey(kms, SYMMETRIC), 14);
    const made = async (): Promise<number | undefined> =>
      (await kms.listCryptoKeys({ parent: RING }, onePage).catch(() => []))[0]?.length;
    await expect.poll(made, { timeout: 4_000 }).toBe(1);
  });

  it("bad-checksum waits for bytes and answers a checksum that is not theirs", async () => {
    const { name } = await createKey(kms, SYMMETRIC);
    fake.faults.add({ kind: "bad-checksum" });
    await getRing();
    const [sealed] = await kms.encrypt({ name, plaintext }, once);
    const ciphertext = bytes(sealed.ciphertext);
    expect(Number(sealed.ciphertextCrc32c?.value) ^ crc32c(ciphertext)).toBe(1);
    expect(bytes((await kms.decrypt({ name, ciphertext }, once))[0].plaintext)).toStrictEqual(plaintext);
  });

  it("unverified-checksum forgets that a checksum came", async () => {
    const { name } = await createKey(kms, SYMMETRIC);
    fake.faults.add({ kind: "unverified-checksum" });
    const [sealed] = await kms.encrypt({ name, plaintext, plaintextCrc32c: { value: crc32c(plaintext) } }, once);
    expect(sealed.verifiedPlaintextCrc32c).toBe(false);
  });

  it("wrong-plaintext answers other bytes under a checksum that fits them", async () => {
    const { name } = await createKey(kms, SYMMETRIC);
    fake.faults.add({ kind: "wrong-plaintext" });
    const [sealed] = await kms.encrypt({ name, plaintext }, once);
    const [opened] = await kms.decrypt({ name, ciphertext: bytes(sealed.ciphertext) }, once);
    expect(bytes(opened.plaintext).equals(plaintext)).toBe(false);
    expect(Number(opened.plaintextCrc32c?.value)).toBe(crc32c(bytes(opened.plaintext)));
  });

  it("a fault strikes n times or until it is withdrawn, and only its operation", async () => {
    fake.faults.add({ kind: "internal", operation: "GetKeyRing", repeat: 2 });
    const handle = fake.faults.add({ kind: "unavailable", operation: "ListKeyRings", repeat: "forever" });
    const list = async (): Promise<unknown> =>
      await kms.listKeyRings({ parent: RING.replace(/\/keyRings.*/, "") }, once);
    for (const _ of [1, 2]) {
      await expectFailure(getRing(), 13);
      await expectFailure(list(), 14);
    }
    await getRing();
    handle[Symbol.dispose]();
    await list();
    expect(fake.faults.pending).toStrictEqual([]);
  });

  it("a stopped fake refuses connections, and starts again on its port with its keys", async () => {
    const { port } = fake;
    await fake.stop();
    await expectFailure(getRing(), 14);
    await fake.start();
    expect(fake.port).toBe(port);
    await expect.poll(async () => (await failureOf(getRing())).code, { timeout: 4_000 }).toBeUndefined();
  });

  it("refuse resets a connection as it is made", async () => {
    const fresh = createClient(fake);
    fake.faults.add({ kind: "refuse" });
    await expectFailure(fresh.getKeyRing({ name: RING }, once), 14);
    expect(fake.calls.count()).toBe(0);
    await fresh.close();
  });
});

describe("who may call the Cloud KMS fake", () => {
  it("over TLS only accepted tokens, and the log tells which", async () => {
    await getRing();
    const stranger = createClient(fake, "ya29.other");
    await expectFailure(stranger.getKeyRing({ name: RING }, once), 16);
    await stranger.close();
    expect(fake.calls.all).toMatchObject([
      { operation: "GetKeyRing", name: RING, token: TOKEN, outcome: "ok" },
      { token: "ya29.other", outcome: "UNAUTHENTICATED" },
    ]);
  });

  it("a certificate of another authority is not believed", async () => {
    await using other = await openGcpKmsFake();
    const misled = createClient({ host: fake.host, port: fake.port, ca: other.ca });
    await expectFailure(misled.getKeyRing({ name: RING }, once), 14);
    await misled.close();
  });

  it("in plaintext anybody, and a request without its routing header goes to global", async () => {
    await using open = await openGcpKmsFake({ plaintext: true });
    expect(open.ca).toBeUndefined();
    const own = createClient(open);
    await createRing(own);
    await own.close();
    const error = await bareGetRing(open.endpoint);
    expect(error.code).toBe(5);
    expect(error.details).toContain("concerns location 'europe-west1' but was sent to location 'global'");
  });

  it("a method that it does not have is UNIMPLEMENTED", async () => {
    await expectFailure(kms.deleteCryptoKey({ name: `${RING}/cryptoKeys/k` }, once), 12);
  });
});

/** Asks without the SDK, and so without the headers that it adds. */
const bareGetRing = async (endpoint: string): Promise<ServiceError> => {
  const client = new Client(endpoint, credentials.createInsecure());
  const request = protos.google.cloud.kms.v1.GetKeyRingRequest;
  return await new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      "/google.cloud.kms.v1.KeyManagementService/GetKeyRing",
      (name: string) => Buffer.from(request.encode({ name }).finish()),
      (answer) => answer,
      RING,
      new Metadata(),
      (error) => {
        client.close();
        if (error === null) reject(new Error("the call succeeded"));
        else resolve(error);
      },
    );
  });
};
