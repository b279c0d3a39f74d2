import { request } from "node:https";
import { describe, expect, it } from "vitest";
import type { FaultKind } from "../../fakes/azure-key-vault/faults.ts";
import { failureOf, openSubject } from "./subject.ts";

const prepared = async () => {
  const subject = await openSubject();
  const client = subject.remote((await subject.keys.createRsaKey("a")).id);
  const { result } = await client.encrypt("RSA-OAEP", Buffer.from("text"));
  return { ...subject, client, decrypt: (options = {}) => client.decrypt("RSA-OAEP", result, options) };
};

describe("faults", () => {
  it.each([
    ["error500", [500, "InternalServerError", undefined]],
    ["error503", [503, "ServiceUnavailable", undefined]],
    ["throttle", [429, "Throttled", undefined]],
    ["access-denied", [403, "Forbidden", "ForbiddenByPolicy"]],
    ["disabled", [403, "Forbidden", "KeyDisabled"]],
    ["not-found", [404, "KeyNotFound", undefined]],
    ["invalid-ciphertext", [400, "BadParameter", undefined]],
    ["error-html", [502, undefined, undefined]],
    ["refuse", [undefined, "ECONNRESET", undefined]],
    ["reset-on-reuse", [undefined, "ECONNRESET", undefined]],
    ["lost-answer", [undefined, "ECONNRESET", undefined]],
  ] as const)("%s is seen once by the SDK", async (kind, seen) => {
    await using subject = await prepared();
    subject.fake.faults.add({ kind, operation: "Decrypt" });
    const [status, code, inner] = await failureOf(subject.decrypt());
    expect([status, code === "REQUEST_SEND_ERROR" ? "ECONNRESET" : code, inner]).toEqual(seen);
    expect(subject.fake.faults.pending).toEqual([]);
    expect(Buffer.from((await subject.decrypt()).result).toString()).toBe("text");
  });

  it("reset-mid-body fails after the operation was performed", async () => {
    await using subject = await prepared();
    subject.fake.faults.add({ kind: "reset-mid-body", operation: "Decrypt" });
    await expect(subject.decrypt()).rejects.toThrow(/aborted/);
  });

  it("hang lasts until the caller gives up, slow answers later", async () => {
    await using subject = await prepared();
    subject.fake.faults.add({ kind: "hang" }, { kind: "slow", ms: 5 });
    await expect(subject.decrypt({ abortSignal: AbortSignal.timeout(50) })).rejects.toThrow(/abort/i);
    expect(Buffer.from((await subject.decrypt()).result).toString()).toBe("text");
  });

  it("garbage is a success without a result, wrong-plaintext one with another", async () => {
    await using subject = await prepared();
    const kinds: readonly FaultKind[] = ["garbage", "wrong-plaintext"];
    for (const kind of kinds) {
      subject.fake.faults.add({ kind });
      const answered = await subject.decrypt().catch(() => undefined);
      expect(Buffer.from(answered?.result ?? []).toString()).not.toBe("text");
    }
  });

  it("unauthenticated is tried once more by the SDK, and told when it lasts", async () => {
    await using subject = await prepared();
    subject.fake.faults.add({ kind: "unauthenticated" });
    expect(Buffer.from((await subject.decrypt()).result).toString()).toBe("text");
    using lasting = subject.fake.faults.add({ kind: "unauthenticated", repeat: "forever" });
    expect(await failureOf(subject.decrypt())).toEqual([401, "Unauthorized", undefined]);
    expect(lasting).toBeDefined();
  });

  it("a revoked token is sent twice by a client that keeps it, and is no matter to a new client", async () => {
    await using subject = await prepared();
    subject.fake.revokeTokens();
    expect(await failureOf(subject.decrypt())).toEqual([401, "Unauthorized", undefined]);
    const outcomes = subject.fake.calls.of("Decrypt").map(({ outcome }) => outcome);
    expect(outcomes).toEqual(["Unauthorized", "Unauthorized"]);
    const { id } = await subject.fresh().getKey("a");
    expect(id).toContain("/keys/a/");
  });

  it("a missing permission names what forbids it", async () => {
    await using subject = await prepared();
    subject.fake.forbidden.set("Decrypt", "ForbiddenByRbac");
    expect(await failureOf(subject.decrypt())).toEqual([403, "Forbidden", "ForbiddenByRbac"]);
  });

  it("stop refuses connections until start, and keys stay", async () => {
    await using subject = await prepared();
    await subject.fake.stop();
    expect((await failureOf(subject.decrypt()))[0]).toBeUndefined();
    await subject.fake.start();
    expect(Buffer.from((await subject.decrypt()).result).toString()).toBe("text");
  });
});

describe("the wire", () => {
  const ask = async (
    subject: Awaited<ReturnType<typeof openSubject>>,
    path: string,
    authorization?: string,
  ): Promise<{ status: number | undefined; headers: Readonly<Record<string, unknown>> }> =>
    await new Promise((resolve, reject) => {
      const headers = authorization === undefined ? {} : { authorization };
      const sent = request(`${subject.fake.vaultUrl}${path}`, { ca: subject.fake.ca, headers, agent: false });
      sent.on("response", (response) => {
        response.resume();
        resolve({ status: response.statusCode, headers: response.headers });
      });
      sent.on("error", reject).end();
    });

  it("challenges a request without a token, or with a wrong one", async () => {
    await using subject = await openSubject();
    const { status, headers } = await ask(subject, "/keys?api-version=7.6");
    expect(status).toBe(401);
    expect(headers["www-authenticate"]).toMatch(/^Bearer authorization="https:.*", resource="https:\/\/vault/);
    expect((await ask(subject, "/keys?api-version=7.6", "Bearer wrong")).status).toBe(401);
  });

  it("refuses an unknown version of the API, and names each request", async () => {
    await using subject = await openSubject();
    const bearer = `Bearer ${(await subject.fake.credential.getToken()).token}`;
    const known = await ask(subject, "/keys?api%2Dversion=7.6", bearer);
    expect([known.status, typeof known.headers["x-ms-request-id"]]).toEqual([200, "string"]);
    expect(known.headers["x-ms-keyvault-service-version"]).toBeDefined();
    expect((await ask(subject, "/keys?api-version=1.0", bearer)).status).toBe(400);
    subject.fake.faults.add({ kind: "throttle", retryAfter: 7 });
    expect((await ask(subject, "/keys?api-version=7.6", bearer)).headers["retry-after"]).toBe("7");
  });
});
