import { describe, expect, it } from "vitest";
import { KmsError } from "#core/errors.ts";
import { type PlacedKey, placeKey } from "#policy/place-key.ts";
import type { Wish } from "#policy/wish.ts";
import type { ProviderFacts } from "#policy/policy.ts";
import { policyOf, provider, route } from "./facts.ts";

const wish: Wish = { namespace: "shop", labels: {}, purpose: "encrypt", algorithm: undefined, custody: undefined };
const [a, b, c] = [provider("a"), provider("b"), provider("c")];
const place = (
  part: Partial<Wish> = {},
  routes = [route("default")],
  providers: readonly ProviderFacts[] = [a, b, c],
) => placeKey(policyOf(routes, providers), { ...wish, ...part });
const custodyOf = (placed: PlacedKey): Extract<PlacedKey, { kind: "portable" }>["custody"] => {
  if (placed.kind !== "portable") throw new Error("is not portable");
  return placed.custody;
};
const refusal = (run: () => unknown): KmsError => {
  try {
    run();
  } catch (error) {
    if (error instanceof KmsError) return error;
  }
  throw new Error("was not refused");
};

describe("the custody of a new key", () => {
  it("is portable, with everything resolved", () => {
    expect(place()).toEqual({
      kind: "portable",
      route: "default",
      algorithm: "AES-256-GCM",
      onState: "stop",
      custody: { kind: "portable", holders: ["a", "b", "c"], minimum: 2, threshold: 1, dedicated: false },
    });
  });

  it("takes holders, minimum and onState of its route", () => {
    const routes = [route("r", { place: { holders: ["c", "a"], minimum: 1 }, onState: "continue" })];
    expect(place({}, routes)).toMatchObject({ custody: { holders: ["c", "a"], minimum: 1 }, onState: "continue" });
  });

  it("needs no more by default than its failure domains", () => {
    const twins = [provider("a", { failureDomain: "rack" }), provider("b", { failureDomain: "rack" })];
    expect(custodyOf(place({}, undefined, twins)).minimum).toBe(1);
  });

  it("keeps the holders that a caller names, in order, with its minimum or the default", () => {
    const routes = [route("r", { place: { holders: "all", minimum: 3 } })];
    const custody = { kind: "portable", holders: ["c", "b"] } as const;
    expect(custodyOf(place({ custody }, routes))).toMatchObject({ holders: ["c", "b"], minimum: 2 });
    expect(custodyOf(place({ custody: { ...custody, minimum: 1 } }, routes)).minimum).toBe(1);
  });

  it("leaves out what the route's requirement forbids where nobody named it", () => {
    const routes = [route("r", { require: { jurisdiction: ["EU"] } })];
    expect(custodyOf(place({}, routes, [a, provider("us", { jurisdiction: "US" }), b])).holders).toEqual(["a", "b"]);
  });

  it("can be a branch of its own", () => {
    expect(custodyOf(place({ custody: { kind: "portable", dedicated: true } })).dedicated).toBe(true);
  });
});

describe("a placement is refused", () => {
  it.for<{ name: string; run: () => unknown; code: string; pointer?: string }>([
    {
      name: "for a holder that nobody configured",
      run: () => place({ custody: { kind: "portable", holders: ["a", "nobody"] } }),
      code: "INVALID_ARGUMENT",
      pointer: "/custody/holders/1",
    },
    {
      name: "for a holder that the route forbids",
      run: () =>
        place(
          { custody: { kind: "portable", holders: ["us"] } },
          [route("r", { require: { jurisdiction: ["EU"] } })],
          [provider("us", { jurisdiction: "US" })],
        ),
      code: "REQUIREMENT_UNMET",
      pointer: "/custody/holders/0",
    },
    {
      name: "where the route forbids everybody",
      run: () => place({}, [route("r", { require: { entity: ["CH"] } })]),
      code: "REQUIREMENT_UNMET",
    },
    {
      name: "where no provider is configured",
      run: () => place({}, undefined, []),
      code: "REQUIREMENT_UNMET",
    },
    {
      name: "where the key itself must be in an hsm",
      run: () => place({}, [route("r", { require: { keyProtection: "hsm" } })]),
      code: "REQUIREMENT_UNMET",
    },
    {
      name: "for a minimum above the failure domains",
      run: () => place({ custody: { kind: "portable", holders: ["a", "b"], minimum: 3 } }),
      code: "REQUIREMENT_UNMET",
      pointer: "/custody/minimum",
    },
    {
      name: "for a route's minimum that its remaining holders cannot meet",
      run: () => place({}, [route("r", { place: { holders: ["a"], minimum: 2 } })]),
      code: "REQUIREMENT_UNMET",
    },
    {
      name: "for another custody",
      run: () => place({ custody: { kind: "replicated" } }),
      code: "UNSUPPORTED_COMBINATION",
      pointer: "/custody/kind",
    },
    {
      name: "for a purpose that portable keys do not have",
      run: () => place({ purpose: "sign", custody: { kind: "portable" } }),
      code: "UNSUPPORTED_COMBINATION",
    },
    {
      name: "for a threshold",
      run: () => place({ custody: { kind: "portable", threshold: 2 } }),
      code: "UNSUPPORTED_COMBINATION",
      pointer: "/custody/threshold",
    },
    {
      name: "for an algorithm that portable keys do not have",
      run: () => place({ algorithm: "AES-128-GCM" }),
      code: "UNSUPPORTED_COMBINATION",
      pointer: "/algorithm",
    },
    {
      name: "for an algorithm of another purpose",
      run: () => place({ algorithm: "EC-P256-SHA256" }),
      code: "UNSUPPORTED_COMBINATION",
      pointer: "/algorithm",
    },
    { name: "without a route", run: () => place({}, []), code: "REQUIREMENT_UNMET" },
  ])("$name: $code", ({ run, code, pointer }) => {
    const error = refusal(run);
    expect(error.code).toBe(code);
    if (pointer !== undefined) expect(error.errors.map((field) => field.pointer)).toEqual([pointer]);
  });

  it("with each candidate's reason", () => {
    const why = "a portable key cannot have purpose sign with EC-P256-SHA256";
    expect(refusal(() => place({ purpose: "sign", custody: { kind: "portable" } })).publicMessage).toBe(
      `${why}; candidates: ${["a", "b", "c"].map((name) => `${name}: ${why}`).join("; ")}`,
    );
    const strict = [route("r", { require: { jurisdiction: ["CH"] } })];
    expect(refusal(() => place({}, strict, [a])).publicMessage).toBe(
      "route r forbids every candidate; a: wanted jurisdiction CH, it is EU",
    );
  });
});
