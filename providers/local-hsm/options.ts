import { z } from "zod";
import type { OptionProblem, ParsedOptions } from "#core/provider.ts";
import { Secret, unsafeRevealSecret } from "#core/secret.ts";

/** Where the master key comes from. A path is absolute, or relative to the gateway's data folder; null is `<folder>/master.key`. */
export type SealOption =
  | { readonly kind: "file"; readonly file: string | null }
  | { readonly kind: "passphrase"; readonly passphrase: Secret<string> };

export type LocalHsmOptions = {
  /** Absolute, or relative to the gateway's data folder; null is `<data folder>/<provider's name>`. */
  readonly folder: string | null;
  readonly seal: SealOption;
};

const MIN_PASSPHRASE_CHARACTERS = 12;

const path = z
  .string({ error: "wanted a path" })
  .min(1, { error: "wanted a path, got nothing" })
  .refine((text) => !text.includes("\0"), { error: "wanted a path, got one with a zero byte" });
const passphrase = z
  .string({ error: "wanted a text" })
  .min(MIN_PASSPHRASE_CHARACTERS, { error: `wanted at least ${MIN_PASSPHRASE_CHARACTERS} characters` });

const SEAL = z
  .strictObject(
    { file: path.optional(), passphrase: z.preprocess(revealed, passphrase.optional()) },
    { error: "wanted { file } or { passphrase }" },
  )
  .refine((seal) => (seal.file === undefined) !== (seal.passphrase === undefined), {
    error: "wanted either file or passphrase",
  });
const SCHEMA = z.strictObject({ folder: path.optional(), seal: SEAL.optional() }, { error: "wanted a mapping" });

/** Parses the options of a software HSM: `folder`, and `seal: { file }` or `seal: { passphrase }`. */
export function parseLocalHsmOptions(input: unknown): ParsedOptions<LocalHsmOptions> {
  const parsed = SCHEMA.safeParse(input ?? {});
  if (!parsed.success) return { ok: false, problems: parsed.error.issues.flatMap(problemsOf) };
  const { folder = null, seal } = parsed.data;
  return { ok: true, options: { folder, seal: sealOf(seal) } };
}

function sealOf(seal: z.infer<typeof SEAL> | undefined): SealOption {
  if (seal?.passphrase !== undefined) return { kind: "passphrase", passphrase: new Secret(seal.passphrase) };
  return { kind: "file", file: seal?.file ?? null };
}

/** The configuration may hand a secret over as text or wrapped. */
function revealed(value: unknown): unknown {
  return value instanceof Secret ? unsafeRevealSecret<unknown>(value) : value;
}

function problemsOf(issue: z.core.$ZodIssue): OptionProblem[] {
  const at = issue.path.filter((part) => typeof part !== "symbol");
  if (issue.code !== "unrecognized_keys") return [{ path: at, message: issue.message }];
  return issue.keys.map((key) => ({ path: [...at, key], message: "unknown member" }));
}
