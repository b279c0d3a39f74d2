import { describe, expect, it } from "vitest";
import type { Scheduler } from "#core/clock.ts";
import { call, credentials, faultOfRejected, listed, openPair, openProvider } from "./open.ts";
import { type Reply, serve } from "./serve.ts";

const spec = { algorithm: "AES-256-OPAQUE", marker: "m-1", description: "one of ours" } as const;
const DAY_MS = 86_400_000;

describe("create", () => {
  it("makes an enabled key with tags and an alias", async () => {
    const { fake, provider } = await openPair();
    const key = await provider.keys.create(spec, call());
    expect(key).toEqual({
      ref: expect.stringMatching(/^arn:aws:kms:us-east-1:111122223333:key\//u),
      observed: "enabled",
      nativeState: "Enabled",
      algorithm: "AES-256-OPAQUE",
      marker: "m-1",
      destroyTime: null,
      createTime: expect.any(Number),
      requestId: fake.calls.of("CreateKey")[0]?.requestId,
    });
    expect(fake.calls.of("CreateKey")[0]?.input).toMatchObject({
      Description: "one of ours",
      Tags: [
        { TagKey: "claviger:marker", TagValue: "m-1" },
        { TagKey: "claviger:owner", TagValue: "claviger" },
      ],
    });
    expect(fake.calls.of("CreateAlias")[0]?.input).toEqual({ AliasName: "alias/claviger-m-1", TargetKeyId: key.ref });
  });

  it("answers the key that has the marker already", async () => {
    const { fake, provider } = await openPair();
    const first = await provider.keys.create(spec, call());
    const second = await provider.keys.create(spec, call());
    expect(second).toEqual({ ...first, requestId: expect.any(String) });
    expect(fake.calls.count("CreateKey")).toBe(1);
  });

  it("makes one key of many that ask at once, and discards the others", async () => {
    const { provider } = await openPair();
    const keys = await Promise.all(Array.from({ length: 8 }, async () => await provider.keys.create(spec, call())));
    expect(new Set(keys.map(({ ref }) => ref)).size).toBe(1);
    const states = (await listed(provider)).map(({ observed, marker }) => `${observed} ${marker}`);
    expect(states.filter((state) => state === "enabled m-1")).toHaveLength(1);
    expect(states.filter((state) => state !== "enabled m-1" && state !== "pending-destroy null")).toEqual([]);
  });

  it("refuses an alias that names a key of another kind", async () => {
    const { fake, provider } = await openPair();
    const sdk = await import("@aws-sdk/client-kms");
    const client = new sdk.KMSClient({ endpoint: fake.endpoint, region: "us-east-1", credentials: plain() });
    const { KeyMetadata } = await client.send(
      new sdk.CreateKeyCommand({ KeySpec: "RSA_2048", KeyUsage: "SIGN_VERIFY" }),
    );
    const alias = { AliasName: "alias/claviger-m-1", TargetKeyId: KeyMetadata?.KeyId };
    await client.send(new sdk.CreateAliasCommand(alias));
    client.destroy();
    expect((await faultOfRejected(provider, provider.keys.create(spec, call()))).failure).toBe("INTERNAL");
  });

  it.for([
    { name: "an algorithm that the service does not have", change: { algorithm: "AES-256-GCM" } },
    { name: "an empty marker", change: { marker: "" } },
    { name: "a marker that leaves its alias", change: { marker: "../x" } },
    { name: "a marker of 65 characters", change: { marker: "a".repeat(65) } },
    { name: "the canary's marker", change: { marker: "canary" } },
  ] as const)("refuses $name before the call", async ({ change }) => {
    const { fake, provider } = await openPair();
    const fault = await faultOfRejected(provider, provider.keys.create({ ...spec, ...change }, call()));
    expect(fault.failure).toBe("INTERNAL");
    expect(fake.calls.count()).toBe(0);
  });
});

describe("create that fails on its way", () => {
  it("is an outage while nothing was sent to change anything", async () => {
    const { fake, provider } = await openPair();
    fake.faults.add({ kind: "error500", operation: "DescribeKey" });
    expect((await faultOfRejected(provider, provider.keys.create(spec, call()))).failure).toBe("OUTAGE");
    expect(fake.calls.count("CreateKey")).toBe(0);
  });

  it.for(["lost-answer", "reset-mid-body", "error500", "empty-200", "garbage"] as const)(
    "has an unknown outcome when CreateKey ends as %s",
    async (kind) => {
      const { fake, provider } = await openPair();
      fake.faults.add({ kind, operation: "CreateKey" });
      expect((await faultOfRejected(provider, provider.keys.create(spec, call()))).failure).toBe("UNKNOWN_OUTCOME");
    },
  );

  it("is answered by the key itself when CreateAlias was made and its answer lost", async () => {
    const { fake, provider } = await openPair();
    fake.faults.add({ kind: "lost-answer", operation: "CreateAlias" });
    expect((await faultOfRejected(provider, provider.keys.create(spec, call()))).failure).toBe("UNKNOWN_OUTCOME");
    expect(await provider.keys.create(spec, call())).toMatchObject({ marker: "m-1", observed: "enabled" });
    expect(fake.calls.count("CreateKey")).toBe(1);
    expect(fake.calls.count("ScheduleKeyDeletion")).toBe(0);
  });

  it("leaves no usable key behind when the alias is denied, and says why", async () => {
    const { fake, provider } = await openPair();
    fake.faults.add({ kind: "access-denied", operation: "CreateAlias" });
    expect((await faultOfRejected(provider, provider.keys.create(spec, call()))).failure).toBe("DENIED");
    expect((await listed(provider)).map(({ observed }) => observed)).toEqual(["pending-destroy"]);
  });

  it("says why the alias was denied even if the key cannot be discarded", async () => {
    const { fake, provider } = await openPair();
    fake.faults.add({ kind: "access-denied", operation: "CreateAlias" });
    fake.faults.add({ kind: "throttle", operation: "ScheduleKeyDeletion" });
    expect((await faultOfRejected(provider, provider.keys.create(spec, call()))).failure).toBe("DENIED");
  });

  it("is exhausted at the limit of keys", async () => {
    const { fake, provider } = await openPair();
    fake.keyLimit = 0;
    expect((await faultOfRejected(provider, provider.keys.create(spec, call()))).failure).toBe("EXHAUSTED");
  });
});

describe("create before the service sees its own key", () => {
  /** Timers that have passed as soon as they are asked for. */
  function hasty(): { scheduler: Scheduler; delays: number[] } {
    const delays: number[] = [];
    const after: Scheduler["after"] = (delayMs, run) => {
      delays.push(delayMs);
      queueMicrotask(run);
      return { [Symbol.dispose]: () => undefined };
    };
    return { scheduler: { after }, delays };
  }

  it("asks for the alias again until the key is seen", async () => {
    const { scheduler, delays } = hasty();
    const { fake, provider } = await openPair({}, { scheduler });
    fake.faults.add({ kind: "not-found", operation: "CreateAlias", repeat: 3 });
    expect(await provider.keys.create(spec, call())).toMatchObject({ marker: "m-1", observed: "enabled" });
    expect(delays).toEqual([100, 200, 400]);
    expect(fake.calls.count("CreateKey")).toBe(1);
  });

  it("gives up after some three seconds, and discards the key", async () => {
    const { scheduler, delays } = hasty();
    const { fake, provider } = await openPair({}, { scheduler });
    fake.faults.add({ kind: "not-found", operation: "CreateAlias", repeat: "forever" });
    expect((await faultOfRejected(provider, provider.keys.create(spec, call()))).failure).toBe("OUTAGE");
    expect(delays).toEqual([100, 200, 400, 800, 1600]);
    expect(fake.calls.count("ScheduleKeyDeletion")).toBe(1);
  });

  it.for([
    { name: "as the wait begins", soon: (run: () => void) => run() },
    { name: "within the wait", soon: queueMicrotask },
  ])("ends when the caller's signal fires $name", async ({ soon }) => {
    const controller = new AbortController();
    const scheduler: Scheduler = {
      after: () => {
        soon(() => controller.abort());
        return { [Symbol.dispose]: () => undefined };
      },
    };
    const { fake, provider } = await openPair({}, { scheduler });
    fake.faults.add({ kind: "not-found", operation: "CreateAlias", repeat: "forever" });
    const creating = provider.keys.create(spec, call(controller.signal));
    expect((await faultOfRejected(provider, creating)).failure).toBe("CANCELLED");
    expect(fake.calls.count("CreateAlias")).toBe(1);
  });
});

describe("create whose alias exists all of a sudden", () => {
  const made = { KeyId: "k", Arn: "arn:aws:kms:us-east-1:111122223333:key/k", KeyState: "Enabled" };
  const metadata = { ...made, KeySpec: "SYMMETRIC_DEFAULT", KeyUsage: "ENCRYPT_DECRYPT" };
  const missing = { status: 400, body: `{"__type":"NotFoundException"}` };
  const taken = { status: 400, body: `{"__type":"AlreadyExistsException"}` };
  const shown = { body: JSON.stringify({ KeyMetadata: metadata }) };

  async function openScript(describeKey: readonly Reply[]) {
    const asked: string[] = [];
    const endpoint = await serve((operation) => {
      asked.push(operation);
      if (operation === "CreateKey") return shown;
      if (operation === "CreateAlias") return taken;
      if (operation === "ListResourceTags") return { body: "{}" };
      return describeKey[asked.filter((name) => name === operation).length - 1] ?? missing;
    });
    return { asked, provider: await openProvider({ endpoint }) };
  }

  it("answers its own key, if that is what the alias names: somebody in between sent the request twice", async () => {
    const { asked, provider } = await openScript([missing, shown]);
    expect(await provider.keys.create(spec, call())).toMatchObject({ ref: made.Arn, marker: "m-1" });
    expect(asked).toEqual(["DescribeKey", "CreateKey", "CreateAlias", "DescribeKey", "ListResourceTags"]);
  });

  it("has an unknown outcome while nobody sees what the alias names", async () => {
    const { asked, provider } = await openScript([missing, missing]);
    const fault = await faultOfRejected(provider, provider.keys.create(spec, call()));
    expect(fault).toMatchObject({ failure: "UNKNOWN_OUTCOME", nativeCode: "AlreadyExistsException" });
    expect(asked).toEqual(["DescribeKey", "CreateKey", "CreateAlias", "DescribeKey"]);
  });
});

describe("states", () => {
  it("disable, enable, schedule and cancel show where the key is then", async () => {
    const { fake, provider } = await openPair();
    const { keys } = provider;
    const { ref } = await keys.create(spec, call());
    expect(await keys.disable(ref, call())).toMatchObject({ ref, observed: "disabled", marker: "m-1" });
    expect(await keys.enable(ref, call())).toMatchObject({ observed: "enabled", marker: "m-1" });
    const pending = await keys.scheduleDestruction(ref, 7, call());
    expect(pending).toMatchObject({ observed: "pending-destroy", nativeState: "PendingDeletion" });
    expect(Math.abs((pending.destroyTime ?? 0) - Date.now() - 7 * DAY_MS)).toBeLessThan(60_000);
    expect(await keys.cancelDestruction(ref, call())).toMatchObject({ observed: "disabled", destroyTime: null });
    expect(pending.requestId).toBe(fake.calls.of("ScheduleKeyDeletion")[0]?.requestId);
  });

  it("each can be said twice", async () => {
    const { provider } = await openPair();
    const { keys } = provider;
    const { ref } = await keys.create(spec, call());
    for (const observed of ["disabled", "disabled"]) {
      expect(await keys.disable(ref, call())).toMatchObject({ observed });
    }
    for (const observed of ["enabled", "enabled"]) {
      expect(await keys.enable(ref, call())).toMatchObject({ observed });
    }
    const first = await keys.scheduleDestruction(ref, 30, call());
    const second = await keys.scheduleDestruction(ref, 7, call());
    expect(second).toMatchObject({ observed: "pending-destroy", destroyTime: first.destroyTime });
    for (const observed of ["disabled", "disabled"]) {
      expect(await keys.cancelDestruction(ref, call())).toMatchObject({ observed });
    }
  });

  it("a change that the state forbids is STATE", async () => {
    const { provider } = await openPair();
    const { ref } = await provider.keys.create(spec, call());
    await provider.keys.scheduleDestruction(ref, 7, call());
    expect((await faultOfRejected(provider, provider.keys.enable(ref, call()))).failure).toBe("STATE");
    expect((await faultOfRejected(provider, provider.keys.disable(ref, call()))).failure).toBe("STATE");
  });

  it("a window of 6, 31 or half days is refused before the call", async () => {
    const { fake, provider } = await openPair();
    for (const days of [6, 31, 7.5, Number.NaN]) {
      const fault = await faultOfRejected(provider, provider.keys.scheduleDestruction("arn", days, call()));
      expect(fault.failure).toBe("INTERNAL");
    }
    expect(fake.calls.count()).toBe(0);
  });

  it("a key whose date has passed is NOT_FOUND", async () => {
    const { fake, provider } = await openPair();
    const { ref } = await provider.keys.create(spec, call());
    await provider.keys.scheduleDestruction(ref, 7, call());
    fake.advance(8 * DAY_MS);
    expect((await faultOfRejected(provider, provider.describe(ref, call()))).failure).toBe("NOT_FOUND");
  });

  it.for(["enable", "disable", "cancelDestruction"] as const)(
    "%s has an unknown outcome when its answer is lost, or the key cannot be read back",
    async (change) => {
      const { fake, provider } = await openPair();
      const { ref } = await provider.keys.create(spec, call());
      if (change === "cancelDestruction") await provider.keys.scheduleDestruction(ref, 7, call());
      const operation = { enable: "EnableKey", disable: "DisableKey", cancelDestruction: "CancelKeyDeletion" }[change];
      for (const fault of [{ operation }, { operation: "DescribeKey" }]) {
        fake.faults.add({ kind: "lost-answer", ...fault });
        const { failure } = await faultOfRejected(provider, provider.keys[change](ref, call()));
        expect(failure).toBe("UNKNOWN_OUTCOME");
      }
    },
  );
});

describe("credentials", () => {
  it("control changes and lists, data does the rest", async () => {
    const { fake, provider } = await openPair({
      credentials: { data: credentials("DATA"), control: credentials("CTRL") },
    });
    const { ref } = await provider.keys.create(spec, call());
    await provider.keys.disable(ref, call());
    await provider.keys.restrict(ref, call());
    await provider.keys.enable(ref, call());
    await provider.keys.scheduleDestruction(ref, 7, call());
    await provider.keys.cancelDestruction(ref, call());
    await provider.describe(ref, call());
    await provider.random.randomBytes(1, call());
    const { canary } = await provider.identify(call());
    await provider.probe(canary, call());
    const used = new Set(fake.calls.all.map(({ operation, accessKeyId }) => `${accessKeyId} ${operation}`));
    expect([...used].toSorted()).toEqual([
      "CTRL CancelKeyDeletion",
      "CTRL CreateAlias",
      "CTRL CreateKey",
      "CTRL DisableKey",
      "CTRL EnableKey",
      "CTRL GetKeyPolicy",
      "CTRL PutKeyPolicy",
      "CTRL ScheduleKeyDeletion",
      "CTRL TagResource",
      "CTRL UntagResource",
      "DATA Decrypt",
      "DATA DescribeKey",
      "DATA Encrypt",
      "DATA GenerateRandom",
      "DATA ListResourceTags",
    ]);
    fake.calls.clear();
    await listed(provider);
    expect(new Set(fake.calls.all.map(({ accessKeyId }) => accessKeyId))).toEqual(new Set(["CTRL"]));
  });

  it("without control, data does both", async () => {
    const { fake, provider } = await openPair({ credentials: { data: credentials("DATA") } });
    await provider.keys.create(spec, call());
    expect(new Set(fake.calls.all.map(({ accessKeyId }) => accessKeyId))).toEqual(new Set(["DATA"]));
  });

  it("that the service does not know are CREDENTIALS", async () => {
    const known = { accessKeyId: "AKIAKNOWN", secretAccessKey: "x" };
    const { fake } = await openPair({}, { fake: { credentials: [known] } });
    const stranger = await openProvider({
      endpoint: fake.endpoint,
      credentials: { data: credentials("AKIASTRANGER") },
    });
    expect((await faultOfRejected(stranger, stranger.identify(call()))).failure).toBe("CREDENTIALS");
  });
});

function plain() {
  return { accessKeyId: "AKIAPLAIN", secretAccessKey: "secret" };
}
