import { describe, expect, it } from "vitest";
import { KmsError } from "#core/errors.ts";
import { labelsInRules, matchRoute, routeNamed } from "#policy/routes.ts";
import { policyOf, route } from "./facts.ts";

const payments = route("payments", { match: { namespace: "payments", labels: {} } });
const european = route("european", { match: { labels: { residency: "eu", tier: "gold" } } });
const rest = route("rest");
const name = (routes: readonly (typeof rest)[], namespace: string, labels: Record<string, string> = {}) => {
  try {
    return matchRoute(routes, { namespace, labels }).name;
  } catch (error) {
    return error instanceof KmsError ? error.code : "other";
  }
};

describe("a key", () => {
  it.for([
    { namespace: "payments", labels: {}, to: "payments" },
    { namespace: "payments", labels: { residency: "eu", tier: "gold" }, to: "payments" },
    { namespace: "shop", labels: { residency: "eu", tier: "gold", other: "x" }, to: "european" },
    { namespace: "shop", labels: { residency: "eu" }, to: "rest" },
    { namespace: "shop", labels: { residency: "us", tier: "gold" }, to: "rest" },
  ])("of $namespace with $labels is placed by $to: the first route that fits in every member", (row) => {
    expect(name([payments, european, rest], row.namespace, row.labels)).toBe(row.to);
  });

  it("that fits no route is refused", () => {
    expect(name([payments, european], "shop")).toBe("REQUIREMENT_UNMET");
    expect(name([], "shop")).toBe("REQUIREMENT_UNMET");
  });

  it("that fits no route goes to the one named default, wherever it stands", () => {
    const fallback = route("default", { match: { namespace: "other", labels: {} } });
    expect(name([fallback, payments], "payments")).toBe("payments");
    expect(name([fallback, payments], "shop")).toBe("default");
  });

  it("has no label of the prototype", () => {
    const odd = route("odd", { match: { labels: { constructor: "x" } } });
    expect(name([odd, rest], "shop")).toBe("rest");
  });
});

it("the labels in rules are those that any route matches on", () => {
  expect([...labelsInRules([payments, european])]).toEqual(["residency", "tier"]);
});

it("the route that placed a key is found by its name, or is gone", () => {
  const policy = policyOf([payments], []);
  expect([routeNamed(policy, "payments"), routeNamed(policy, "gone")]).toEqual([payments, undefined]);
});
