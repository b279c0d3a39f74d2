import { describe, expect, it } from "vitest";
import { PROVIDER_KINDS } from "#providers/registry.ts";

describe.each(Object.entries(PROVIDER_KINDS))("the registry's entry %s", (name, load) => {
  it("loads the kind of that name", async () => {
    expect((await load()).kind).toBe(name);
  });

  it("refuses, all at once and with their paths, options that it does not know", async () => {
    const parsed = (await load()).parseOptions({ "no-such-option": 1, "nor-this": 2 });
    if (parsed.ok) expect.fail("it was taken");
    const paths = parsed.problems.map(({ path }) => path.join("."));
    expect(paths).toEqual(expect.arrayContaining(["no-such-option", "nor-this"]));
  });
});
