import { describe, expect, it } from "vitest";
import type { AzureStand } from "./open-stand.ts";
import { adapterOf, call, faultOfRejected, listed, makeKey, openPair } from "./stand.ts";

const EC = "EC-P256-SHA256";
const DAY_MS = 86_400_000;

/** The one version of a key that was made with Microsoft's client. */
async function foreign(stand: AzureStand, options: { keyOps?: string[]; notBefore?: Date; expiresOn?: Date } = {}) {
  const { id } = await stand.keys().createEcKey("theirs", options);
  return id ?? expect.fail("no identifier");
}

describe("creation", () => {
  it("answers the first version where several were made at once, and disables the others", async () => {
    const { stand, fake, provider } = await openPair();
    const handles = [provider, adapterOf(await stand.open()), adapterOf(await stand.open())];
    const spec = { algorithm: EC, marker: "raced", description: "" } as const;
    const made = await Promise.all(handles.map(async ({ keys }) => await keys.create(spec, call())));
    const [ref] = new Set(made.map((one) => one.ref));
    expect(new Set(made.map((one) => one.ref)).size).toBe(1);
    expect(fake.calls.count("CreateKey")).toBe(3);
    const versions: { id: string | undefined; enabled: boolean | undefined }[] = [];
    for await (const { id, enabled } of stand.keys().listPropertiesOfKeyVersions("claviger-raced"))
      versions.push({ id, enabled });
    expect(versions.filter(({ enabled }) => enabled)).toEqual([{ id: ref, enabled: true }]);
    expect((await listed(provider)).filter(({ marker }) => marker === "raced")).toHaveLength(1);
  });

  it("keeps to the first version when another hand makes a later one", async () => {
    const { stand, provider } = await openPair();
    const first = await provider.keys.create({ algorithm: EC, marker: "rotated", description: "" }, call());
    stand.advance(DAY_MS);
    await stand.keys().rotateKey("claviger-rotated");
    expect((await provider.keys.create({ algorithm: EC, marker: "rotated", description: "" }, call())).ref).toBe(
      first.ref,
    );
    expect((await provider.describe(first.ref, call())).observed).toBe("enabled");
  });

  it("makes keys with one purpose, of HSM types where the options say so, and says whose they are", async () => {
    const { fake, provider } = await openPair({ hardwareProtected: true });
    await provider.keys.create({ algorithm: EC, marker: "m", description: "for a test" }, call());
    const { input } = fake.calls.of("CreateKey").at(-1) ?? expect.fail();
    expect(input).toMatchObject({ kty: "EC-HSM", crv: "P-256", key_ops: ["sign", "verify"] });
    expect(input["tags"]).toEqual({
      "claviger-marker": "m",
      "claviger-owner": "claviger",
      "claviger-algorithm": EC,
      "claviger-description": "for a test",
    });
  });

  it("refuses a name that is that of a key of another kind, and the canary's marker", async () => {
    const { provider } = await openPair();
    await provider.keys.create({ algorithm: EC, marker: "m", description: "" }, call());
    const other = provider.keys.create({ algorithm: "EC-P384-SHA384", marker: "m", description: "" }, call());
    expect((await faultOfRejected(provider, other)).detail).toBe(
      "the name of the marker is that of a key of another kind",
    );
    const canary = provider.keys.create({ algorithm: EC, marker: "canary", description: "" }, call());
    expect((await faultOfRejected(provider, canary)).failure).toBe("INTERNAL");
  });

  it("answers a deleted key that carries the marker as pending", async () => {
    const { stand, provider } = await openPair();
    const spec = { algorithm: EC, marker: "gone", description: "" } as const;
    const { ref } = await provider.keys.create(spec, call());
    await provider.keys.scheduleDestruction(ref, 90, call());
    stand.advance(DAY_MS);
    expect(await provider.keys.create(spec, call())).toMatchObject({ ref, observed: "pending-destroy" });
  });

  it("whose answer is lost is found by the next", async () => {
    const { fake, provider } = await openPair();
    const spec = { algorithm: EC, marker: "lost", description: "" } as const;
    fake.faults.add({ kind: "lost-answer", operation: "CreateKey" });
    expect((await faultOfRejected(provider, provider.keys.create(spec, call()))).failure).toBe("UNKNOWN_OUTCOME");
    expect(await provider.keys.create(spec, call())).toMatchObject({ observed: "enabled", marker: "lost" });
    expect(fake.calls.count("CreateKey")).toBe(1);
  });
});

describe("the observation of a key", () => {
  it("goes by its dates and its key_ops", async () => {
    const { stand, provider } = await openPair();
    const now = stand.sources.clock.now();
    const at = (ms: number) => new Date(now + ms);
    const seen = async (options: Parameters<typeof foreign>[1]) =>
      (await provider.describe(await foreign(stand, options), call())).observed;
    expect(await seen({})).toBe("enabled");
    expect(await seen({ notBefore: at(DAY_MS) })).toBe("preactive");
    expect(await seen({ notBefore: at(-2 * DAY_MS), expiresOn: at(-DAY_MS) })).toBe("process-only");
    expect(await seen({ expiresOn: at(DAY_MS) })).toBe("enabled");
    expect(await seen({ keyOps: ["verify"] })).toBe("process-only");
    expect(await seen({ keyOps: ["sign"] })).toBe("enabled");
  });

  it("of another's key tells an algorithm only where there is one", async () => {
    const { stand, provider } = await openPair();
    expect((await provider.describe(await foreign(stand), call())).algorithm).toBe(EC);
    const { id = "" } = await stand.keys().createRsaKey("theirs-too");
    expect(await provider.describe(id, call())).toMatchObject({ algorithm: null, marker: null });
  });
});

describe("restriction", () => {
  it("takes key_ops away and gives back those that there were, in one request each", async () => {
    const { stand, fake, provider } = await openPair();
    const ref = await foreign(stand, { keyOps: ["sign"] });
    await stand.keys().updateKeyProperties("theirs", { tags: { team: "a" } });
    fake.calls.clear();
    await provider.keys.restrict(ref, call());
    expect(await stand.keys().getKey("theirs")).toMatchObject({
      keyOperations: ["verify"],
      properties: { tags: { team: "a", "claviger-key-ops": "sign" } },
    });
    await provider.keys.restrict(ref, call());
    await provider.keys.enable(ref, call());
    expect(fake.calls.count("UpdateKey")).toBe(3);
    const { keyOperations, properties } = await stand.keys().getKey("theirs");
    expect([keyOperations, properties.tags]).toEqual([["sign"], { team: "a" }]);
  });

  it("is for versions: the others of a key stay as they are", async () => {
    const { stand, provider } = await openPair();
    const ref = await foreign(stand);
    const later = await foreign(stand);
    await provider.keys.disable(ref, call());
    expect((await provider.describe(ref, call())).observed).toBe("disabled");
    expect((await provider.describe(later, call())).observed).toBe("enabled");
  });
});

describe("destruction", () => {
  it("is refused where the vault has another window, with what to do, and the key stays as it was", async () => {
    const { fake, provider } = await openPair({ retentionDays: 30, configuredDays: 90 });
    const { ref } = await makeKey(provider);
    expect(provider.capabilities.destructionDays).toEqual({ min: 90, max: 90 });
    const { detail } = await faultOfRejected(provider, provider.keys.scheduleDestruction(ref, 90, call()));
    expect(detail).toBe("unsupported: the vault keeps deleted keys for 30 days, not 90: set retentionDays to 30");
    expect((await provider.describe(ref, call())).observed).toBe("enabled");
    expect(fake.calls.count("DeleteKey")).toBe(0);
  });

  it("leaves a key disabled that is recovered", async () => {
    const { provider } = await openPair();
    const { ref } = await makeKey(provider);
    await provider.keys.scheduleDestruction(ref, 90, call());
    expect(await provider.keys.cancelDestruction(ref, call())).toMatchObject({ ref, observed: "disabled" });
  });

  it("is refused for one version of another's key, which has more", async () => {
    const { stand, fake, provider } = await openPair();
    const ref = await foreign(stand);
    await foreign(stand);
    const fault = await faultOfRejected(provider, provider.keys.scheduleDestruction(ref, 90, call()));
    expect(fault.detail).toBe("unsupported: the key has 2 versions, which the service deletes together");
    expect([fake.calls.count("DeleteKey"), fake.calls.count("UpdateKey")]).toEqual([0, 0]);
  });

  it("whose answer is lost is UNKNOWN_OUTCOME, and may be repeated", async () => {
    const { fake, provider } = await openPair();
    const { ref } = await makeKey(provider);
    fake.faults.add({ kind: "lost-answer", operation: "DeleteKey" });
    const lost = provider.keys.scheduleDestruction(ref, 90, call());
    expect((await faultOfRejected(provider, lost)).failure).toBe("UNKNOWN_OUTCOME");
    expect((await provider.keys.scheduleDestruction(ref, 90, call())).observed).toBe("pending-destroy");
    expect(fake.calls.count("DeleteKey")).toBe(1);
  });

  it("waits while the service does not show a recovered key yet", async () => {
    const { fake, provider } = await openPair();
    const { ref } = await makeKey(provider);
    await provider.keys.scheduleDestruction(ref, 90, call());
    fake.faults.add({ kind: "not-found", operation: "GetKey", repeat: 3 });
    expect((await provider.keys.cancelDestruction(ref, call())).observed).toBe("disabled");
  });
});

describe("the list", () => {
  it("shows deleted keys, each version of others' keys, and a key that may not be read as unknown", async () => {
    const { stand, fake, provider } = await openPair();
    const { ref: gone } = await makeKey(provider);
    await provider.keys.scheduleDestruction(gone, 90, call());
    const theirs = [await foreign(stand), await foreign(stand)];
    const seen = await listed(provider);
    expect(Object.fromEntries(seen.map(({ ref, observed }) => [ref, observed]))).toEqual({
      [gone]: "pending-destroy",
      ...Object.fromEntries(theirs.map((ref) => [ref, "enabled"])),
    });
    expect(seen).toHaveLength(3);
    fake.forbidden.set("GetKey", "ForbiddenByRbac");
    expect((await listed(provider)).filter(({ observed }) => observed === "unknown")).toHaveLength(2);
  });

  it("that breaks off is a failure, not a shorter list", async () => {
    const { stand, fake, provider } = await openPair();
    await Promise.all(Array.from({ length: 30 }, async (_, at) => await stand.keys().createEcKey(`k-${at}`)));
    expect(await listed(provider)).toHaveLength(30);
    fake.forbidden.set("GetDeletedKeys", "ForbiddenByRbac");
    expect((await faultOfRejected(provider, listed(provider))).failure).toBe("DENIED");
  });
});

describe("identity", () => {
  it("is another for a vault that was made anew", async () => {
    const [one, two] = [await openPair(), await openPair()];
    const uids = [await one.provider.identify(call()), await two.provider.identify(call())].map(({ uid }) => uid);
    expect(uids[0]).toMatch(/^azure-key-vault:https:.*\/keys\/claviger-canary\/[0-9a-f]{32}$/u);
    expect(uids[0]).not.toBe(uids[1]);
  });
});
