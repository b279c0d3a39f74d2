import { z } from "zod";
import { type ParsedConfig, parseConfig, type ParseConfigInput } from "#config/parse.ts";
import type { Config, ProviderKinds } from "#config/schema.ts";
import type { ParsedOptions, ProviderKind } from "#core/provider.ts";

const Vault = z.strictObject({
  vault: z.string(),
  pin: z.string().regex(/^\d+$/u, "wanted digits").optional(),
  folder: z.string().optional(),
  endpoint: z.string().startsWith("https:", "wanted https").optional(),
  credentials: z.object({ data: z.object({ token: z.string() }).optional() }).optional(),
});

/** A kind whose options are easily right or wrong. */
export const vaultKind: ProviderKind<unknown> = {
  kind: "vault",
  parseOptions(input): ParsedOptions<unknown> {
    const parsed = Vault.safeParse(input);
    if (parsed.success) return { ok: true, options: parsed.data };
    const problems = parsed.error.issues.flatMap((issue) => {
      const path = issue.path.map((step) => (typeof step === "number" ? step : String(step)));
      if (issue.code !== "unrecognized_keys") return [{ path, message: issue.message }];
      return issue.keys.map((key) => ({ path: [...path, key], message: "no such option" }));
    });
    return { ok: false, problems };
  },
  open: () => Promise.reject(new Error("not in this test")),
};

export const KINDS: ProviderKinds = {
  vault: () => vaultKind,
  "local-hsm": () =>
    Promise.resolve({ ...vaultKind, kind: "local-hsm", parseOptions: (options) => ({ ok: true, options }) }),
  missing: () => Promise.reject(new Error("the package is not installed")),
};

const FILES: Readonly<Record<string, string>> = { "/secrets/pin": "1234\n", "/secrets/two": "a\nb\r\n" };

export function parse(text: string, changes: Partial<ParseConfigInput> = {}): Promise<ParsedConfig> {
  return parseConfig({
    text,
    kinds: KINDS,
    environment: { PORT: "9443", VAULT: "v1", SECRET: "s3cr3t", EMPTY: "" },
    readFile: (path) => {
      const content = FILES[path];
      if (content === undefined) throw Object.assign(new Error("no such file"), { code: "ENOENT" });
      return content;
    },
    ...changes,
  });
}

/** The configuration; throws its problems. */
export async function configOf(text: string): Promise<Config> {
  const result = await parse(text);
  if (result.ok) return result.config;
  throw new Error(result.problems.map(({ line, column, message }) => `${line}:${column}: ${message}`).join("\n"));
}
