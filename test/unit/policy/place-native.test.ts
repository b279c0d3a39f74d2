import { describe, expect, it } from "vitest";
import { KmsError } from "#core/errors.ts";
import type { CapabilityRow, ProviderOperation } from "#core/provider.ts";
import type { AlgorithmName } from "#core/algorithms.ts";
import { placeKey } from "#policy/place-key.ts";
import type { Wish } from "#policy/wish.ts";
import { policyOf, provider, route } from "./facts.ts";

const row = (operation: ProviderOperation, algorithm: AlgorithmName): CapabilityRow => ({
  operation,
  algorithm,
  maxInputBytes: 4096,
  context: "none",
});
const signs = [row("sign", "EC-P256-SHA256"), row("verify", "EC-P256-SHA256")];
const macs = [row("mac", "HMAC-SHA-256"), row("verify-mac", "HMAC-SHA-256")];
const providers = [
  provider("new", { rows: undefined }),
  provider("macs", { rows: macs }),
  provider("signs", { rows: signs }),
  provider("both", { rows: [...signs, ...macs], protection: "software" }),
];
const wish: Wish = { namespace: "shop", labels: {}, purpose: "sign", algorithm: undefined, custody: undefined };
const place = (part: Partial<Wish> = {}, one = route("r"), facts = providers) =>
  placeKey(policyOf([one], facts), { ...wish, ...part });
const refusal = (run: () => unknown): KmsError => {
  try {
    run();
  } catch (error) {
    if (error instanceof KmsError) return error;
  }
  throw new Error("was not refused");
};

describe("a native key", () => {
  it("goes to whoever can hold it, in the order of the route", () => {
    expect(place()).toEqual({
      kind: "native",
      route: "r",
      algorithm: "EC-P256-SHA256",
      onState: "stop",
      candidates: ["signs", "both"],
    });
    const reversed = route("r", { place: { holders: ["both", "macs", "signs"] } });
    expect(place({}, reversed)).toMatchObject({ candidates: ["both", "signs"] });
  });

  it("goes to the provider that is asked for, whatever the route places", () => {
    const other = route("r", { place: { holders: ["macs"] } });
    expect(place({ custody: { kind: "native", holders: ["both"] } }, other)).toMatchObject({ candidates: ["both"] });
  });

  it("may be a route's custody of a purpose that could be portable", () => {
    expect(place({ purpose: "mac" }, route("r", { custody: { mac: "native" } }))).toMatchObject({
      kind: "native",
      candidates: ["macs", "both"],
    });
  });

  it("keeps to what the route requires of the key's own protection", () => {
    expect(place({}, route("r", { require: { keyProtection: "hsm" } }))).toMatchObject({ candidates: ["signs"] });
  });
});

describe("a native key is refused, with each candidate's reason,", () => {
  it("where nobody offers it, and it is said who could", () => {
    const error = refusal(() => place({}, route("r", { place: { holders: ["macs"] } })));
    expect(error.code).toBe("UNSUPPORTED_COMBINATION");
    expect(error.publicMessage).toContain("macs: it does not offer sign with EC-P256-SHA256");
    expect(error.help).toContain("signs, both");
  });

  it("where only providers might that were not reached", () => {
    const error = refusal(() => place({ algorithm: "ED25519" }));
    expect(error.code).toBe("NO_PROVIDER");
    expect(error.publicMessage).toContain("new: it has not been reached");
  });

  it("where the policy forbids all who can", () => {
    const error = refusal(() => place({}, route("r", { require: { jurisdiction: ["US"] } })));
    expect(error.code).toBe("REQUIREMENT_UNMET");
    expect(error.publicMessage).toContain("signs: wanted jurisdiction US");
  });

  it("where the provider is not configured", () => {
    const error = refusal(() => place({ custody: { kind: "native", holders: ["nobody"] } }));
    expect(error.code).toBe("INVALID_ARGUMENT");
    expect(error.errors[0]?.pointer).toBe("/custody/provider");
  });

  it("where a portable key was described", () => {
    const error = refusal(() => place({ custody: { kind: "native", minimum: 2 } }));
    expect(error.errors[0]).toMatchObject({ pointer: "/custody/minimum", code: "unknown-field" });
  });
});
