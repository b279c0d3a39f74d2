import { isAbsolute } from "node:path";
import { z } from "zod";
import type { ParsedOptions } from "#core/provider.ts";
import { Secret, unsafeRevealSecret } from "#core/secret.ts";

export type Pkcs11Options = {
  /** Absolute path of the vendor's library. */
  readonly module: string;
  readonly token: { readonly label: string } | { readonly serial: string };
  readonly pin: Secret<string>;
  /** Processes that load the library, and so calls at a time. */
  readonly workers: number;
  /** After how many milliseconds a call that has not returned is given up, and its process ended. */
  readonly stuckMs: number;
  /** What the library reads from its environment; nothing else of ours reaches it. */
  readonly environment: Readonly<Record<string, string>>;
};

/** The configuration may hand a secret over as text or wrapped. */
function revealed(value: unknown): unknown {
  return value instanceof Secret ? unsafeRevealSecret<unknown>(value) : value;
}

const name = (wanted: string) => z.string(wanted).min(1, wanted).max(64, wanted);
const ABSOLUTE = "wanted the absolute path of a shared library";

const SCHEMA = z.strictObject(
  {
    module: z.string(ABSOLUTE).refine(isAbsolute, ABSOLUTE),
    token: z.union(
      [
        name("wanted a token's label").transform((label) => ({ label })),
        z.strictObject({ label: name("wanted a token's label") }),
        z.strictObject({ serial: name("wanted a token's serial number") }),
      ],
      "wanted a token's label, or { label } or { serial }",
    ),
    pin: z
      .preprocess(revealed, z.string("wanted the user's PIN").min(1, "wanted the user's PIN"))
      .transform((text) => new Secret(text)),
    workers: z.int("wanted 1 to 32").min(1, "wanted 1 to 32").max(32, "wanted 1 to 32").default(2),
    stuckMs: z
      .int("wanted milliseconds from 1000 to 600000")
      .min(1000, "wanted milliseconds from 1000 to 600000")
      .max(600_000, "wanted milliseconds from 1000 to 600000")
      .default(30_000),
    environment: z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/u, "wanted names of variables"), z.string("wanted a text"))
      .default({}),
  },
  "wanted a mapping",
);

/** Parses the options of a token; all problems at once, unknown members refused. */
export function parsePkcs11Options(input: unknown): ParsedOptions<Pkcs11Options> {
  const parsed = SCHEMA.safeParse(input);
  if (parsed.success) return { ok: true, options: parsed.data };
  const problems = parsed.error.issues.flatMap((issue) => {
    const path = issue.path.filter((part) => typeof part !== "symbol");
    if (issue.code !== "unrecognized_keys") return [{ path, message: issue.message }];
    return issue.keys.map((key) => ({ path: [...path, key], message: "no such option" }));
  });
  return { ok: false, problems };
}
