import { z } from "zod";
import type { ParsedOptions } from "#core/provider.ts";
import { Secret, unsafeRevealSecret } from "#core/secret.ts";

/** Who asks. A fixed token is only for what runs on this machine. */
export type AzureCredentials =
  | { readonly tenantId: string; readonly clientId: string; readonly clientSecret: Secret<string> }
  | { readonly workloadIdentity: WorkloadIdentity }
  | { readonly managedIdentity: { readonly clientId?: string } }
  | { readonly token: Secret<string> };

/** What is left out comes from the environment that Azure's webhook sets. */
export type WorkloadIdentity = {
  readonly tenantId?: string;
  readonly clientId?: string;
  /** Path of the file with the service account's token. */
  readonly tokenFile?: string;
};

type Common = {
  /** Days for which the service keeps what was deleted: a setting of the vault, which the adapter compares before it deletes. */
  readonly retentionDays: number;
  /** Path of a PEM file with the certificates to trust instead of Node's own; on loopback hosts only. */
  readonly ca?: string;
  /** Absent, in whole or in part: Azure's default chain. Without `control`, `data` does both. */
  readonly credentials?: { readonly data?: AzureCredentials; readonly control?: AzureCredentials };
};

export type AzureKeyVaultOptions = Common & {
  /** Origin, such as `https://v.vault.azure.net`. */
  readonly vault: string;
  /** Whether new keys are of HSM types, which Premium vaults have. */
  readonly hardwareProtected: boolean;
};

export type AzureManagedHsmOptions = Common & {
  /** Origin, such as `https://h.managedhsm.azure.net`. */
  readonly hsm: string;
};

/** Parses the options of a vault; all problems at once, unknown members refused. */
export function parseAzureKeyVaultOptions(input: unknown): ParsedOptions<AzureKeyVaultOptions> {
  return parsedBy(VaultOptions, input);
}

/** Parses the options of a Managed HSM; all problems at once, unknown members refused. */
export function parseAzureManagedHsmOptions(input: unknown): ParsedOptions<AzureManagedHsmOptions> {
  return parsedBy(HsmOptions, input);
}

function parsedBy<O>(schema: z.ZodType<O>, input: unknown): ParsedOptions<O> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return { ok: true, options: parsed.data };
  const problems = parsed.error.issues.flatMap((issue) => {
    const path = issue.path.filter((part) => typeof part !== "symbol");
    if (issue.code !== "unrecognized_keys") return [{ path, message: issue.message }];
    return issue.keys.map((key) => ({ path: [...path, key], message: "no such option" }));
  });
  return { ok: false, problems };
}

const VAULT_HOST = /^[a-z0-9-]{3,24}\.vault\.(?:azure\.net|usgovcloudapi\.net)$/u;
const HSM_HOST = /^[a-z0-9-]{3,24}\.managedhsm\.(?:azure\.net|usgovcloudapi\.net)$/u;
const LOOPBACK = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/u;

/** The SDK sends nothing over http, so https is wanted on loopback hosts too. */
function origin(host: RegExp, example: string) {
  const wanted = `wanted an https url without path such as ${example}`;
  return z.string(wanted).transform((text, problems) => {
    const url = URL.parse(text);
    const isOrigin = url !== null && url.protocol === "https:" && `${url.origin}/` === url.href;
    if (isOrigin && (host.test(url.host) || LOOPBACK.test(url.hostname))) return url.origin;
    problems.addIssue(wanted);
    return z.NEVER;
  });
}

/** Whether a service of this origin is on this machine. */
export function isLoopback(url: string): boolean {
  return LOOPBACK.test(URL.parse(url)?.hostname ?? "");
}

/** The configuration may hand a secret over as text or wrapped. */
function revealed(value: unknown): unknown {
  return value instanceof Secret ? unsafeRevealSecret<unknown>(value) : value;
}

const SecretText = z
  .preprocess(revealed, z.string("wanted a secret").min(1, "wanted a secret"))
  .transform((text) => new Secret(text));
const Tenant = z.preprocess(revealed, z.string("wanted a tenant id").regex(/^[\w.-]{1,253}$/u, "wanted a tenant id"));
const ClientId = z.preprocess(revealed, z.string("wanted a client id").regex(/^[\w-]{1,64}$/u, "wanted a client id"));
const Path = z.string("wanted the path of a file").min(1, "wanted the path of a file");

const SCHEMAS = {
  clientSecret: z.strictObject({ tenantId: Tenant, clientId: ClientId, clientSecret: SecretText }),
  workloadIdentity: z.strictObject({
    workloadIdentity: z.strictObject({
      tenantId: Tenant.exactOptional(),
      clientId: ClientId.exactOptional(),
      tokenFile: Path.exactOptional(),
    }),
  }),
  managedIdentity: z.strictObject({ managedIdentity: z.strictObject({ clientId: ClientId.exactOptional() }) }),
  token: z.strictObject({ token: SecretText }),
} as const;

/** The form is told by the member that only it has, so that problems are those of one form. */
const Credentials = z.unknown().transform((input, problems): AzureCredentials => {
  const members = typeof input === "object" && input !== null ? Object.keys(input) : [];
  const form = (["token", "managedIdentity", "workloadIdentity"] as const).find((name) => members.includes(name));
  const isOne = form !== undefined || members.some((name) => Object.hasOwn(SCHEMAS.clientSecret.shape, name));
  if (!isOne) {
    problems.addIssue("wanted a client secret, workloadIdentity, managedIdentity or token");
    return z.NEVER;
  }
  const parsed = SCHEMAS[form ?? "clientSecret"].safeParse(input);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) problems.addIssue({ ...issue });
  return z.NEVER;
});

const COMMON = {
  retentionDays: z
    .int("wanted whole days from 7 to 90")
    .min(7, "wanted whole days from 7 to 90")
    .max(90, "wanted whole days from 7 to 90")
    .default(90),
  ca: Path.exactOptional(),
  credentials: z
    .strictObject({ data: Credentials.exactOptional(), control: Credentials.exactOptional() })
    .exactOptional(),
};

/** What only an emulator on this machine may be given. */
function refuseForOthers(url: string, given: Common, add: (path: string[], message: string) => void): void {
  if (isLoopback(url)) return;
  if (given.ca !== undefined) add(["ca"], "certificates of your own are for a service on this machine");
  for (const plane of ["data", "control"] as const) {
    const credentials = given.credentials?.[plane];
    if (credentials === undefined || !("token" in credentials)) continue;
    add(["credentials", plane, "token"], "a fixed token is for a service on this machine");
  }
}

const VaultOptions = z
  .strictObject({
    vault: origin(VAULT_HOST, "https://v.vault.azure.net"),
    hardwareProtected: z.boolean("wanted true or false").default(false),
    ...COMMON,
  })
  .superRefine((given, problems) => {
    refuseForOthers(given.vault, given, (path, message) => {
      problems.addIssue({ code: "custom", path, message });
    });
  });

const HsmOptions = z
  .strictObject({ hsm: origin(HSM_HOST, "https://h.managedhsm.azure.net"), ...COMMON })
  .superRefine((given, problems) => {
    refuseForOthers(given.hsm, given, (path, message) => {
      problems.addIssue({ code: "custom", path, message });
    });
  });
