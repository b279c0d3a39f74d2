import { describe, expect, it } from "vitest";
import { call, faultOfRejected, listed, openPair, openProvider } from "./open.ts";
import { serve } from "./serve.ts";

const spec = { algorithm: "AES-256-OPAQUE", description: "one of ours" } as const;

function arn(id: string): string {
  return `arn:aws:kms:us-east-1:111122223333:key/${id}`;
}

function describeAnswer(id: string, more: object = {}): string {
  const shape = { KeySpec: "SYMMETRIC_DEFAULT", KeyUsage: "ENCRYPT_DECRYPT", KeyState: "Enabled" };
  return JSON.stringify({ KeyMetadata: { KeyId: id, Arn: arn(id), ...shape, ...more } });
}

describe("list", () => {
  it("shows our keys with their markers, and those of others without", async () => {
    const { provider } = await openPair();
    const { canary } = await provider.identify(call());
    const { ref } = await provider.keys.create({ ...spec, marker: "m-1" }, call());
    await provider.keys.disable(ref, call());
    const shown = (await listed(provider)).map((key) => [key.ref, `${key.marker} ${key.observed}`] as const);
    expect(new Map(shown)).toEqual(
      new Map([
        [canary, "canary enabled"],
        [ref, "m-1 disabled"],
      ]),
    );
  });

  it("shows each key as describe does, but for request ids", async () => {
    const { provider } = await openPair();
    for (const marker of ["m-1", "m-2", "m-3"]) await provider.keys.create({ ...spec, marker }, call());
    const shown = await listed(provider);
    expect(shown).toHaveLength(3);
    for (const key of shown) {
      expect({ ...(await provider.describe(key.ref, call())), requestId: key.requestId }).toEqual(key);
    }
  });

  it("asks no more than one DescribeKey and one ListResourceTags per key", async () => {
    const { fake, provider } = await openPair();
    for (const marker of ["m-1", "m-2", "m-3"]) await provider.keys.create({ ...spec, marker }, call());
    fake.calls.clear();
    await listed(provider);
    expect(fake.calls.counts).toEqual({ ListAliases: 1, ListKeys: 1, DescribeKey: 3, ListResourceTags: 3 });
  });

  it("leaves out a key that is gone, and shows one that it may not read as unknown", async () => {
    const { fake, provider } = await openPair();
    for (const marker of ["m-1", "m-2", "m-3"]) await provider.keys.create({ ...spec, marker }, call());
    fake.faults.add(
      { kind: "not-found", operation: "DescribeKey" },
      { kind: "access-denied", operation: "DescribeKey" },
    );
    const shown = await listed(provider);
    expect(shown).toHaveLength(2);
    expect(shown.filter(({ observed }) => observed === "unknown")).toEqual([
      expect.objectContaining({ nativeState: "AccessDeniedException", marker: expect.any(String), algorithm: null }),
    ]);
  });

  it.for(["ListAliases", "ListKeys", "DescribeKey"])("fails as a whole when %s fails", async (operation) => {
    const { fake, provider } = await openPair();
    await provider.keys.create({ ...spec, marker: "m-1" }, call());
    fake.faults.add({ kind: "error500", operation });
    expect((await faultOfRejected(provider, listed(provider))).failure).toBe("OUTAGE");
  });

  it("follows the markers of pages", async () => {
    const endpoint = await serve((operation, { Marker, KeyId }) => {
      if (operation === "DescribeKey") return { body: describeAnswer(String(KeyId).replace(/.*\//u, "")) };
      if (operation === "ListResourceTags") return { body: "{}" };
      const page = Marker === undefined ? "one" : "two";
      const tail = Marker === undefined ? { Truncated: true, NextMarker: "more" } : { Truncated: false };
      const Aliases = [{ AliasName: `alias/claviger-m-${page}`, TargetKeyId: page }];
      const Keys = [{ KeyId: page, KeyArn: arn(page) }];
      return { body: JSON.stringify(operation === "ListAliases" ? { Aliases, ...tail } : { Keys, ...tail }) };
    });
    const provider = await openProvider({ endpoint });
    expect((await listed(provider)).map(({ ref, marker }) => [ref, marker])).toEqual([
      [arn("one"), "m-one"],
      [arn("two"), "m-two"],
    ]);
  });

  it.for(["ListAliases", "ListKeys"])("is no whole list where %s breaks off", async (broken) => {
    const endpoint = await serve((operation) => ({
      body: JSON.stringify({ Aliases: [], Keys: [], Truncated: operation === broken }),
    }));
    const provider = await openProvider({ endpoint });
    expect((await faultOfRejected(provider, listed(provider))).failure).toBe("OUTAGE");
  });
});

describe("describe", () => {
  it.for([
    ["Enabled", "enabled"],
    ["Disabled", "disabled"],
    ["PendingImport", "material-missing"],
    ["PendingDeletion", "pending-destroy"],
    ["PendingReplicaDeletion", "pending-destroy"],
    ["Unavailable", "unavailable"],
    ["Creating", "unavailable"],
    ["Updating", "unavailable"],
    ["Vanishing", "unknown"],
  ] as const)("a key that is %s is %s", async ([KeyState, observed]) => {
    const endpoint = await serve((operation) => ({
      body: operation === "DescribeKey" ? describeAnswer("k", { KeyState }) : "{}",
    }));
    const provider = await openProvider({ endpoint });
    expect(await provider.describe(arn("k"), call())).toMatchObject({ observed, nativeState: KeyState, marker: null });
  });

  it.for([
    ["SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "AES-256-OPAQUE"],
    ["HMAC_512", "GENERATE_VERIFY_MAC", "HMAC-SHA-512"],
    ["ECC_NIST_P256", "SIGN_VERIFY", "EC-P256-SHA256"],
    ["ECC_NIST_P256", "KEY_AGREEMENT", "ECDH-P256"],
    ["ML_KEM_768", "ENCAPSULATE_DECAPSULATE", "ML-KEM-768"],
    ["RSA_2048", "SIGN_VERIFY", null],
    ["SM2", "SIGN_VERIFY", null],
  ] as const)("a key of %s for %s has the algorithm %s", async ([KeySpec, KeyUsage, algorithm]) => {
    const endpoint = await serve((operation) => ({
      body: operation === "DescribeKey" ? describeAnswer("k", { KeySpec, KeyUsage }) : "{}",
    }));
    const provider = await openProvider({ endpoint });
    expect(await provider.describe(arn("k"), call())).toMatchObject({ algorithm });
  });

  it("tells the dates of a deletion and of the making", async () => {
    const dates = { DeletionDate: 1_900_000_000.5, CreationDate: 1_800_000_000 };
    const endpoint = await serve((operation) => ({
      body: operation === "DescribeKey" ? describeAnswer("k", dates) : "{}",
    }));
    const provider = await openProvider({ endpoint });
    expect(await provider.describe(arn("k"), call())).toMatchObject({
      destroyTime: 1_900_000_000_500,
      createTime: 1_800_000_000_000,
    });
  });

  it("takes a key whose tags it may not read for another's", async () => {
    const { fake, provider } = await openPair();
    const { ref } = await provider.keys.create({ ...spec, marker: "m-1" }, call());
    fake.faults.add({ kind: "access-denied", operation: "ListResourceTags" });
    expect(await provider.describe(ref, call())).toMatchObject({ marker: null, observed: "enabled" });
    fake.faults.add({ kind: "throttle", operation: "ListResourceTags" });
    expect((await faultOfRejected(provider, provider.describe(ref, call()))).failure).toBe("THROTTLED");
  });

  it("of a key that never was is NOT_FOUND", async () => {
    const { provider } = await openPair();
    const ref = arn("0198c6f0-0000-7000-8000-000000000001");
    expect((await faultOfRejected(provider, provider.describe(ref, call()))).failure).toBe("NOT_FOUND");
  });

  it("without metadata is an outage", async () => {
    const provider = await openProvider({ endpoint: await serve(() => ({ body: "{}" })) });
    expect((await faultOfRejected(provider, provider.describe(arn("k"), call()))).failure).toBe("OUTAGE");
  });
});
