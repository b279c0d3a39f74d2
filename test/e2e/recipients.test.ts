import { join } from "node:path";
import { rename, writeFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { KeyId } from "#core/ids.ts";
import { openOffline } from "#offline/open.ts";
import { Estate } from "./estate.ts";

const THREE = `
providers:
  hsm-a: { kind: local-hsm, failureDomain: a }
  hsm-b: { kind: local-hsm, failureDomain: b }
  hsm-c: { kind: local-hsm, failureDomain: c }
routes: [{ name: default, place: { holders: [hsm-a, hsm-b], minimum: 2 } }]
listen: { port: 0, insecureHttp: true }
`;
const HOST = { environment: {}, readText: () => "" };
let estate: Estate;
beforeEach(async () => {
  estate = await Estate.create(THREE);
}, 60_000);
afterEach(async () => {
  await estate[Symbol.asyncDispose]();
}, 60_000);

async function encrypted(name: string): Promise<string> {
  return String((await estate.succeed("POST", `/v1/keys/${name}/encrypt`, { plaintext: "cGxhaW4=" }))["ciphertext"]);
}

/** Opens with the journal and one provider alone. */
async function openWith(provider: string, ciphertext: string): Promise<string> {
  const journal = join(estate.folder, "journal.jsonl");
  const config = join(estate.folder, "offline.yaml");
  await writeFile(config, THREE);
  return (await openOffline({ ciphertext, journal, config, provider, context: {} }, HOST)).toString();
}

describe("the recipients of a portable key", () => {
  it("are changed without a change of what was encrypted", async () => {
    await estate.succeed("POST", "/v1/keys", { name: "orders" });
    await estate.succeed("POST", "/v1/keys", { name: "others" });
    const first = await encrypted("orders");
    await estate.succeed("POST", "/v1/keys/orders/rotate");
    const second = await encrypted("orders");
    const changed = await estate.succeed("POST", "/v1/keys/orders/recipients", { add: ["hsm-c"], drop: ["hsm-a"] });
    expect(changed).toMatchObject({
      custody: { kind: "portable", holders: ["hsm-b", "hsm-c"], minimum: 2 },
      replication: { wanted: 2, ready: 2, missing: [] },
    });
    for (const ciphertext of [first, second, await encrypted("orders")]) {
      expect(await estate.succeed("POST", "/v1/decrypt", { ciphertext })).toMatchObject({ plaintext: "cGxhaW4=" });
      expect(await openWith("hsm-c", ciphertext)).toBe("plain");
    }
    expect(await estate.succeed("GET", "/v1/keys/others")).toMatchObject({ custody: { holders: ["hsm-a", "hsm-b"] } });
    const { items } = await estate.succeed("GET", "/v1/keys/orders/history");
    expect((items as Record<string, unknown>[]).at(-1)).toMatchObject({
      action: "recipients",
      detail: expect.stringMatching(/^added hsm-c; dropped hsm-a/u) as string,
    });
  });

  it("who are dropped cannot open what comes after a rotation, and could open what came before", async () => {
    await estate.succeed("POST", "/v1/keys", { name: "orders" });
    const before = await encrypted("orders");
    await estate.succeed("POST", "/v1/keys/orders/recipients", { add: ["hsm-c"], drop: ["hsm-a"] });
    await estate.succeed("POST", "/v1/keys/orders/rotate");
    const after = await encrypted("orders");
    const exposure = await estate.succeed("GET", "/v1/keys/orders/exposure");
    expect(exposure["relations"]).toContainEqual(
      expect.objectContaining({ entity: "provider:hsm-a", relation: "possess", standing: "past" }),
    );
    expect(exposure["minimalSets"]).toContainEqual(["provider:hsm-a"]);
    expect(await openWith("hsm-a", before)).toBe("plain");
    await expect(openWith("hsm-a", after)).rejects.toMatchObject({ code: "NO_PROVIDER" });
    expect(await openWith("hsm-b", after)).toBe("plain");
  });

  it("that are left carry the key when the others are lost, after a restart", async () => {
    await estate.succeed("POST", "/v1/keys", { name: "orders" });
    const ciphertext = await encrypted("orders");
    await estate.succeed("POST", "/v1/keys/orders/recipients", { add: ["hsm-c"], drop: ["hsm-a"] });
    await estate.close();
    await rename(join(estate.folder, "hsm-b"), join(estate.folder, "lost-b"));
    await estate.open(THREE);
    expect(await estate.succeed("POST", "/v1/decrypt", { ciphertext })).toMatchObject({ plaintext: "cGxhaW4=" });
  });

  it("are the key's own where it is dedicated: nothing of others moves, and what it left is not filled up", async () => {
    const { id } = await estate.succeed("POST", "/v1/keys", {
      name: "orders",
      custody: { kind: "portable", dedicated: true },
    });
    const ciphertext = await encrypted("orders");
    const { catalog } = estate.gateway.parts;
    const left = catalog.key(id as KeyId)?.branch;
    await estate.succeed("POST", "/v1/keys/orders/recipients", { add: ["hsm-c"] });
    const branch = catalog.branch(catalog.key(id as KeyId)?.branch ?? expect.fail("it has no branch"));
    expect(branch).toMatchObject({
      dedicatedTo: id,
      recipients: [{ provider: "hsm-a" }, { provider: "hsm-b" }, { provider: "hsm-c" }],
    });
    expect(catalog.branch(left ?? expect.fail("it had no branch"))?.recipients).toEqual([]);
    expect(await estate.succeed("POST", "/v1/decrypt", { ciphertext })).toMatchObject({ plaintext: "cGxhaW4=" });
  });

  it.for([
    [{ add: ["hsm-a"] }, 400, "INVALID_ARGUMENT"],
    [{ add: ["hsm-x"] }, 400, "INVALID_ARGUMENT"],
    [{ drop: ["hsm-c"] }, 400, "INVALID_ARGUMENT"],
    [{ drop: ["hsm-a", "hsm-b"] }, 400, "INVALID_ARGUMENT"],
    [{ minimum: 3 }, 422, "REQUIREMENT_UNMET"],
    [{ add: ["hsm-c", "hsm-c"] }, 400, "INVALID_ARGUMENT"],
    [{ remove: ["hsm-a"] }, 400, "INVALID_ARGUMENT"],
  ] as const)("are not changed by %j", async ([body, status, code]) => {
    await estate.succeed("POST", "/v1/keys", { name: "orders" });
    expect(await estate.ask("POST", "/v1/keys/orders/recipients", body)).toMatchObject({ status, body: { code } });
    expect(await estate.succeed("GET", "/v1/keys/orders")).toMatchObject({ generation: 1 });
  });

  it("are refused for native keys, and for keys on their way out; a dry run changes nothing", async () => {
    await estate.succeed("POST", "/v1/keys", { name: "native", purpose: "sign" });
    expect(await estate.ask("POST", "/v1/keys/native/recipients", { add: ["hsm-c"] })).toMatchObject({ status: 422 });
    await estate.succeed("POST", "/v1/keys", { name: "orders" });
    const dry = await estate.succeed("POST", "/v1/keys/orders/recipients?dryRun=true", { add: ["hsm-c"] });
    expect(dry).toMatchObject({ custody: { holders: ["hsm-a", "hsm-b", "hsm-c"] } });
    expect(await estate.succeed("GET", "/v1/keys/orders")).toMatchObject({
      generation: 1,
      custody: { holders: ["hsm-a", "hsm-b"] },
    });
    await estate.succeed("POST", "/v1/keys/orders/compromise", { reason: "test" });
    expect(await estate.ask("POST", "/v1/keys/orders/recipients", { add: ["hsm-c"] })).toMatchObject({
      status: 409,
      body: { code: "ILLEGAL_TRANSITION" },
    });
  });
});
