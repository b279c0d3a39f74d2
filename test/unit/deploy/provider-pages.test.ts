import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { PROVIDER_KINDS } from "#providers/registry.ts";
import { providerPages } from "../../../deploy/provider-pages.ts";

describe("the pages of the providers", () => {
  const pages = providerPages();

  it("are those in docs/providers (npm run docs), as the formatter leaves them", () => {
    for (const [path, page] of pages) {
      const formatted = execFileSync("node_modules/.bin/oxfmt", ["--stdin-filepath", path], {
        input: page,
        encoding: "utf8",
      });
      expect(readFileSync(path, "utf8")).toBe(formatted);
    }
  });

  it("are there for each kind, and for nothing else", () => {
    const kinds = readdirSync("docs/providers").map((name) => name.replace(/\.md$/u, ""));
    expect(kinds.toSorted()).toEqual(Object.keys(PROVIDER_KINDS).toSorted());
    expect([...pages.keys()].map((path) => path.replace(/^.*\/(?<kind>.*)\.md$/u, "$<kind>")).toSorted()).toEqual(
      kinds.toSorted(),
    );
  });

  it("say what each offers, and with which rights", () => {
    for (const page of pages.values()) expect(page).toMatch(/^## What it offers$[^]*^### Algorithms$/mu);
    expect(pages.get("docs/providers/aws-kms.md")).toMatch(
      /\| AES-256-OPAQUE \s*\| encrypt \| encrypt 1\.\.4096 · decrypt 0\.\.6144/u,
    );
  });
});
