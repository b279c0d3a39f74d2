import { describe, expect, it } from "vitest";
import { desiredClass } from "#core/desired-class.ts";
import type { Lifecycle } from "#core/records.ts";
import { keyRecord, versionRecord } from "./records.ts";

const NOW = 1_000_000;
const key = (part: Partial<Lifecycle>) => keyRecord(part);
const version = (part: Partial<Lifecycle> = {}) => versionRecord({ state: "active", stateReason: null, ...part });

describe("what a provider's key should be", () => {
  it.each<[string, Partial<Lifecycle>, string]>([
    ["active", { state: "active", stateReason: null }, "enabled"],
    ["generated", { state: "generated", stateReason: "created" }, "disabled"],
    [
      "suspended, still processing",
      { state: "suspended", stateReason: "rotation", processing: "allow" },
      "process-only",
    ],
    ["suspended for good measure", { state: "suspended", stateReason: "hold", processing: "deny" }, "disabled"],
    ["revoked", { state: "deactivated", stateReason: "revoked" }, "process-only"],
    ["compromised", { state: "deactivated", stateReason: "compromised" }, "process-only"],
    ["in its warning period", { state: "deactivated", stateReason: "destroy-pending" }, "destroyed"],
    ["destroyed", { state: "destroyed", stateReason: "normal" }, "destroyed"],
    ["expired by its date", { state: "active", stateReason: null, deactivateTime: NOW - 1 }, "process-only"],
    ["begun by its date", { state: "generated", stateReason: "created", activateTime: NOW - 1 }, "enabled"],
  ])("follows from a key that is %s", (_name, part, wanted) => {
    expect(desiredClass(key(part), version(), NOW)).toBe(wanted);
  });

  it("is as restricted as the stricter of key and version", () => {
    const active = key({ state: "active", stateReason: null });
    const denied = { state: "suspended", stateReason: "hold", processing: "deny" } as const;
    expect(desiredClass(active, version(denied), NOW)).toBe("disabled");
    expect(desiredClass(key(denied), version({ state: "deactivated", stateReason: "revoked" }), NOW)).toBe("disabled");
  });
});
