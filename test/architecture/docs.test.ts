import { access, glob, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = new URL("../../", import.meta.url).pathname;
const PAGES = await Array.fromAsync(
  glob(["*.md", "{docs,providers,localstack,bench,deploy,test/fakes}/**/*.md"], { cwd: ROOT }),
);

describe("what is written for people", () => {
  it("has the pages that everybody looks for", () => {
    expect(PAGES).toEqual(
      expect.arrayContaining(["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"]),
    );
    expect(PAGES.some((page) => page.startsWith("docs/decisions/"))).toBe(true);
  });

  it.for(PAGES.toSorted())("links to nothing that is not there: %s", async (page) => {
    const text = await readFile(join(ROOT, page), "utf8");
    const dead: string[] = [];
    for (const target of linksOf(text)) {
      const [path = "", anchor] = target.split("#");
      const file = path === "" ? join(ROOT, page) : join(ROOT, dirname(page), path);
      if (!(await exists(file))) dead.push(target);
      else if (anchor !== undefined && !anchorsOf(await readFile(file, "utf8")).has(anchor)) dead.push(target);
    }
    expect(dead).toEqual([]);
  });

  it.for(["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"])(
    "names no file and no script that is not there: %s",
    async (page) => {
      const text = await readFile(join(ROOT, page), "utf8");
      const { scripts } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as { scripts: object };
      const gone: string[] = [];
      for (const [, span = ""] of text.matchAll(/`(?<span>[^`\n]+)`/gu)) {
        const script = /^npm run (?<name>[a-z:]+)/u.exec(span)?.groups?.["name"];
        if (script !== undefined && !Object.hasOwn(scripts, script)) gone.push(span);
        if (OURS.test(span) && !(await exists(join(ROOT, span)))) gone.push(span);
      }
      expect(gone).toEqual([]);
    },
  );
});

/** A path of the repository, without a placeholder. */
const OURS = /^(?:\.ci|bench|bin|config|deploy|docs|localstack|providers|src|test)\/[\w./-]*$/u;

/** The relative targets of Markdown's links and images, outside code. */
function linksOf(text: string): readonly string[] {
  const prose = text.replaceAll(/^```[^]*?^```/gmu, "").replaceAll(/`[^`\n]*`/gu, "");
  const targets = [...prose.matchAll(/\]\((?<target>[^)\s]+)\)/gu)].map(({ groups }) => groups?.["target"] ?? "");
  return targets.filter((target) => !/^[a-z]+:/u.test(target));
}

/** The anchors that GitHub gives the headings of a page. */
function anchorsOf(text: string): ReadonlySet<string> {
  const headings = [...text.matchAll(/^#+ (?<title>.+)$/gmu)].map(({ groups }) => groups?.["title"] ?? "");
  return new Set(
    headings.map((title) =>
      title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
