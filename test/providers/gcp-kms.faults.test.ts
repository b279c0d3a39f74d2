import { randomBytes } from "node:crypto";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { NO_CONTEXT } from "#core/context.ts";
import type { CallContext, Provider } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import { createClient, createRing } from "../contract/gcp-kms/subject.ts";
import { openGcpKmsFake } from "../fakes/gcp-kms/fake.ts";
import type { Fault } from "../fakes/gcp-kms/faults.ts";
import { openAt } from "./gcp-kms.ts";

const fake = await openGcpKmsFake();
const kms = createClient(fake);
const provider = await openAt(fake);
afterAll(async () => {
  await provider[Symbol.asyncDispose]();
  await kms.close();
  await fake[Symbol.asyncDispose]();
});

let ref: NativeRef;
let count = 0;
beforeEach(async () => {
  fake.reset();
  await createRing(kms);
  ref = await create(`k-${count++}`);
});

describe("what the service answers, as a failure", () => {
  it.for([
    [{ kind: "unavailable" }, { failure: "OUTAGE", nativeCode: "UNAVAILABLE", answered: false }],
    [{ kind: "internal" }, { failure: "OUTAGE", nativeCode: "INTERNAL" }],
    [{ kind: "deadline" }, { failure: "OUTAGE", nativeCode: "DEADLINE_EXCEEDED", answered: false }],
    [{ kind: "aborted" }, { failure: "OUTAGE", nativeCode: "ABORTED" }],
    [
      { kind: "throttle", retryMs: 1500 },
      { failure: "THROTTLED", nativeCode: "RESOURCE_EXHAUSTED", retryAfterMs: 1500 },
    ],
    [{ kind: "access-denied" }, { failure: "DENIED", nativeCode: "PERMISSION_DENIED" }],
    [{ kind: "unauthenticated" }, { failure: "CREDENTIALS", nativeCode: "UNAUTHENTICATED" }],
    [{ kind: "disabled" }, { failure: "STATE", nativeCode: "FAILED_PRECONDITION" }],
    [{ kind: "not-found" }, { failure: "NOT_FOUND", nativeCode: "NOT_FOUND" }],
    [{ kind: "bad-checksum" }, { failure: "CHECKSUM" }],
    [{ kind: "unverified-checksum" }, { failure: "CHECKSUM" }],
    [{ kind: "garbage" }, { failure: "OUTAGE" }],
    [{ kind: "error-html" }, { failure: "OUTAGE" }],
    [{ kind: "refuse" }, { failure: "OUTAGE", answered: false }],
    [{ kind: "reset" }, { failure: "OUTAGE" }],
    [{ kind: "lost-answer" }, { failure: "OUTAGE" }],
  ] as const satisfies readonly (readonly [Fault, object])[])("%o", async ([fault, wanted]) => {
    fake.faults.add(fault);
    expect(await faultOf(async () => await encrypt())).toMatchObject(wanted);
    expect((await encrypt()).length).toBeGreaterThan(16);
  });

  it("bytes that the service refuses to open are INVALID, and nothing else is said of them", async () => {
    fake.faults.add({ kind: "invalid-ciphertext", operation: "Decrypt" });
    const ciphertext = await encrypt();
    const fault = await faultOf(async () => await decrypt(ciphertext));
    expect(fault).toMatchObject({ failure: "INVALID", detail: "the service refuses the bytes" });
  });

  it("other bytes than were sealed are not believed where the service's checksum is of others", async () => {
    const ciphertext = await encrypt();
    fake.faults.add({ kind: "bad-checksum", operation: "Decrypt" });
    expect(await faultOf(async () => await decrypt(ciphertext))).toMatchObject({ failure: "CHECKSUM" });
  });
});

describe("a change without an answer", () => {
  it("has an unknown outcome, and made again gives the same key", async () => {
    fake.faults.add({ kind: "lost-answer", operation: "CreateCryptoKey" });
    const fault = await faultOf(async () => await create("lost"));
    expect(fault.failure).toBe("UNKNOWN_OUTCOME");
    expect(await create("lost")).toBe(await create("lost"));
  });

  it("that scheduled a destruction is found made", async () => {
    fake.faults.add({ kind: "lost-answer", operation: "DestroyCryptoKeyVersion" });
    const destroy = async () => await provider.keys.scheduleDestruction(ref, 7, call());
    expect((await faultOf(destroy)).failure).toBe("UNKNOWN_OUTCOME");
    expect((await destroy()).observed).toBe("pending-destroy");
  });
});

describe("a call that is given up", () => {
  it("ends at once, while the service still hangs", async () => {
    fake.faults.add({ kind: "hang", operation: "Encrypt" });
    const leaving = new AbortController();
    const fault = faultOf(async () => await encrypt(call(leaving.signal)));
    setImmediate(() => {
      leaving.abort();
    });
    expect((await fault).failure).toBe("CANCELLED");
  });
});

describe("the canary", () => {
  it("is one key of the ring, however many ask at once", async () => {
    const found = await Promise.all([1, 2, 3].map(async () => await provider.identify(call())));
    expect(new Set(found.map(({ canary }) => canary)).size).toBe(1);
    expect(new Set(found.map(({ uid }) => uid)).size).toBe(1);
    await provider.probe(found[0]?.canary ?? "", call());
  });

  it("fails where other bytes come back with a checksum of their own", async () => {
    const { canary } = await provider.identify(call());
    fake.faults.add({ kind: "wrong-plaintext" });
    const fault = await faultOf(async () => {
      await provider.probe(canary, call());
    });
    expect(fault).toMatchObject({ failure: "OUTAGE", detail: "the canary opened to other bytes" });
  });

  it("says how to make a key ring that is not there", async () => {
    fake.reset();
    const fault = await faultOf(async () => await provider.identify(call()));
    expect(fault).toMatchObject({
      failure: "NOT_FOUND",
      detail: expect.stringContaining("gcloud kms keyrings create contract --location europe-west1 --project example"),
    });
  });
});

describe("a token that the service does not take", () => {
  it("is CREDENTIALS, and is never told", async () => {
    const stranger: Provider = await openAt(fake, { token: "hush-token" });
    fake.tokens = ["another"];
    const fault = await faultOf(async () => await stranger.identify(call()));
    await stranger[Symbol.asyncDispose]();
    expect(fault.failure).toBe("CREDENTIALS");
    expect(JSON.stringify(fault)).not.toContain("hush");
  });
});

function call(signal: AbortSignal = new AbortController().signal): CallContext {
  return { signal, requestId: "req_test" };
}

async function create(marker: string): Promise<NativeRef> {
  return (await provider.keys.create({ algorithm: "AES-256-OPAQUE", marker, description: "" }, call())).ref;
}

async function encrypt(context: CallContext = call()): Promise<Buffer> {
  const input = { ref, algorithm: "AES-256-OPAQUE", plaintext: randomBytes(20), context: NO_CONTEXT } as const;
  return (await (provider.cipher ?? expect.fail()).encrypt(input, context)).value;
}

async function decrypt(ciphertext: Buffer): Promise<Buffer> {
  const input = { ref, algorithm: "AES-256-OPAQUE", ciphertext, context: NO_CONTEXT } as const;
  return (await (provider.cipher ?? expect.fail()).decrypt(input, call())).value;
}

async function faultOf(run: () => Promise<unknown>) {
  try {
    await run();
  } catch (error) {
    return provider.classify(error);
  }
  return expect.fail("it did not fail");
}
