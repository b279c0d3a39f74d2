import { describe, expect, it } from "vitest";
import type { Principal } from "#core/access.ts";
import { authenticate } from "#broker/authenticate.ts";
import type { Caller } from "#broker/caller.ts";
import { resolveKey } from "#broker/key-reference.ts";
import type { BrokerParts } from "#broker/parts.ts";

const KEY = { id: "key_1", namespace: "default", name: "orders" };
const CLIENT = { id: "cli_1", namespace: "default", role: "admin", keys: ["*"], allow: ["*"], expireTime: null };
const CREDENTIAL = { id: "crd_1", client: CLIENT.id, state: "active", expireTime: null };
const CALLER = {
  namespace: "default",
  principal: { client: CLIENT, credentialId: CREDENTIAL.id },
} as unknown as Caller;

/** Parts whose catalog comes to know what is there during a refresh that another one was quicker than. */
function behind() {
  let known = false;
  const catalog = {
    keyByName: () => (known ? KEY : undefined),
    credentialByDigest: () => (known ? CREDENTIAL : undefined),
    client: () => CLIENT,
  };
  const refresh = async (): Promise<boolean> => {
    known = true;
    return await Promise.resolve(false);
  };
  return {
    catalog,
    store: { refresh, noteUse: () => undefined },
    clock: { now: () => 0, monotonicMs: () => 0 },
  } as unknown as BrokerParts & {
    readonly clock: BrokerParts["sources"]["clock"];
  };
}

describe("what is not in memory", () => {
  it("is found after a refresh, although another refresh has brought it: a key", async () => {
    const { key } = await resolveKey(behind(), CALLER, "orders");
    expect(key.id).toBe(KEY.id);
  });

  it("is found after a refresh, although another refresh has brought it: a credential", async () => {
    const principal: Principal = await authenticate(behind(), { digest: "digest" });
    expect(principal.credentialId).toBe(CREDENTIAL.id);
  });
});
