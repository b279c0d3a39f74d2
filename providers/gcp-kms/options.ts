import { z } from "zod";
import type { ParsedOptions } from "#core/provider.ts";
import { Secret, unsafeRevealSecret } from "#core/secret.ts";

/** One of: a key file, the JSON of a service account itself, or a token, which only what runs on this machine gets. */
export type GcpCredentials = {
  readonly keyFile?: string;
  readonly serviceAccount?: Secret<string>;
  readonly token?: Secret<string>;
};

export type GcpKmsOptions = {
  /** `projects/P/locations/L/keyRings/R`. */
  readonly keyRing: string;
  /** Where new keys are kept; SOFTWARE unless told. */
  readonly protectionLevel: "SOFTWARE" | "HSM";
  /** Instead of cloudkms.googleapis.com; `host:port` follows from it. */
  readonly endpoint?: string;
  /** Path of a PEM file with the certificates to trust instead of Google's own; with an endpoint. */
  readonly ca?: string;
  /** Absent, in whole or in part: application default credentials. Without `control`, `data` does both. */
  readonly credentials?: { readonly data?: GcpCredentials; readonly control?: GcpCredentials };
};

/** Parses the options of a provider of this kind; all problems at once, unknown members refused. */
export function parseGcpKmsOptions(input: unknown): ParsedOptions<GcpKmsOptions> {
  const parsed = Options.safeParse(input);
  if (parsed.success) return { ok: true, options: parsed.data };
  const problems = parsed.error.issues.flatMap((issue) => {
    const path = issue.path.filter((part) => typeof part !== "symbol");
    if (issue.code !== "unrecognized_keys") return [{ path, message: issue.message }];
    return issue.keys.map((key) => ({ path: [...path, key], message: "no such option" }));
  });
  return { ok: false, problems };
}

const KEY_RING = /^projects\/[a-z0-9:.-]{1,63}\/locations\/[a-z0-9-]{1,63}\/keyRings\/[a-zA-Z0-9_-]{1,63}$/u;
const LOOPBACK = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/u;

/** The configuration may hand a secret over as text or wrapped. */
function revealed(value: unknown): unknown {
  return value instanceof Secret ? unsafeRevealSecret<unknown>(value) : value;
}

const SecretText = z
  .preprocess(revealed, z.string("wanted a secret").min(1, "wanted a secret"))
  .transform((text) => new Secret(text));

const Credentials = z
  .strictObject({
    keyFile: z.string("wanted the path of a key file").min(1, "wanted the path of a key file").exactOptional(),
    serviceAccount: SecretText.exactOptional(),
    token: SecretText.exactOptional(),
  })
  .refine((given) => Object.keys(given).length === 1, "wanted one of keyFile, serviceAccount, token");

const Options = z
  .strictObject({
    keyRing: z
      .string("wanted projects/PROJECT/locations/LOCATION/keyRings/RING")
      .regex(KEY_RING, "wanted projects/PROJECT/locations/LOCATION/keyRings/RING"),
    protectionLevel: z.enum(["SOFTWARE", "HSM"], "wanted SOFTWARE or HSM").default("SOFTWARE"),
    endpoint: z
      .string()
      .refine((text) => isOrigin(text), "wanted an https url without path (http for loopback hosts only)")
      .exactOptional(),
    ca: z.string().min(1, "wanted the path of a pem file").exactOptional(),
    credentials: z
      .strictObject({ data: Credentials.exactOptional(), control: Credentials.exactOptional() })
      .exactOptional(),
  })
  .superRefine(({ endpoint, ca, credentials = {} }, problems) => {
    const local = endpoint !== undefined && LOOPBACK.test(new URL(endpoint).hostname);
    if (ca !== undefined && endpoint === undefined)
      problems.addIssue({ code: "custom", path: ["ca"], message: "wanted an endpoint with it" });
    const planes = [credentials.data, credentials.control ?? credentials.data];
    if (ca !== undefined && endpoint !== undefined && planes.some((plane) => plane?.token === undefined))
      problems.addIssue({
        code: "custom",
        path: ["ca"],
        message: "wanted fixed tokens with it; with other credentials trust the certificates by NODE_EXTRA_CA_CERTS",
      });
    for (const plane of ["data", "control"] as const) {
      if (credentials[plane]?.token === undefined || local) continue;
      const message = "a fixed token is for an endpoint on this machine";
      problems.addIssue({ code: "custom", path: ["credentials", plane, "token"], message });
    }
  });

function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || `${url.origin}/` !== url.href) return false;
  return url.protocol === "https:" || (url.protocol === "http:" && LOOPBACK.test(url.hostname));
}
