import { createPublicKey, verify } from "node:crypto";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dyingKeys, finishDestruction } from "#broker/finish-destruction.ts";
import { settleBinding, unsettledBindings } from "#broker/settle-bindings.ts";
import { Estate } from "../e2e/estate.ts";
import { eventually } from "../e2e/eventually.ts";
import { makeSoftHsm, missingSoftHsm, type SoftHsm } from "./soft-hsm.ts";

const PLAINTEXT = Buffer.from("for a token").toString("base64");
const missing = missingSoftHsm();

describe.skipIf(missing !== undefined)(`a gateway with a token${missing === undefined ? "" : `: ${missing}`}`, () => {
  let token: SoftHsm;
  let estate: Estate;
  beforeAll(async () => {
    token = makeSoftHsm();
    const { module, label, pin, environment } = token;
    estate = await Estate.create(`
providers:
  soft: { kind: local-hsm, folder: ${join(token.folder, "soft")} }
  hsm: { kind: pkcs11, module: ${module}, token: ${label}, pin: "${pin}", environment: ${JSON.stringify(environment)} }
routes: [{ name: default, place: { holders: all, minimum: 2 } }]
listen: { port: 0, insecureHttp: true }
`);
  }, 60_000);
  afterAll(async () => {
    await estate[Symbol.asyncDispose]();
    token[Symbol.dispose]();
  });

  it("keeps a portable key in it, which opens after a restart when the other holder is gone", async () => {
    await estate.succeed("POST", "/v1/keys", { name: "orders" });
    await eventually("two wraps", 10_000, async () => {
      const { replication } = await estate.succeed("GET", "/v1/keys/orders");
      return (replication as { ready: number }).ready === 2 ? true : undefined;
    });
    const { ciphertext } = await estate.succeed("POST", "/v1/keys/orders/encrypt", { plaintext: PLAINTEXT });
    await estate.close();
    const soft = join(token.folder, "soft");
    await rename(soft, `${soft}-away`);
    await writeFile(soft, "");
    await estate.reopen();
    expect(await estate.succeed("POST", "/v1/decrypt", { ciphertext })).toMatchObject({ plaintext: PLAINTEXT });
  }, 60_000);

  it("signs with a native key, which everybody can check, and takes it through its life", async () => {
    const custody = { kind: "native", provider: "hsm" };
    const message = Buffer.from("release 1.0");
    await estate.succeed("POST", "/v1/keys", { name: "releases", purpose: "sign", custody });
    const body = { message: message.toString("base64") };
    const { signature } = await estate.succeed("POST", "/v1/keys/releases/sign", body);
    const { pem } = await estate.succeed("GET", "/v1/keys/releases/public-key");
    expect(verify("sha256", message, createPublicKey(String(pem)), Buffer.from(String(signature), "base64"))).toBe(
      true,
    );
    await estate.succeed("POST", "/v1/keys/releases/suspend", { reason: "hold" });
    expect((await estate.ask("POST", "/v1/keys/releases/sign", body)).body["code"]).toBe("KEY_NOT_ACTIVE");
    await estate.succeed("POST", "/v1/keys/releases/resume", { reason: "found well" });
    await estate.succeed("POST", "/v1/keys/releases/rotate");
    expect(await estate.succeed("POST", "/v1/keys/releases/sign", body)).toMatchObject({ keyVersion: 2 });
    await estate.succeed("POST", "/v1/keys/releases/deactivate", { reason: "superseded" });
    await estate.succeed("POST", "/v1/keys/releases/destroy", { confirmName: "releases", windowDays: 7 });
    const { parts } = estate.gateway;
    for (const unsettled of unsettledBindings(parts)) await settleBinding(parts, unsettled);
    const { provider } = parts.fleet.member("hsm") ?? expect.fail("it is not there");
    const call = { signal: AbortSignal.timeout(10_000), requestId: "req_t" };
    const seen = await Array.fromAsync(provider?.list(call) ?? []);
    expect(seen.filter(({ algorithm }) => algorithm === "EC-P256-SHA256").map(({ observed }) => observed)).toEqual([
      "disabled",
      "disabled",
    ]);
    estate.advance(8 * 86_400_000);
    await eventually("its end", 20_000, async () => {
      for (const unsettled of unsettledBindings(parts)) await settleBinding(parts, unsettled);
      for (const key of dyingKeys(parts)) await finishDestruction(parts, key);
      return (await estate.succeed("GET", "/v1/keys/releases"))["state"] === "destroyed" ? true : undefined;
    });
  }, 60_000);

  it("encrypts in it by default, with a context that is bound", async () => {
    await estate.succeed("POST", "/v1/keys", { name: "inside", custody: { kind: "native", provider: "hsm" } });
    const context = { order: "17" };
    const { ciphertext } = await estate.succeed("POST", "/v1/keys/inside/encrypt", { plaintext: PLAINTEXT, context });
    expect(await estate.succeed("POST", "/v1/decrypt", { ciphertext, context })).toMatchObject({
      plaintext: PLAINTEXT,
    });
    const other = await estate.ask("POST", "/v1/decrypt", { ciphertext, context: { order: "18" } });
    expect(other.body["code"]).toBe("CIPHERTEXT_INVALID");
  });
});
