import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Estate } from "./estate.ts";

const DAY_MS = 86_400_000;

let estate: Estate;
beforeEach(async () => {
  estate = await Estate.create();
}, 60_000);
afterEach(async () => {
  await estate[Symbol.asyncDispose]();
}, 60_000);

async function makeDestroyed(fields: object): Promise<{ readonly id: string; readonly ciphertext: string }> {
  const { id, name } = await estate.succeed("POST", "/v1/keys", fields);
  const { ciphertext } = await estate.succeed("POST", `/v1/keys/${String(id)}/encrypt`, { plaintext: "cGxhaW4=" });
  await estate.succeed("POST", `/v1/keys/${String(id)}/deactivate`, { reason: "superseded" });
  await estate.succeed("POST", `/v1/keys/${String(id)}/destroy`, { confirmName: name, windowDays: 7 });
  estate.advance(7 * DAY_MS);
  await estate.finish();
  return { id: String(id), ciphertext: String(ciphertext) };
}

describe("a name of a destroyed key", () => {
  it("is taken, until a new key says that it takes it; the destroyed key goes by its id", async () => {
    const old = await makeDestroyed({ name: "orders", aliases: ["orders-a", "orders-b"] });
    const plain = await estate.ask("POST", "/v1/keys", { name: "orders" });
    expect(plain).toMatchObject({
      status: 409,
      body: { code: "NAME_TAKEN", help: expect.stringContaining("reuseName") },
    });
    const dry = await estate.succeed("POST", "/v1/keys?dryRun=true", { name: "orders", reuseName: true });
    expect(dry).toMatchObject({ name: "orders" });
    expect(await estate.succeed("GET", "/v1/keys/orders")).toMatchObject({ id: old.id });

    const wish = { name: "orders", aliases: ["orders-a"], reuseName: true };
    const made = await estate.succeed("POST", "/v1/keys", wish);
    for (const again of [false, true]) {
      if (again) {
        await estate.close();
        await estate.reopen();
      }
      for (const name of ["orders", "orders-a"])
        expect(await estate.succeed("GET", `/v1/keys/${name}`)).toMatchObject({ id: made["id"], state: "active" });
      expect(await estate.succeed("GET", "/v1/keys/orders-b")).toMatchObject({ id: old.id });
      const gone = await estate.succeed("GET", `/v1/keys/${old.id}`);
      expect(gone).toMatchObject({ name: old.id, aliases: ["orders-b"], state: "destroyed" });
      const answer = await estate.ask("POST", "/v1/decrypt", { ciphertext: old.ciphertext });
      expect(answer).toMatchObject({ status: 410, body: { code: "KEY_DESTROYED" } });
    }
    const { items } = await estate.succeed("GET", `/v1/keys/${old.id}/history`);
    expect(items).toContainEqual(
      expect.objectContaining({ action: "release-name", from: "destroyed", to: "destroyed" }),
    );
  });

  it.for([
    ["portable", {}],
    ["native", { custody: { kind: "native", provider: "hsm-a" } }],
    ["awaiting its material", { custody: { kind: "native", provider: "hsm-a" }, material: "import" }],
  ] as const)("goes to a key that is %s", async ([, fields]) => {
    const old = await makeDestroyed({ name: "orders" });
    const made = await estate.succeed("POST", "/v1/keys", { name: "orders", reuseName: true, ...fields });
    expect(await estate.succeed("GET", "/v1/keys/orders")).toMatchObject({ id: made["id"] });
    expect(await estate.succeed("GET", `/v1/keys/${old.id}`)).toMatchObject({ name: old.id });
  });

  it("stays with a key that is not destroyed, whatever a request says", async () => {
    await estate.succeed("POST", "/v1/keys", { name: "orders", aliases: ["other"] });
    for (const name of ["orders", "other"]) {
      const answer = await estate.ask("POST", "/v1/keys", { name, reuseName: true });
      expect(answer).toMatchObject({ status: 409, body: { code: "NAME_TAKEN" } });
    }
  });
});
