import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { KeyId } from "#core/ids.ts";
import { dyingKeys, dyingVersions, finishDestruction } from "#broker/finish-destruction.ts";
import { openOffline } from "#offline/open.ts";
import { Estate } from "./estate.ts";

const DAY_MS = 86_400_000;
const HOST = { environment: {}, readText: () => "" };

let estate: Estate;
beforeEach(async () => {
  estate = await Estate.create();
}, 60_000);
afterEach(async () => {
  await estate[Symbol.asyncDispose]();
}, 60_000);

/** A key with two versions and a ciphertext of each; deactivated, so that it can be destroyed. */
async function makeKey(name: string): Promise<{ readonly id: KeyId; readonly ciphertexts: readonly string[] }> {
  const { id } = await estate.succeed("POST", "/v1/keys", { name });
  const ciphertexts: string[] = [];
  for (let n = 0; n < 2; n += 1) {
    if (n > 0) await estate.succeed("POST", `/v1/keys/${name}/rotate`);
    const { ciphertext } = await estate.succeed("POST", `/v1/keys/${name}/encrypt`, { plaintext: "cGxhaW4=" });
    ciphertexts.push(String(ciphertext));
  }
  return { id: id as KeyId, ciphertexts };
}

/** Every seal of a key's versions, as the store has them. */
function sealsOf(id: KeyId): readonly string[] {
  return estate.gateway.parts.catalog.versions(id).flatMap(({ seal }) => seal ?? []);
}

const destroy = { confirmName: "doomed", windowDays: 7 };

describe("the destruction of a portable key", () => {
  it("waits for its window, in which nothing can be done with the key, and can be cancelled", async () => {
    const { ciphertexts } = await makeKey("doomed");
    expect(await estate.ask("POST", "/v1/keys/doomed/destroy", destroy)).toMatchObject({
      status: 409,
      body: { code: "ILLEGAL_TRANSITION" },
    });
    await estate.succeed("POST", "/v1/keys/doomed/deactivate", { reason: "superseded" });
    const wrongName = await estate.ask("POST", "/v1/keys/doomed/destroy", { ...destroy, confirmName: "other" });
    expect(wrongName).toMatchObject({ status: 400, body: { code: "INVALID_ARGUMENT" } });
    const pending = await estate.succeed("POST", "/v1/keys/doomed/destroy", destroy);
    expect(pending).toMatchObject({ state: "deactivated", stateReason: "destroy-pending" });
    const [ciphertext] = ciphertexts;
    expect(await estate.ask("POST", "/v1/decrypt", { ciphertext })).toMatchObject({
      status: 409,
      body: { code: "KEY_NOT_ACTIVE" },
    });
    expect([...dyingKeys(estate.gateway.parts)]).toEqual([]);
    await estate.succeed("POST", "/v1/keys/doomed/cancel-destroy");
    expect(await estate.succeed("POST", "/v1/decrypt", { ciphertext })).toMatchObject({ plaintext: "cGxhaW4=" });
  });

  it("erases every seal, from the database, its files and the journal, and leaves the others", async () => {
    const doomed = await makeKey("doomed");
    const kept = await makeKey("kept");
    const seals = sealsOf(doomed.id);
    expect(seals).toHaveLength(2);
    for (const seal of seals) expect(await estate.filesWith(seal)).toContain("journal.jsonl");
    await estate.succeed("POST", "/v1/keys/doomed/deactivate", { reason: "superseded" });
    await estate.succeed("POST", "/v1/keys/doomed/destroy", destroy);
    estate.advance(7 * DAY_MS);
    await estate.finish();
    for (const seal of seals) expect(await estate.filesWith(seal)).toEqual([]);
    expect(await estate.succeed("GET", "/v1/keys/doomed")).toMatchObject({ state: "destroyed", stateReason: "normal" });
    for (const ciphertext of doomed.ciphertexts)
      expect(await estate.ask("POST", "/v1/decrypt", { ciphertext })).toMatchObject({
        status: 410,
        body: { code: "KEY_DESTROYED" },
      });
    const { items } = await estate.succeed("GET", "/v1/keys/doomed/history");
    const last = (items as Record<string, unknown>[]).find(({ action }) => action === "destroyed");
    expect(last).toMatchObject({
      reason: "known-copies",
      detail: expect.stringMatching(/versions 1, 2 are .* hsm-a, hsm-b$/u) as string,
    });
    const journal = join(estate.folder, "journal.jsonl");
    const open = async (ciphertext: string): Promise<Buffer> =>
      await openOffline({ ciphertext, journal, provider: "hsm-a", context: {} }, HOST);
    for (const ciphertext of kept.ciphertexts) expect((await open(ciphertext)).toString()).toBe("plain");
    await expect(open(doomed.ciphertexts[0] ?? "")).rejects.toMatchObject({ code: "KEY_DESTROYED" });
    await estate.close();
    await estate.open();
    expect(await estate.ask("POST", "/v1/keys/doomed/encrypt", { plaintext: "" })).toMatchObject({ status: 410 });
    expect(await estate.succeed("POST", "/v1/decrypt", { ciphertext: kept.ciphertexts[1] })).toMatchObject({
      plaintext: "cGxhaW4=",
    });
    for (const seal of seals) expect(await estate.filesWith(seal)).toEqual([]);
  });

  it("finishes what a crash has cut off", async () => {
    const { id } = await makeKey("doomed");
    const seals = sealsOf(id);
    await estate.succeed("POST", "/v1/keys/doomed/deactivate", { reason: "revoked" });
    await estate.succeed("POST", "/v1/keys/doomed/destroy", destroy);
    estate.advance(7 * DAY_MS);
    const { parts } = estate.gateway;
    const [key] = dyingKeys(parts);
    if (key === undefined) return expect.fail("no key is dying");
    const cutOff = {
      ...parts,
      journal: { ...parts.journal, append: async () => await Promise.reject(new Error("cut off")) },
    };
    const trail = { ...parts.audit, append: async () => await Promise.reject(new Error("cut off")), available: true };
    await expect(finishDestruction({ ...cutOff, audit: trail }, key)).rejects.toThrow("cut off");
    await estate.close();
    await estate.open();
    await estate.finish();
    expect(await estate.succeed("GET", "/v1/keys/doomed")).toMatchObject({ state: "destroyed" });
    for (const seal of seals) expect(await estate.filesWith(seal)).toEqual([]);
  });

  it("is provable where the recipients are the key's own: they go with it", async () => {
    const { id } = await estate.succeed("POST", "/v1/keys", {
      name: "doomed",
      custody: { kind: "portable", dedicated: true },
    });
    const { catalog, fleet } = estate.gateway.parts;
    const own = [...catalog.recipients()].filter(({ dedicatedTo }) => dedicatedTo === id);
    expect(own).toHaveLength(2);
    await estate.succeed("POST", "/v1/keys/doomed/deactivate", { reason: "superseded" });
    await estate.succeed("POST", "/v1/keys/doomed/destroy", destroy);
    estate.advance(7 * DAY_MS);
    await estate.finish();
    const { items } = await estate.succeed("GET", "/v1/keys/doomed/history");
    expect((items as Record<string, unknown>[]).at(-1)).toMatchObject({ action: "destroyed" });
    for (const { providerUid, nativeRef } of own) {
      const provider = fleet.memberByUid(providerUid)?.provider ?? expect.fail("it is not open");
      const call = { signal: new AbortController().signal, requestId: "test" };
      expect(["destroyed", "pending-destroy"]).toContain((await provider.describe(nativeRef, call)).observed);
    }
  });

  it("is at once for a key that was never active", async () => {
    const { id } = await estate.succeed("POST", "/v1/keys", { name: "doomed", activate: false });
    const seals = sealsOf(id as KeyId);
    expect(await estate.succeed("POST", "/v1/keys/doomed/destroy", destroy)).toMatchObject({ state: "destroyed" });
    await estate.finish();
    for (const seal of seals) expect(await estate.filesWith(seal)).toEqual([]);
  });

  it("wants the plan that was looked at, where one is named", async () => {
    await makeKey("doomed");
    await estate.succeed("POST", "/v1/keys/doomed/deactivate", { reason: "superseded" });
    const { planHash } = await estate.succeed("POST", "/v1/keys/doomed/destroy?dryRun=true", destroy);
    expect(await estate.succeed("GET", "/v1/keys/doomed")).toMatchObject({ stateReason: "superseded" });
    await estate.succeed("PATCH", "/v1/keys/doomed", { description: "changed meanwhile" });
    expect(await estate.ask("POST", "/v1/keys/doomed/destroy", { ...destroy, planHash })).toMatchObject({
      status: 409,
      body: { code: "PLAN_STALE" },
    });
    const again = await estate.succeed("POST", "/v1/keys/doomed/destroy?dryRun=true", destroy);
    await estate.succeed("POST", "/v1/keys/doomed/destroy", { ...destroy, planHash: again["planHash"] });
  });
});

describe("the destruction of one version", () => {
  const versionPath = "/v1/keys/doomed/versions/1";

  it("is refused for the primary one, for one that is not deactivated, and for another name", async () => {
    await makeKey("doomed");
    const ask = async (n: number, body: object = destroy): Promise<unknown> =>
      (await estate.ask("POST", `/v1/keys/doomed/versions/${n}/destroy`, body)).body["code"];
    expect(await ask(1)).toBe("ILLEGAL_TRANSITION");
    expect(await ask(2)).toBe("ILLEGAL_TRANSITION");
    await estate.succeed("POST", `${versionPath}/deactivate`, { reason: "superseded" });
    expect(await ask(1, { ...destroy, confirmName: "other" })).toBe("INVALID_ARGUMENT");
    expect(await ask(3)).toBe("KEY_NOT_FOUND");
    expect(await ask(1)).toBeUndefined();
  });

  it("erases its seal alone, after its window, in which it can be cancelled", async () => {
    const { id, ciphertexts } = await makeKey("doomed");
    const [seal = "", kept = ""] = sealsOf(id);
    await estate.succeed("POST", `${versionPath}/deactivate`, { reason: "superseded" });
    await estate.succeed("POST", `${versionPath}/destroy`, destroy);
    expect((await estate.ask("POST", "/v1/decrypt", { ciphertext: ciphertexts[0] })).status).toBe(409);
    await estate.succeed("POST", `${versionPath}/cancel-destroy`);
    expect((await estate.ask("POST", "/v1/decrypt", { ciphertext: ciphertexts[0] })).status).toBe(200);
    await estate.succeed("POST", `${versionPath}/destroy`, destroy);
    expect([...dyingVersions(estate.gateway.parts)]).toEqual([]);
    estate.advance(7 * DAY_MS);
    await estate.finish();
    expect(await estate.filesWith(seal)).toEqual([]);
    expect(await estate.filesWith(kept)).toContain("journal.jsonl");
    expect(await estate.succeed("GET", versionPath)).toMatchObject({ state: "destroyed" });
    expect((await estate.ask("POST", "/v1/decrypt", { ciphertext: ciphertexts[0] })).status).toBe(409);
    expect((await estate.ask("POST", "/v1/decrypt", { ciphertext: ciphertexts[1] })).status).toBe(200);
    const { items } = await estate.succeed("GET", "/v1/keys/doomed/history");
    expect((items as Record<string, unknown>[]).at(-1)).toMatchObject({
      action: "version-destroyed",
      reason: "known-copies",
    });
  });
});
