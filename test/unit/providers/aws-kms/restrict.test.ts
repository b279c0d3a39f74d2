import { describe, expect, it } from "vitest";
import type { AlgorithmName } from "#core/algorithms.ts";
import { type Context, NO_CONTEXT } from "#core/context.ts";
import type { NativeRef } from "#core/records.ts";
import type { AwsKmsFake } from "../../../fakes/aws-kms/fake.ts";
import { makeKey } from "./algorithms.ts";
import { type Adapter, call, faultOfRejected, listed, openPair, openProvider } from "./open.ts";
import { serve } from "./serve.ts";

const AES = "AES-256-OPAQUE";
const message = Buffer.from("pay 100 to Alice");
const context: Context = NO_CONTEXT;

type Uses = { readonly protect: () => Promise<unknown>; readonly process: () => Promise<unknown> };
type Key = { readonly provider: Adapter; readonly ref: NativeRef; readonly algorithm: AlgorithmName };

/** What protects with a key of each purpose, and what opens or checks what was made before. */
const PURPOSES = {
  "AES-256-OPAQUE": usesOfCipher,
  "RSA-2048-OAEP-SHA256": usesOfCipher,
  "EC-P256-SHA256": async ({ provider: { signer }, ...key }: Key): Promise<Uses> => {
    const signing = { ...key, signable: { kind: "message", bytes: message } } as const;
    const protect = async () => (await signer.sign(signing, call())).value;
    const signature = await protect();
    return { protect, process: async () => await signer.verify({ ...signing, signature }, call()) };
  },
  "HMAC-SHA-256": async ({ provider: { mac: macs }, ...key }: Key): Promise<Uses> => {
    const protect = async () => (await macs.mac({ ...key, message }, call())).value;
    const mac = await protect();
    return { protect, process: async () => await macs.verifyMac({ ...key, message, mac }, call()) };
  },
  "ML-KEM-768": async ({ provider: { encapsulation }, ...key }: Key): Promise<Uses> => {
    const protect = async () => (await encapsulation.encapsulate(key, call())).value;
    const { ciphertext } = await protect();
    return { protect, process: async () => await encapsulation.decapsulate({ ...key, ciphertext }, call()) };
  },
} as const;

async function usesOfCipher({ provider: { cipher }, ...key }: Key): Promise<Uses> {
  const protect = async () => (await cipher.encrypt({ ...key, plaintext: message, context }, call())).value;
  const ciphertext = await protect();
  return { protect, process: async () => await cipher.decrypt({ ...key, ciphertext, context }, call()) };
}

function policies(fake: AwsKmsFake): string[] {
  return fake.calls.of("PutKeyPolicy").map(({ input }) => String(input["Policy"]));
}

async function encryptFault(provider: Adapter, ref: NativeRef): Promise<string> {
  const encrypting = provider.cipher.encrypt({ ref, algorithm: AES, plaintext: message, context }, call());
  return (await faultOfRejected(provider, encrypting)).failure;
}

describe("restrict", () => {
  it.for(Object.keys(PURPOSES) as (keyof typeof PURPOSES)[])(
    "%s: the key processes and does not protect, until it is enabled",
    async (algorithm) => {
      const { provider } = await openPair();
      const ref = await makeKey(provider, algorithm);
      const { protect, process } = await PURPOSES[algorithm]({ provider, ref, algorithm });
      const restricted = { ref, observed: "process-only", nativeState: "Enabled", algorithm };
      expect(await provider.keys.restrict(ref, call())).toMatchObject(restricted);
      expect(await provider.describe(ref, call())).toMatchObject(restricted);
      expect(await listed(provider)).toMatchObject([restricted]);
      await process();
      expect((await faultOfRejected(provider, protect())).failure).toBe("DENIED");
      expect(await provider.keys.enable(ref, call())).toMatchObject({ ref, observed: "enabled" });
      await protect();
      await process();
    },
  );

  it("leaves an agreeing key agreeing: that opens, as decryption does", async () => {
    const { provider } = await openPair();
    const ref = await makeKey(provider, "ECDH-P256");
    const { value: peerPublicKey } = await provider.publicKeys.publicKey(ref, call());
    await provider.keys.restrict(ref, call());
    const agreed = await provider.agreement.agree({ ref, algorithm: "ECDH-P256", peerPublicKey }, call());
    expect(agreed.value).toHaveLength(32);
  });

  it("enables a disabled key, after it was denied and tagged", async () => {
    const { fake, provider } = await openPair();
    const ref = await makeKey(provider, AES);
    await provider.keys.disable(ref, call());
    fake.calls.clear();
    expect(await provider.keys.restrict(ref, call())).toMatchObject({ observed: "process-only" });
    const changes = fake.calls.all.filter(({ operation }) => !/^(?:Describe|List|Get)/u.test(operation));
    expect(changes.map(({ operation }) => operation)).toEqual(["PutKeyPolicy", "TagResource", "EnableKey"]);
    expect(changes.every(({ keyId }) => keyId === ref)).toBe(true);
    expect(await encryptFault(provider, ref)).toBe("DENIED");
  });

  it("can be said twice, with one statement of ours", async () => {
    const { fake, provider } = await openPair();
    const ref = await makeKey(provider, AES);
    for (let time = 0; time < 2; time++) {
      expect(await provider.keys.restrict(ref, call())).toMatchObject({ observed: "process-only" });
    }
    const [first = "", second] = policies(fake);
    expect(second).toBe(first);
    expect(first.split("ClavigerProcessOnly")).toHaveLength(2);
  });

  it("of a key whose deletion is scheduled is STATE, and changes nothing", async () => {
    const { fake, provider } = await openPair();
    const ref = await makeKey(provider, AES);
    await provider.keys.scheduleDestruction(ref, 7, call());
    expect((await faultOfRejected(provider, provider.keys.restrict(ref, call()))).failure).toBe("STATE");
    expect(fake.calls.count("PutKeyPolicy")).toBe(0);
  });

  it("lasts over disable, and over a deletion that was cancelled", async () => {
    const { provider } = await openPair();
    const ref = await makeKey(provider, AES);
    await provider.keys.restrict(ref, call());
    expect(await provider.keys.disable(ref, call())).toMatchObject({ observed: "disabled" });
    expect(await provider.keys.restrict(ref, call())).toMatchObject({ observed: "process-only" });
    expect(await provider.keys.cancelDestruction(ref, call())).toMatchObject({ observed: "process-only" });
    await provider.keys.scheduleDestruction(ref, 7, call());
    expect(await provider.keys.cancelDestruction(ref, call())).toMatchObject({ observed: "disabled" });
    expect(await provider.keys.enable(ref, call())).toMatchObject({ observed: "enabled" });
    await provider.cipher.encrypt({ ref, algorithm: AES, plaintext: message, context }, call());
  });

  it("of a key that never was is NOT_FOUND", async () => {
    const { provider } = await openPair();
    const ref = "arn:aws:kms:us-east-1:111122223333:key/0198c6f0-0000-7000-8000-000000000001";
    expect((await faultOfRejected(provider, provider.keys.restrict(ref, call()))).failure).toBe("NOT_FOUND");
  });
});

describe("restrict that fails on its way", () => {
  it.for([
    { operation: "PutKeyPolicy", kind: "lost-answer", failure: "UNKNOWN_OUTCOME" },
    { operation: "TagResource", kind: "error500", failure: "UNKNOWN_OUTCOME" },
    { operation: "TagResource", kind: "access-denied", failure: "DENIED" },
    { operation: "EnableKey", kind: "lost-answer", failure: "UNKNOWN_OUTCOME" },
    { operation: "GetKeyPolicy", kind: "error500", failure: "OUTAGE" },
    { operation: "GetKeyPolicy", kind: "empty-200", failure: "OUTAGE" },
    { operation: "PutKeyPolicy", kind: "limit", failure: "EXHAUSTED" },
  ] as const)("at $operation with $kind is $failure, and ends well when repeated", async ({ failure, ...fault }) => {
    const { fake, provider } = await openPair();
    const ref = await makeKey(provider, AES);
    fake.faults.add(fault);
    expect((await faultOfRejected(provider, provider.keys.restrict(ref, call()))).failure).toBe(failure);
    expect(await provider.keys.restrict(ref, call())).toMatchObject({ observed: "process-only" });
    expect(await encryptFault(provider, ref)).toBe("DENIED");
  });

  it("between policy and tag is undone by enable", async () => {
    const { fake, provider } = await openPair();
    const ref = await makeKey(provider, AES);
    fake.faults.add({ kind: "access-denied", operation: "TagResource" });
    await faultOfRejected(provider, provider.keys.restrict(ref, call()));
    expect(await encryptFault(provider, ref)).toBe("DENIED");
    expect(await provider.keys.enable(ref, call())).toMatchObject({ observed: "enabled" });
    await provider.cipher.encrypt({ ref, algorithm: AES, plaintext: message, context }, call());
  });
});

describe("enable", () => {
  it("writes no policy and no tag of a key that was never restricted", async () => {
    const { fake, provider } = await openPair();
    const ref = await makeKey(provider, AES);
    await provider.keys.disable(ref, call());
    fake.calls.clear();
    await provider.keys.enable(ref, call());
    expect(fake.calls.counts).toEqual({ EnableKey: 1, DescribeKey: 1, ListResourceTags: 1, GetKeyPolicy: 1 });
  });

  it("gives back the policy as it was before restrict, and takes the tag away", async () => {
    const { fake, provider } = await openPair();
    const ref = await makeKey(provider, AES);
    await provider.keys.restrict(ref, call());
    await provider.keys.enable(ref, call());
    const [, lifted] = policies(fake);
    expect(JSON.parse(lifted ?? "")).toMatchObject({ Statement: [{ Sid: "Enable IAM User Permissions" }] });
    expect(fake.calls.of("UntagResource")[0]?.input).toEqual({ KeyId: ref, TagKeys: ["claviger:state"] });
  });

  it.for([
    { operation: "GetKeyPolicy", kind: "error500", failure: "UNKNOWN_OUTCOME" },
    { operation: "GetKeyPolicy", kind: "access-denied", failure: "DENIED" },
    { operation: "PutKeyPolicy", kind: "lost-answer", failure: "UNKNOWN_OUTCOME" },
    { operation: "UntagResource", kind: "throttle", failure: "THROTTLED" },
  ] as const)("at $operation with $kind is $failure, and ends well when repeated", async ({ failure, ...fault }) => {
    const { fake, provider } = await openPair();
    const ref = await makeKey(provider, AES);
    await provider.keys.restrict(ref, call());
    fake.faults.add(fault);
    expect((await faultOfRejected(provider, provider.keys.enable(ref, call()))).failure).toBe(failure);
    expect(await provider.describe(ref, call())).toMatchObject({ observed: "process-only" });
    expect(await provider.keys.enable(ref, call())).toMatchObject({ observed: "enabled" });
    await provider.cipher.encrypt({ ref, algorithm: AES, plaintext: message, context }, call());
  });

  it("has an unknown outcome where the policy is none", async () => {
    const metadata = { Arn: "arn", KeyState: "Enabled", KeySpec: "SYMMETRIC_DEFAULT", KeyUsage: "ENCRYPT_DECRYPT" };
    const endpoint = await serve((operation) => {
      if (operation === "DescribeKey") return { body: JSON.stringify({ KeyMetadata: metadata }) };
      return { body: operation === "GetKeyPolicy" ? `{"Policy":"<html>"}` : "{}" };
    });
    const provider = await openProvider({ endpoint });
    expect((await faultOfRejected(provider, provider.keys.enable("arn", call()))).failure).toBe("UNKNOWN_OUTCOME");
    expect((await faultOfRejected(provider, provider.keys.restrict("arn", call()))).failure).toBe("OUTAGE");
  });
});

describe("while the service shows an older policy", () => {
  it("enable lifts a restriction that it does not see yet", async () => {
    const { fake, provider } = await openPair();
    const ref = await makeKey(provider, AES);
    fake.propagationMs = 60_000;
    await provider.keys.restrict(ref, call());
    await provider.keys.enable(ref, call());
    fake.advance(60_000);
    await provider.cipher.encrypt({ ref, algorithm: AES, plaintext: message, context }, call());
  });

  it("restrict restricts although it still sees the restriction that was lifted", async () => {
    const { fake, provider } = await openPair();
    const ref = await makeKey(provider, AES);
    await provider.keys.restrict(ref, call());
    fake.propagationMs = 60_000;
    await provider.keys.enable(ref, call());
    await provider.keys.restrict(ref, call());
    fake.advance(60_000);
    expect(await encryptFault(provider, ref)).toBe("DENIED");
    expect(await provider.describe(ref, call())).toMatchObject({ observed: "process-only" });
  });
});
