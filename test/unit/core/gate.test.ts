import { describe, expect, it } from "vitest";
import { gate } from "#core/gate.ts";
import type { KeyOperation } from "#core/purposes.ts";
import type { Lifecycle } from "#core/records.ts";
import { keyRecord, lifecycle, versionRecord } from "./records.ts";

const NOW = 1_000_000_000;
/** lifecycle.md § 2 by hand: Y yes, R with recovery, - never; stricter where keys.md is. */
const COLUMNS: readonly (readonly [name: string, part: Partial<Lifecycle>])[] = [
  ["generated", { state: "generated", stateReason: "created" }],
  ["active", {}],
  ["suspended, processing allowed", { state: "suspended", stateReason: "rotation", processing: "allow" }],
  ["suspended, processing denied", { state: "suspended", stateReason: "hold", processing: "deny" }],
  ["expired", { state: "deactivated", stateReason: "expired" }],
  ["revoked", { state: "deactivated", stateReason: "revoked" }],
  ["superseded", { state: "deactivated", stateReason: "superseded" }],
  ["archived", { state: "deactivated", stateReason: "archived" }],
  ["compromised", { state: "deactivated", stateReason: "compromised" }],
  ["destroy-pending", { state: "deactivated", stateReason: "destroy-pending" }],
  ["destroyed", { state: "destroyed", stateReason: "normal" }],
  ["destroyed and compromised", { state: "destroyed", stateReason: "compromised" }],
];
const TABLE: Readonly<Record<KeyOperation, string>> = {
  encrypt: "-Y----------",
  decrypt: "-YY-YYYRR---",
  "reencrypt-from": "-YY-YYYYR---",
  "reencrypt-to": "-Y----------",
  "generate-data-key": "-Y----------",
  sign: "-Y----------",
  verify: "-YY-YYYRR---",
  mac: "-Y----------",
  "verify-mac": "-YY-YYYRR---",
  wrap: "-Y----------",
  unwrap: "-YY-YYYRR---",
  agree: "-Y--RRRRR---",
  encapsulate: "-Y----------",
  decapsulate: "-YY-YYYRR---",
};
const operations = Object.keys(TABLE) as KeyOperation[];

describe.for(operations)("%s", (operation) => {
  const cells = COLUMNS.map(([name, part], i) => ({ name, part, cell: TABLE[operation].charAt(i) }));

  it.for(cells)("on a key that is $name answers $cell", ({ part, cell }) => {
    const ask = (recovery: boolean) =>
      gate({ key: keyRecord(part), version: versionRecord(), operation, now: NOW, recovery });
    const code = part.state === "destroyed" ? "KEY_DESTROYED" : "KEY_NOT_ACTIVE";
    expect(ask(false)).toMatchObject(cell === "Y" ? { allowed: true } : { allowed: false, code });
    expect(ask(true)).toMatchObject(cell === "-" ? { allowed: false, code } : { allowed: true });
  });

  it.for(cells)("on a version that is $name under an active key answers $cell", ({ part, cell }) => {
    const ask = (recovery: boolean) =>
      gate({ key: keyRecord(), version: versionRecord(part), operation, now: NOW, recovery });
    const refused = { allowed: false, code: "VERSION_NOT_USABLE" };
    expect(ask(false)).toMatchObject(cell === "Y" ? { allowed: true } : refused);
    expect(ask(true)).toMatchObject(cell === "-" ? refused : { allowed: true });
  });
});

describe("a refusal", () => {
  it("names state, reason and operation, in the text and in the metadata", () => {
    const key = keyRecord({ state: "suspended", stateReason: "hold", processing: "deny" });
    expect(gate({ key, version: versionRecord(), operation: "decrypt", now: NOW })).toEqual({
      allowed: false,
      code: "KEY_NOT_ACTIVE",
      detail: "the key is suspended (hold), which does not allow decrypt",
      metadata: { operation: "decrypt", state: "suspended", stateReason: "hold" },
    });
  });

  it("says where recovery would be allowed", () => {
    const key = keyRecord({ state: "deactivated", stateReason: "archived" });
    const verdict = gate({ key, version: undefined, operation: "decrypt", now: NOW });
    expect(verdict).toMatchObject({
      detail: "the key is deactivated (archived), which does not allow decrypt but for recovery",
    });
  });

  it("of a deactivated record without a reason is certain", () => {
    const key = keyRecord({ state: "deactivated", stateReason: null });
    expect(gate({ key, version: undefined, operation: "decrypt", now: NOW, recovery: true }).allowed).toBe(false);
  });
});

describe("a hold", () => {
  const hold = { binding: null, class: "disabled", since: 0, evidence: "seen" };

  it.for(operations)("refuses %s, whatever the state and with recovery too", (operation) => {
    for (const [, part] of COLUMNS) {
      const verdict = gate({
        key: keyRecord({ ...part, hold }),
        version: versionRecord(),
        operation,
        now: NOW,
        recovery: true,
      });
      expect(verdict).toMatchObject({
        allowed: false,
        code: part.state === "destroyed" ? "KEY_DESTROYED" : "KEY_HELD",
      });
    }
  });

  it("is told with its class and since when", () => {
    expect(gate({ key: keyRecord({ hold }), version: undefined, operation: "decrypt", now: NOW })).toMatchObject({
      detail: "the key is held since 1970-01-01T00:00:00.000Z (disabled) until a person decides",
      metadata: { class: "disabled", since: "1970-01-01T00:00:00.000Z" },
    });
  });
});

describe("the version", () => {
  const key = keyRecord({ primaryVersion: 2, latestVersion: 2 });
  const ask = (operation: KeyOperation, version: number | undefined, of = key) =>
    gate({
      key: of,
      version: version === undefined ? undefined : versionRecord({ version }),
      operation,
      now: NOW,
    });

  it("that protects is the primary one", () => {
    expect(ask("encrypt", 2)).toEqual({ allowed: true });
    expect(ask("encrypt", 1)).toMatchObject({ code: "VERSION_NOT_USABLE", metadata: { keyVersion: "1" } });
    expect(ask("encrypt", undefined)).toMatchObject({ code: "VERSION_NOT_USABLE" });
  });

  it("that processes is any", () => {
    expect(ask("decrypt", 1)).toEqual({ allowed: true });
    expect(ask("decrypt", undefined)).toEqual({ allowed: true });
  });

  it("that is published protects from its time on", () => {
    const published = keyRecord({ primaryVersion: 1, latestVersion: 2, pendingVersion: 2, pendingTime: NOW + 1 });
    expect([ask("encrypt", 1, published).allowed, ask("encrypt", 2, published).allowed]).toEqual([true, false]);
    const due = { ...published, pendingTime: NOW };
    expect([ask("encrypt", 1, due).allowed, ask("encrypt", 2, due).allowed]).toEqual([false, true]);
  });
});

describe("a date", () => {
  const at = (part: Partial<Lifecycle>, operation: KeyOperation) =>
    gate({
      key: keyRecord({ ...part, ...(part.state === "generated" && { primaryVersion: null }) }),
      version: versionRecord(part.state === "generated" ? part : {}),
      operation,
      now: NOW,
    });
  const born = (activateTime: number): Partial<Lifecycle> => ({
    state: "generated",
    stateReason: "created",
    activateTime,
  });

  it("of activation that has come makes a generated key usable, its newest version protecting", () => {
    expect(at(born(NOW), "encrypt")).toEqual({ allowed: true });
    expect(at(born(NOW + 1), "encrypt")).toMatchObject({ code: "KEY_NOT_ACTIVE" });
  });

  it("of activation gives a minute's leeway to what opens, for another gateway's clock", () => {
    expect(at(born(NOW + 60_000), "decrypt")).toEqual({ allowed: true });
    expect(at(born(NOW + 60_001), "decrypt")).toMatchObject({ code: "KEY_NOT_ACTIVE" });
  });

  it.for(["awaiting-material", "awaiting-approval"] as const)("of activation does nothing while %s", (stateReason) => {
    expect(at({ ...born(0), stateReason }, "encrypt").allowed).toBe(false);
  });

  it("that stops protection stops it to the millisecond, and opening goes on", () => {
    expect(at({ protectStopTime: NOW + 1 }, "encrypt")).toEqual({ allowed: true });
    expect(at({ protectStopTime: NOW }, "encrypt")).toMatchObject({
      code: "KEY_NOT_ACTIVE",
      metadata: { protectStopTime: "1970-01-12T13:46:40.000Z" },
    });
    expect(at({ protectStopTime: 0 }, "decrypt")).toEqual({ allowed: true });
  });

  it("of deactivation expires the key: nothing new, what exists opens", () => {
    expect(at({ deactivateTime: NOW + 1 }, "encrypt")).toEqual({ allowed: true });
    expect(at({ deactivateTime: NOW }, "encrypt")).toMatchObject({ metadata: { stateReason: "expired" } });
    expect(at({ deactivateTime: 0 }, "decrypt")).toEqual({ allowed: true });
  });

  it("of deactivation gives a minute's leeway to what is not new", () => {
    expect(at({ deactivateTime: NOW - 59_999 }, "agree")).toEqual({ allowed: true });
    expect(at({ deactivateTime: NOW - 60_000 }, "agree")).toMatchObject({ code: "KEY_NOT_ACTIVE" });
  });

  it("of the version counts as well", () => {
    const version = versionRecord({ protectStopTime: NOW });
    expect(gate({ key: keyRecord(), version, operation: "encrypt", now: NOW })).toMatchObject({
      code: "VERSION_NOT_USABLE",
    });
  });

  it("never opens what is suspended", () => {
    const suspended = lifecycle({ state: "suspended", stateReason: "hold", processing: "deny", deactivateTime: 0 });
    expect(at(suspended, "decrypt")).toMatchObject({ code: "KEY_NOT_ACTIVE", metadata: { state: "suspended" } });
  });
});
