import { z } from "zod";
import { PURPOSES } from "#core/purposes.ts";
import type { ProviderKind } from "#core/provider.ts";
import type { RouteConfig } from "#core/route-config.ts";
import { NAMESPACE_NAME, LABEL_KEY, PROVIDER_NAME, RESERVED_NAMES, ROUTE_NAME } from "#core/names.ts";

/** A configured provider: the common members, and its own options as its kind parsed them. */
export type ProviderConfig = {
  readonly name: string;
  readonly kind: string;
  /** What the kind's `parseOptions` gave; goes to its `open`. */
  readonly options: unknown;
  /** Providers of one domain fail together. Absent in the text: the kind, with the folder or module where the text names one. */
  readonly failureDomain: string;
  /** Null: the operator says nothing of it. */
  readonly jurisdiction: string | null;
  /** Jurisdictions whose law reaches whoever is behind it; null: what the kind says. */
  readonly entity: readonly string[] | null;
  readonly certification: string | null;
  /** Null: what the kind says. */
  readonly protection: "software" | "hsm" | "external" | null;
};

/** What a configuration says, with every default filled in. Times are milliseconds. */
export type Config = {
  readonly providers: readonly ProviderConfig[];
  readonly routes: readonly RouteConfig[];
  readonly resilience: {
    readonly deadlineMs: number;
    readonly attemptTimeoutMs: number | "auto";
    readonly breaker: {
      readonly failureRateThreshold: number;
      readonly minimumCalls: number;
      readonly consecutiveOutages: number;
      readonly slowCallMs: number;
      readonly windowMs: number;
      readonly openForMs: number;
      readonly openForMaxMs: number;
    };
  };
  readonly listen: {
    readonly host: string;
    readonly port: number;
    /** Paths of PEM files; null: the local authority's. */
    readonly tls: { readonly certificate: string; readonly key: string } | null;
    /** Path of a PEM file with the authorities of client certificates; null: no certificate is asked for. */
    readonly clientCertificates: string | null;
    readonly insecureHttp: boolean;
  };
  readonly catalog: { readonly protectStalenessMs: number; readonly processStalenessMs: number };
  readonly envelope: { readonly refreshMs: number; readonly hardTtlMs: number };
  /** Absolute, or relative to the data folder. */
  readonly journal: readonly { readonly path: string }[];
  readonly audit: { readonly anchors: readonly string[] };
  /** SHA-256 in hexadecimal over what decides where keys lie: routes and providers, without secrets. */
  readonly policyHash: string;
};

/** The kinds of key services that a configuration may name, as `providers/registry.ts` has them. */
export type ProviderKinds = Readonly<Record<string, () => ProviderKind<unknown> | Promise<ProviderKind<unknown>>>>;

/** A member that a later version has; what it would do here is nothing, so it is refused. */
const later = (): z.ZodOptional<z.ZodUnknown> =>
  z
    .unknown()
    .optional()
    .refine((value) => value === undefined, { error: LATER, params: { atName: true } });
const LATER = "not available in this version";

const text = (wanted = "a text"): z.ZodString => z.string(`wanted ${wanted}`).min(1, `wanted ${wanted}`);

/** A whole number; digits too, as an environment variable gives them. */
const whole = (min: number, max: number): z.ZodType<number> => {
  const wanted = `wanted a whole number from ${min} to ${max}`;
  return z.preprocess(
    (value) => (typeof value === "string" && /^\d{1,15}$/u.test(value) ? Number(value) : value),
    z.number(wanted).int(wanted).min(min, wanted).max(max, wanted),
  );
};
const HOUR_MS = 3_600_000;
const milliseconds = (min = 1, max = 24 * HOUR_MS): z.ZodType<number> => whole(min, max);
const flag = z.preprocess(
  (value) => (value === "true" ? true : value === "false" ? false : value),
  z.boolean("wanted true or false"),
);

/** An object that refuses what it does not know, and takes its defaults when it is absent. */
const section = <S extends z.ZodRawShape>(shape: S): z.ZodPrefault<z.ZodObject<S, z.core.$strict>> =>
  z.strictObject(shape).prefault({} as never);

const jurisdiction = z
  .string("wanted a jurisdiction such as EU")
  .regex(/^[A-Z][A-Z0-9-]{1,15}$/u, "wanted a jurisdiction in capitals, such as EU");
const jurisdictions = z
  .array(jurisdiction, "wanted a list of jurisdictions such as [EU]")
  .min(1, "wanted at least one jurisdiction");
const name = (form: RegExp): z.ZodType<string> =>
  z
    .string("wanted a name")
    .regex(form, `wanted a name that matches ${form.source}`)
    .refine((given) => !RESERVED_NAMES.includes(given), "the name is reserved");
const url = z
  .string("wanted a url")
  .refine((given) => isSafeUrl(given), "wanted an https url (http for loopback hosts only)");

/** The members that every provider takes; the others are its kind's own. */
export const CommonMembers = z.object({
  kind: text("the name of a provider kind"),
  failureDomain: text("a name").optional(),
  jurisdiction: jurisdiction.optional(),
  entity: z.preprocess((value) => (typeof value === "string" ? [value] : value), jurisdictions).optional(),
  certification: text().optional(),
  protection: z.enum(["software", "hsm", "external"]).optional(),
  endpoint: url.optional(),
  credentials: z
    .strictObject({ data: z.unknown(), control: z.unknown() }, "wanted a mapping with data, control or both")
    .partial()
    .optional(),
});
export const COMMON_MEMBERS = Object.keys(CommonMembers.shape);
/** Of those, the ones that the kind wants to see too. */
export const SHARED_MEMBERS: readonly string[] = ["endpoint", "credentials"];
export const ProviderName = name(PROVIDER_NAME);

const labels = z.record(
  z.string().regex(LABEL_KEY, `wanted a label that matches ${LABEL_KEY.source}`),
  z.string("wanted a text").max(255, "wanted at most 255 characters"),
  "wanted a mapping of labels to texts",
);
const PORTABLE_PURPOSES: readonly string[] = ["encrypt", "mac", "wrap"];
const custody = z.strictObject(
  Object.fromEntries(PURPOSES.map((purpose) => [purpose, custodyOf(purpose).optional()])) as Record<
    (typeof PURPOSES)[number],
    z.ZodOptional<z.ZodType<"portable">>
  >,
);
const holder = text("the name of a provider");
const HOLDERS = "wanted all, or a list of 1 to 16 providers";
const holders = z.union([z.literal("all"), z.array(holder).min(1, HOLDERS).max(16, HOLDERS)], { error: HOLDERS });
const Route = z.strictObject({
  name: name(ROUTE_NAME),
  match: z
    .strictObject({
      namespace: z
        .string("wanted a name")
        .regex(NAMESPACE_NAME, `wanted a name that matches ${NAMESPACE_NAME.source}`)
        .exactOptional(),
      labels: labels.default({}),
    })
    .prefault({}),
  place: z.strictObject({ holders, minimum: whole(1, 16).optional(), threshold: later() }),
  custody: custody.prefault({}),
  order: z
    .strictObject({
      strategy: z
        .enum(["priority", "latency"])
        .refine((strategy) => strategy === "priority", `latency is ${LATER}`)
        .transform(() => "priority" as const),
    })
    .prefault({ strategy: "priority" }),
  require: section({
    jurisdiction: jurisdictions.exactOptional(),
    entity: jurisdictions.exactOptional(),
    recipientProtection: z.literal("hsm").exactOptional(),
    keyProtection: z.literal("hsm").exactOptional(),
  }),
  onState: z.enum(["stop", "continue"]).default("stop"),
});

/** The whole file but for the options of providers, which their kinds parse. */
export const ConfigFile = z.strictObject({
  providers: z.record(z.string(), z.unknown(), "wanted a mapping of names to providers"),
  routes: z.array(Route, "wanted a list of routes").default([]),
  resilience: section({
    deadlineMs: milliseconds(100, 30_000).default(2000),
    attemptTimeoutMs: z
      .union([z.literal("auto"), milliseconds(10, 30_000)], { error: "wanted auto, or milliseconds from 10 to 30000" })
      .default("auto"),
    breaker: section({
      failureRateThreshold: whole(1, 100).default(50),
      minimumCalls: whole(1, 10_000).default(10),
      consecutiveOutages: whole(1, 1000).default(3),
      slowCallMs: milliseconds(10, 60_000).default(1500),
      windowMs: milliseconds(1000, HOUR_MS).default(10_000),
      openForMs: milliseconds(100, HOUR_MS).default(5000),
      openForMaxMs: milliseconds(100, HOUR_MS).default(60_000),
    }),
    hedge: later(),
    concurrency: later(),
    quota: later(),
  }),
  listen: section({
    host: text("a host name or address").default("127.0.0.1"),
    port: whole(0, 65_535).default(8443),
    tls: z
      .strictObject({ certificate: text("the path of a pem file"), key: text("the path of a pem file") })
      .optional(),
    insecureHttp: flag.default(false),
    clientCertificates: text("the path of a pem file").optional(),
    planes: later(),
    doors: later(),
  }),
  catalog: section({
    protectStalenessMs: milliseconds(2000, 24 * HOUR_MS).default(60_000),
    processStalenessMs: milliseconds(2000, 24 * HOUR_MS).default(900_000),
  }),
  envelope: section({
    refreshMs: milliseconds(1000, 24 * HOUR_MS).default(300_000),
    hardTtlMs: milliseconds(1000, 24 * HOUR_MS).default(HOUR_MS),
  }),
  journal: z
    .array(z.strictObject({ path: text("a path") }), "wanted a list such as [ { path: journal.jsonl } ]")
    .min(1, "wanted at least one target")
    .max(8, "wanted at most 8 targets")
    .default([{ path: "journal.jsonl" }]),
  audit: section({
    anchors: z.array(text("a path"), "wanted a list of paths").max(8, "wanted at most 8 paths").default([]),
  }),
  drills: later(),
  escrow: later(),
});
export type ConfigFile = z.output<typeof ConfigFile>;

/** Portable where the purpose can be; the other kinds of custody come later. */
function custodyOf(purpose: string): z.ZodType<"portable" | "native"> {
  const kinds = z.enum(["portable", "native", "replicated", "per-provider"]);
  return kinds.transform((kind, problems) => {
    if (kind === "native" || (kind === "portable" && PORTABLE_PURPOSES.includes(purpose))) return kind;
    problems.addIssue(
      kind === "portable" ? `a key of purpose ${purpose} cannot be portable` : `custody ${kind} is ${LATER}`,
    );
    return z.NEVER;
  });
}

const LOOPBACK = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[?::1\]?)$/u;

/** Whether a host of a URL or of `listen` is this machine only. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

function isSafeUrl(given: string): boolean {
  const parsed = URL.parse(given);
  if (parsed === null || parsed.username !== "" || parsed.password !== "") return false;
  return parsed.protocol === "https:" || (parsed.protocol === "http:" && isLoopback(parsed.hostname));
}
