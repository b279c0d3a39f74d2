import { describe, expect, it } from "vitest";
import { collect, failureOf, openSubject } from "./subject.ts";

const DAY_MS = 86_400_000;

describe("keys of a vault", () => {
  it("are created, read with and without a version, and listed without their type", async () => {
    await using subject = await openSubject();
    const { keys } = subject;
    const first = await keys.createRsaKey("a", { tags: { of: "test" } });
    const second = await keys.createEcKey("a", { curve: "P-256K" });
    expect((await keys.getKey("a")).id).toBe(second.id);
    const read = await keys.getKey("a", { version: first.properties.version ?? "" });
    expect([read.keyType, read.properties.tags, read.keyOperations?.length]).toEqual(["RSA", { of: "test" }, 6]);
    expect(read.properties.recoveryLevel).toBe("Recoverable+Purgeable");
    expect(second.key?.crv).toBe("P-256K");
    expect(await collect(keys.listPropertiesOfKeys())).toHaveLength(1);
    expect(await collect(keys.listPropertiesOfKeyVersions("a"))).toHaveLength(2);
  });

  it("are listed in pages of at most 25", async () => {
    await using subject = await openSubject();
    for (let at = 0; at < 27; at += 1) await subject.keys.createEcKey(`k-${at}`);
    const names = (await collect(subject.keys.listPropertiesOfKeys())).map(({ name }) => name);
    expect(new Set(names).size).toBe(27);
    expect(subject.fake.calls.count("GetKeys")).toBe(2);
    const tooMany = collect(subject.keys.listPropertiesOfKeys().byPage({ maxPageSize: 26 }));
    expect(await failureOf(tooMany)).toEqual([400, "BadParameter", undefined]);
  });

  it("take new attributes, which are seen when the propagation is over", async () => {
    await using subject = await openSubject({ propagationMs: 60_000 });
    const { keys, fake } = subject;
    await keys.createEcKey("a");
    expect(await failureOf(keys.getKey("a"))).toEqual([404, "KeyNotFound", undefined]);
    fake.advance(60_000);
    const version = (await keys.getKey("a")).properties.version ?? "";
    const written = await keys.updateKeyProperties("a", version, { enabled: false });
    expect(written.properties.enabled).toBe(false);
    expect((await keys.getKey("a")).properties.enabled).toBe(true);
    fake.advance(60_000);
    expect((await keys.getKey("a")).properties.enabled).toBe(false);
  });

  it("are deleted softly, recovered, purged by hand and by date", async () => {
    await using subject = await openSubject({ retentionDays: 7 });
    const { keys, fake } = subject;
    await keys.createEcKey("a");
    const poller = await keys.beginDeleteKey("a", { intervalInMs: 1 });
    const deleted = await poller.pollUntilDone();
    const { deletedOn, scheduledPurgeDate, recoveryLevel } = deleted.properties;
    expect(Number(scheduledPurgeDate) - Number(deletedOn)).toBe(7 * DAY_MS);
    expect(recoveryLevel).toBe("CustomizedRecoverable+Purgeable");
    expect(await failureOf(keys.getKey("a"))).toEqual([404, "KeyNotFound", undefined]);
    expect(await failureOf(keys.createEcKey("a"))).toEqual([409, "Conflict", "ObjectIsDeletedButRecoverable"]);
    expect(await collect(keys.listDeletedKeys())).toHaveLength(1);
    await (await keys.beginRecoverDeletedKey("a", { intervalInMs: 1 })).pollUntilDone();
    expect((await keys.getKey("a")).properties.enabled).toBe(true);
    await keys.beginDeleteKey("a");
    await keys.purgeDeletedKey("a");
    await keys.createEcKey("a");
    await keys.beginDeleteKey("a");
    fake.advance(7 * DAY_MS);
    expect(await failureOf(keys.getDeletedKey("a"))).toEqual([404, "KeyNotFound", undefined]);
  });

  it("are in between while the deletion runs, and are not purged under purge protection", async () => {
    await using subject = await openSubject({ purgeProtection: true });
    const { keys, fake } = subject;
    await keys.createEcKey("a");
    fake.propagationMs = 1000;
    await keys.beginDeleteKey("a");
    expect(await failureOf(keys.createEcKey("a"))).toEqual([409, "Conflict", "ObjectIsBeingDeleted"]);
    fake.advance(1000);
    expect(await failureOf(keys.purgeDeletedKey("a"))).toEqual([403, "Forbidden", "ForbiddenByPolicy"]);
  });

  it("are backed up and restored with all versions, into another vault too", async () => {
    await using one = await openSubject();
    await using other = await openSubject();
    const { id } = await one.keys.createRsaKey("a");
    await one.keys.createEcKey("a");
    const { result } = await one.remote(id).encrypt("RSA-OAEP-256", Buffer.from("kept"));
    const blob = (await one.keys.backupKey("a")) ?? new Uint8Array();
    expect((await failureOf(one.keys.restoreKeyBackup(blob)))[0]).toBe(409);
    await other.keys.restoreKeyBackup(blob);
    const moved = id?.replace(one.fake.vaultUrl, other.fake.vaultUrl);
    const opened = await other.remote(moved).decrypt("RSA-OAEP-256", result);
    expect(Buffer.from(opened.result).toString()).toBe("kept");
    expect((await failureOf(other.keys.restoreKeyBackup(blob.subarray(1))))[0]).toBe(400);
  });

  it("are rotated, and keep a policy of rotation", async () => {
    await using subject = await openSubject();
    const { keys } = subject;
    const first = await keys.createEcKey("a", { curve: "P-384" });
    const next = await keys.rotateKey("a");
    expect([next.key?.crv, next.id === first.id]).toEqual(["P-384", false]);
    await keys.updateKeyRotationPolicy("a", {
      expiresIn: "P90D",
      lifetimeActions: [{ action: "Rotate", timeAfterCreate: "P30D" }],
    });
    expect((await keys.getKeyRotationPolicy("a")).lifetimeActions?.[0]?.action).toBe("Rotate");
  });

  it("are refused with more than 15 tags, an unknown curve or symmetric material", async () => {
    await using subject = await openSubject();
    const tags = Object.fromEntries(Array.from({ length: 16 }, (_, at) => [`t${at}`, "v"]));
    const bad = [400, "BadParameter", undefined];
    expect(await failureOf(subject.keys.createEcKey("a", { tags }))).toEqual(bad);
    expect(await failureOf(subject.keys.createEcKey("a", { curve: "P-1" }))).toEqual(bad);
    expect(await failureOf(subject.keys.createOctKey("a", { hsm: true }))).toEqual(bad);
  });
});
