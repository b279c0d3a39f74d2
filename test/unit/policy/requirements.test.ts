import { expect, it } from "vitest";
import type { RequireConfig } from "#core/route-config.ts";
import type { ProviderFacts } from "#policy/policy.ts";
import { forbids } from "#policy/requirements.ts";
import { provider } from "./facts.ts";

it.for<{ name: string; require: RequireConfig; facts: Partial<ProviderFacts>; because: string | undefined }>([
  { name: "nothing asked", require: {}, facts: { jurisdiction: null, entity: [] }, because: undefined },
  { name: "one of its jurisdictions", require: { jurisdiction: ["CH", "EU"] }, facts: {}, because: undefined },
  { name: "another jurisdiction", require: { jurisdiction: ["CH"] }, facts: {}, because: "jurisdiction" },
  {
    name: "a jurisdiction that is not stated",
    require: { jurisdiction: ["EU"] },
    facts: { jurisdiction: null },
    because: "jurisdiction",
  },
  {
    name: "every entity allowed",
    require: { entity: ["EU", "CH"] },
    facts: { entity: ["CH", "EU"] },
    because: undefined,
  },
  { name: "one entity of two", require: { entity: ["EU"] }, facts: { entity: ["EU", "US"] }, because: "jurisdiction" },
  { name: "no entity stated", require: { entity: ["EU"] }, facts: { entity: [] }, because: "jurisdiction" },
  { name: "an hsm", require: { recipientProtection: "hsm" }, facts: {}, because: undefined },
  {
    name: "software",
    require: { recipientProtection: "hsm" },
    facts: { protection: "software" },
    because: "protection",
  },
  { name: "external", require: { keyProtection: "hsm" }, facts: { protection: "external" }, because: "protection" },
])("a requirement against $name: $because", ({ require, facts, because }) => {
  expect(forbids(require, provider("x", facts))?.because).toBe(because);
});
