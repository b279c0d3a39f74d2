import { z } from "zod";
import type { ParsedOptions } from "#core/provider.ts";
import { Secret, unsafeRevealSecret } from "#core/secret.ts";

export type AwsCredentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret<string>;
  /** Of temporary credentials. */
  readonly sessionToken?: Secret<string>;
};

export type AwsKmsOptions = {
  /** Such as `eu-west-1`. */
  readonly region: string;
  /** Instead of the Region's own. */
  readonly endpoint?: string;
  /** Path of a PEM file with the certificates to trust instead of Node's own. */
  readonly ca?: string;
  /** New keys are multi-Region primaries, which AWS's own tools can replicate. */
  readonly multiRegion?: boolean;
  /** Absent, in whole or in part: the SDK's default chain. Without `control`, `data` does both. */
  readonly credentials?: { readonly data?: AwsCredentials; readonly control?: AwsCredentials };
};

/** Parses the options of a provider of this kind; all problems at once, unknown members refused. */
export function parseAwsKmsOptions(input: unknown): ParsedOptions<AwsKmsOptions> {
  const parsed = Options.safeParse(input);
  if (parsed.success) return { ok: true, options: parsed.data };
  const problems = parsed.error.issues.flatMap((issue) => {
    const path = issue.path.filter((part) => typeof part !== "symbol");
    if (issue.code !== "unrecognized_keys") return [{ path, message: issue.message }];
    return issue.keys.map((key) => ({ path: [...path, key], message: "no such option" }));
  });
  return { ok: false, problems };
}

// SYMMETRIC_DEFAULT is SM4-128 in the Regions of China, whose accounts, endpoints and operators are others too.
const Region = z
  .string()
  .regex(/^[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}$/u, "wanted a region such as eu-west-1")
  .refine((region) => !region.startsWith("cn-"), "regions of china encrypt with sm4, which is not supported");

const Endpoint = z.string().transform((text, problems) => {
  const origin = originOf(text);
  if (origin !== undefined) return origin;
  problems.addIssue("wanted an https url without path (http for loopback hosts only)");
  return z.NEVER;
});

/** The configuration may hand a secret over as text or wrapped. */
function revealed(value: unknown): unknown {
  return value instanceof Secret ? unsafeRevealSecret<unknown>(value) : value;
}

const AccessKeyId = z.preprocess(revealed, z.string().regex(/^\w{1,128}$/u, "wanted an access key id"));
const SecretText = z
  .preprocess(revealed, z.string("wanted a secret").min(1, "wanted a secret"))
  .transform((text) => new Secret(text));

const Credentials = z.strictObject({
  accessKeyId: AccessKeyId,
  secretAccessKey: SecretText,
  sessionToken: SecretText.exactOptional(),
});

const Options = z.strictObject({
  region: Region,
  endpoint: Endpoint.exactOptional(),
  ca: z.string().min(1, "wanted the path of a pem file").exactOptional(),
  multiRegion: z.boolean("wanted true or false").exactOptional(),
  credentials: z
    .strictObject({ data: Credentials.exactOptional(), control: Credentials.exactOptional() })
    .exactOptional(),
});

function originOf(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || `${url.origin}/` !== url.href) return undefined;
  return url.protocol === "https:" || (url.protocol === "http:" && LOOPBACK.test(url.hostname))
    ? url.origin
    : undefined;
}

const LOOPBACK = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/u;
