import { describe, expect, it } from "vitest";
import { keyVisible, may, mayUse, type Permission, PERMISSIONS, type Principal } from "#core/access.ts";
import { type Context, NO_CONTEXT } from "#core/context.ts";
import { KEY_OPERATIONS, type KeyOperation } from "#core/purposes.ts";
import { type ClientRecord, type Role, ROLES } from "#core/records.ts";
import { clientRecord, keyRecord } from "./records.ts";

const principal = (role: Role, part: Partial<ClientRecord> = {}): Principal => ({
  client: clientRecord(role, part),
  credentialId: "crd_1",
});

/** api.md § 9 by hand: who has the permission. a admin, o operator, u user, r auditor. */
const TABLE: Readonly<Record<Permission, string>> = {
  "keys.read": "aor",
  "keys.create": "a",
  "keys.change": "a",
  "keys.suspend": "ao",
  "keys.rotate": "ao",
  "keys.lifecycle": "a",
  "exposure.read": "aor",
  "clients.read": "aor",
  "clients.write": "a",
  "namespaces.read": "aor",
  "namespaces.write": "a",
  "providers.read": "aor",
  "providers.operate": "ao",
  "policy.read": "aor",
  "policy.validate": "ao",
  "policy.explain": "ao",
  "drift.read": "aor",
  "drift.resolve": "ao",
  "inventory.read": "aor",
  reconcile: "ao",
  "drills.read": "aor",
  "drills.operate": "ao",
  "migrations.read": "aor",
  "migrations.operate": "a",
  "approvals.read": "aor",
  "approvals.decide": "a",
  "findings.read": "aor",
  "metrics.read": "aor",
  "audit.read": "aor",
  "audit.read-all": "ar",
  "backup.create": "a",
};
const LETTERS: Readonly<Record<Role, string>> = { admin: "a", operator: "o", user: "u", auditor: "r" };

describe.for(ROLES)("the role %s", (role) => {
  it.for(PERMISSIONS.map((permission) => ({ permission, has: TABLE[permission].includes(LETTERS[role]) })))(
    "has $permission: $has",
    ({ permission, has }) => {
      expect(may(principal(role), permission)).toBe(has);
    },
  );
});

describe("using a key", () => {
  const operations = Object.keys(KEY_OPERATIONS) as KeyOperation[];
  const key = keyRecord({ name: "orders" });

  it.for(ROLES)("%s without `allow` may do nothing", (role) => {
    expect(operations.filter((operation) => mayUse(principal(role), key, operation, NO_CONTEXT))).toEqual([]);
  });

  it.for(operations)("`allow` of %s gives that and nothing else", (operation) => {
    const one = principal("user", { allow: [operation] });
    expect(operations.filter((other) => mayUse(one, key, other, NO_CONTEXT))).toEqual([operation]);
  });

  it("`*` gives every operation, but to an auditor none", () => {
    const used = (role: Role) =>
      operations.filter((op) => mayUse(principal(role, { allow: ["*"] }), key, op, NO_CONTEXT));
    expect([used("user"), used("operator"), used("admin")]).toEqual([operations, operations, operations]);
    expect(used("auditor")).toEqual([]);
  });

  it("stays in the client's namespace, whatever the role", () => {
    const other = keyRecord({ namespace: "payments" });
    expect(mayUse(principal("admin", { allow: ["*"] }), other, "encrypt", NO_CONTEXT)).toBe(false);
    expect(keyVisible(principal("admin"), other)).toBe(false);
  });

  it("goes by the name, not by an alias", () => {
    const aliased = keyRecord({ name: "orders", aliases: ["invoices"] });
    expect(mayUse(principal("user", { allow: ["*"], keys: ["invoices"] }), aliased, "encrypt", NO_CONTEXT)).toBe(false);
  });

  it.for<{ name: string; context: Context; ok: boolean }>([
    { name: "both pairs and one more", context: map({ app: "shop", env: "prod", id: "7" }), ok: true },
    { name: "one pair", context: map({ app: "shop" }), ok: false },
    { name: "another value", context: map({ app: "shop", env: "test" }), ok: false },
    { name: "none", context: NO_CONTEXT, ok: false },
    { name: "bytes", context: { kind: "bytes", bytes: Buffer.from("app=shop") }, ok: false },
  ])("`contextEquals` of two pairs against $name: $ok", ({ context, ok }) => {
    const bound = principal("user", { allow: ["encrypt"], contextEquals: { app: "shop", env: "prod" } });
    expect(mayUse(bound, key, "encrypt", context)).toBe(ok);
  });
});

function map(pairs: Readonly<Record<string, string>>): Context {
  return { kind: "map", pairs: new Map(Object.entries(pairs)) };
}

describe("a glob", () => {
  const matches = (glob: string, name: string): boolean =>
    keyVisible(principal("user", { keys: [glob] }), keyRecord({ name }));

  it.for([
    ["*", "orders", true],
    ["orders", "orders", true],
    ["orders", "orders2", false],
    ["orders", "Orders", false],
    ["ord*", "orders", true],
    ["*ers", "orders", true],
    ["o*d*s", "orders", true],
    ["o*x*s", "orders", false],
    ["?rders", "orders", true],
    ["?", "orders", false],
    ["orders?", "orders", false],
    ["orders*", "orders", true],
    ["**", "orders", true],
    ["*ab", "aab", true],
    ["", "orders", false],
    ["ord.rs", "orders", false],
    ["[o]rders", "orders", false],
    ["a.b", "a.b", true],
  ] as const)("%s on %s: %s", ([glob, name, expected]) => {
    expect(matches(glob, name)).toBe(expected);
  });

  it("that is made to be slow is not", () => {
    expect(matches(`${"a*".repeat(2_000)}b`, "a".repeat(128))).toBe(false);
  });

  it("list that is empty names no key", () => {
    expect(keyVisible(principal("user", { keys: [] }), keyRecord())).toBe(false);
  });
});
