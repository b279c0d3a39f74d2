import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";

const encrypt = `{ encrypt } from "#broker/encrypt.ts"`;
/** One violation per kind: the file that commits it, its text, and the rule that must see it. */
const plants: Readonly<Record<string, readonly [file: string, text: string, rule: string]>> = {
  alias: ["src/core/p1.ts", `import ${encrypt}; export const a = encrypt;`, "dependencies"],
  "relative path": [
    "src/core/p2.ts",
    `import { encrypt } from "../broker/encrypt.ts"; export const a = encrypt;`,
    "dependencies",
  ],
  "type only": [
    "src/core/p3.ts",
    `import type { BrokerParts } from "#broker/encrypt.ts"; export type A = BrokerParts;`,
    "dependencies",
  ],
  "import()": [
    "src/core/p4.ts",
    `export const a = async (): Promise<unknown> => await import("#broker/encrypt.ts");`,
    "dependencies",
  ],
  "import() of a type": ["src/core/p5.ts", `export type A = import("#broker/encrypt.ts").BrokerParts;`, "dependencies"],
  "re-export": ["src/core/p6.ts", `export ${encrypt};`, "dependencies"],
  SDK: [
    "src/broker/p7.ts",
    `import { KMSClient } from "@aws-sdk/client-kms"; export const a = KMSClient;`,
    "dependencies",
  ],
  "SDK outside client.ts": [
    "providers/aws-kms/p8.ts",
    `import { KMSClient } from "@aws-sdk/client-kms"; export const a = KMSClient;`,
    "no-restricted-imports",
  ],
  "built-in": [
    "src/core/p9.ts",
    `import { readFileSync } from "node:fs"; export const a = readFileSync;`,
    "dependencies",
  ],
  "other provider": [
    "providers/aws-kms/p10.ts",
    `import { localCipher } from "#providers/local-hsm/cipher.ts"; export const a = localCipher;`,
    "dependencies",
  ],
  "other door": [
    "src/doors/rest/p11.ts",
    `import { otherDoor } from "#doors/other/door.ts"; export const a = otherDoor;`,
    "dependencies",
  ],
  "unlisted folder": ["src/novel/p12.ts", `export const a = 1;`, "no-unknown-files"],
  cycle: ["src/core/p13.ts", `import { b } from "./p14.ts"; export const a = (): unknown => b;`, "no-cycle"],
  "cycle, other half": [
    "src/core/p14.ts",
    `import { a } from "./p13.ts"; export const b = (): unknown => a;`,
    "no-cycle",
  ],
  "shipped code to test": [
    "src/broker/p15.ts",
    `import { providerSuite } from "../../test/conformance/provider.suite.ts"; export const a = providerSuite;`,
    "dependencies",
  ],
  "composition root to test": [
    "src/main.ts",
    `import { providerSuite } from "../test/conformance/provider.suite.ts"; void providerSuite;`,
    "dependencies",
  ],
  "what a border allows": [
    "src/broker/p17.ts",
    `import { algorithmTraits } from "#core/algorithms.ts"; export const a = algorithmTraits("ED25519");`,
    "nothing",
  ],
  "fetch in core": [
    "src/core/p16.ts",
    `export const a = async (): Promise<unknown> => await fetch("http://x");`,
    "no-restricted-globals",
  ],
};

/** The rule of a plant that is no violation. */
const ALLOWED = "nothing";

type Finding = { readonly filename: string; readonly code: string };
const tree = mkdtempSync(join(tmpdir(), "borders-"));

/** Lints the files that were planted; the rest of the tree is what `npm run check` lints. */
function lint(): readonly Finding[] {
  const oxlint = join(tree, "node_modules/oxlint/bin/oxlint");
  const planted = Object.values(plants).map(([file]) => file);
  const run = spawnSync(process.execPath, [oxlint, "-f", "json", ...planted], { cwd: tree, encoding: "utf8" });
  const report = JSON.parse(run.stdout) as {
    readonly diagnostics: readonly Finding[];
    readonly number_of_files: number;
  };
  expect(report.number_of_files).toBe(planted.length);
  return report.diagnostics;
}

beforeAll(() => {
  for (const name of [
    "src",
    "providers",
    "config",
    "test",
    "bench",
    "deploy",
    "localstack",
    "package.json",
    "tsconfig.json",
    "oxlint.config.ts",
  ]) {
    cpSync(name, join(tree, name), { recursive: true });
  }
  symlinkSync(join(process.cwd(), "node_modules"), join(tree, "node_modules"));
});
afterAll(() => {
  rmSync(tree, { recursive: true });
});

it("the linter sees each kind of violation, and passes what is none", { timeout: 150_000 }, () => {
  mkdirSync(join(tree, "src/doors/other"), { recursive: true });
  writeFileSync(join(tree, "src/doors/other/door.ts"), "export const otherDoor = 1;\n");
  for (const [file, text] of Object.values(plants)) {
    mkdirSync(dirname(join(tree, file)), { recursive: true });
    writeFileSync(join(tree, file), `${text}\n`);
  }
  const found = lint();
  const unseen = Object.entries(plants).filter(
    ([, [file, , rule]]) =>
      rule !== ALLOWED && !found.some((finding) => finding.filename === file && finding.code.endsWith(`(${rule})`)),
  );
  expect(unseen.map(([name]) => name)).toEqual([]);
  const allowed = Object.values(plants).flatMap(([file, , rule]) => (rule === ALLOWED ? [file] : []));
  expect(found.filter(({ filename }) => allowed.includes(filename))).toEqual([]);
});
