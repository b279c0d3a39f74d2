import { describe, expect, it } from "vitest";
import { type AccessQuestion, explainAccess } from "#core/explain-access.ts";
import { clientRecord, keyRecord, versionRecord } from "./records.ts";

const NOW = 1_800_000_000_000;
const QUESTION: AccessQuestion = {
  client: clientRecord("user", { keys: ["inv*", "ord*"], allow: ["encrypt", "decrypt"] }),
  hasCredential: true,
  key: keyRecord(),
  version: versionRecord(),
  operation: "encrypt",
  context: undefined,
  now: NOW,
};

function ask(part: Partial<AccessQuestion>, client: Partial<AccessQuestion["client"]> = {}) {
  const question = { ...QUESTION, ...part };
  return explainAccess({ ...question, client: { ...question.client, ...client } });
}

const withContext = (pairs: Record<string, string>): Partial<AccessQuestion> => ({
  context: { kind: "map", pairs: new Map(Object.entries(pairs)) },
});

describe("why a client may", () => {
  it.for([
    { name: "by its glob and its operation", client: {}, detail: "its keys have ord*, and its allow has encrypt" },
    { name: "by *", client: { allow: ["*"] as const }, detail: "its keys have ord*, and its allow has *" },
    {
      name: "where its context has what it is bound to",
      client: { contextEquals: { tenant: "a" } },
      detail: "its keys have ord*, and its allow has encrypt, where its context has tenant=a",
    },
  ])("is told: $name", ({ client, detail }) => {
    expect(ask({}, client)).toEqual({ allowed: true, decidedBy: "granted", code: null, detail });
  });

  it("is told to the last millisecond, and with a context that has more than it must", () => {
    expect(ask({ now: NOW - 1 }, { expireTime: NOW }).allowed).toBe(true);
    expect(ask(withContext({ tenant: "a", row: "1" }), { contextEquals: { tenant: "a" } }).allowed).toBe(true);
  });
});

describe("why a client may not", () => {
  it.for([
    { rule: "client-expired", part: {}, client: { expireTime: NOW }, code: "UNAUTHENTICATED" },
    { rule: "no-credential", part: { hasCredential: false }, client: {}, code: "UNAUTHENTICATED" },
    { rule: "keys", part: {}, client: { keys: ["inv*"] }, code: "KEY_NOT_FOUND" },
    { rule: "keys", part: {}, client: { keys: ["inv*"], role: "operator" as const }, code: "PERMISSION_DENIED" },
    { rule: "keys", part: {}, client: { namespace: "payments" }, code: "KEY_NOT_FOUND" },
    { rule: "role", part: {}, client: { role: "auditor" as const }, code: "PERMISSION_DENIED" },
    { rule: "allow", part: { operation: "sign" as const }, client: {}, code: "PERMISSION_DENIED" },
    { rule: "allow", part: {}, client: { allow: [] }, code: "PERMISSION_DENIED" },
    {
      rule: "context-equals",
      part: withContext({ tenant: "b" }),
      client: { contextEquals: { tenant: "a" } },
      code: "PERMISSION_DENIED",
    },
    {
      rule: "context-equals",
      part: { context: { kind: "none" } as const },
      client: { contextEquals: { tenant: "a" } },
      code: "PERMISSION_DENIED",
    },
    {
      rule: "key-state",
      part: { key: keyRecord({ state: "suspended", stateReason: "hold", processing: "deny" }) },
      client: {},
      code: "KEY_NOT_ACTIVE",
    },
    { rule: "key-state", part: { version: undefined }, client: {}, code: "VERSION_NOT_USABLE" },
    {
      rule: "purpose",
      part: { operation: "sign" as const },
      client: { allow: ["sign"] as const },
      code: "PURPOSE_MISMATCH",
    },
  ])("is told by the rule $rule, with the code that it would get: $code", ({ rule, part, client, code }) => {
    expect(ask(part, client)).toMatchObject({ allowed: false, decidedBy: rule, code });
  });

  it("is told by the first rule that a request would meet", () => {
    const all = { expireTime: NOW, keys: [], allow: [], role: "auditor" } as const;
    expect(ask({ hasCredential: false }, all).decidedBy).toBe("client-expired");
    expect(ask({ hasCredential: false }, { ...all, expireTime: null }).decidedBy).toBe("no-credential");
    expect(ask({}, { ...all, expireTime: null }).decidedBy).toBe("keys");
    expect(ask({}, { ...all, expireTime: null, keys: ["*"] }).decidedBy).toBe("role");
  });
});
