import { type ConfigPath, formatPath, type PathProblem } from "./problem.ts";
import { toPathProblems } from "./issues.ts";
import {
  COMMON_MEMBERS,
  CommonMembers,
  type ProviderConfig,
  type ProviderKinds,
  ProviderName,
  SHARED_MEMBERS,
} from "./schema.ts";
import { suggestName } from "./suggest.ts";
import type { ProviderKind } from "#core/provider.ts";

type ProvidersInput = {
  readonly providers: Readonly<Record<string, unknown>>;
  readonly kinds: ProviderKinds;
  readonly isSecret: (path: ConfigPath) => boolean;
};

type ParsedProvider = { readonly config: ProviderConfig | undefined; readonly problems: readonly PathProblem[] };

/** Parses every provider: the common members here, the others by its kind. */
export async function parseProviders({
  providers,
  kinds,
  isSecret,
}: ProvidersInput): Promise<readonly ParsedProvider[]> {
  const entries = Object.entries(providers);
  if (entries.length === 0)
    return [failed({ path: ["providers"], message: "providers: wanted at least one provider" })];
  return await Promise.all(entries.map(([name, input]) => parseProvider(name, input, { kinds, isSecret })));
}

function failed(...problems: readonly PathProblem[]): ParsedProvider {
  return { config: undefined, problems };
}

async function parseProvider(
  name: string,
  input: unknown,
  { kinds, isSecret }: Omit<ProvidersInput, "providers">,
): Promise<ParsedProvider> {
  const prefix = ["providers", name];
  const problems: PathProblem[] = [];
  const named = ProviderName.safeParse(name);
  if (!named.success) {
    problems.push(
      ...named.error.issues.map(({ message }) => ({
        path: prefix,
        atName: true,
        message: `${formatPath(prefix)}: ${message}`,
      })),
    );
  }
  const common = CommonMembers.safeParse(input);
  if (!common.success)
    problems.push(...toPathProblems(common.error, { schema: CommonMembers, input, prefix, isSecret }));
  if (!isMapping(input)) return failed(...problems);
  const { kind: kindName } = input;
  if (typeof kindName !== "string" || kindName === "") return failed(...problems);
  const loader = Object.hasOwn(kinds, kindName) ? kinds[kindName] : undefined;
  if (loader === undefined)
    return failed(
      ...problems,
      unknownKind(prefix, isSecret([...prefix, "kind"]) ? "another" : kindName, Object.keys(kinds)),
    );
  const kind = await loadKind(loader);
  if (typeof kind === "string") {
    return failed(...problems, { path: [...prefix, "kind"], message: `${formatPath([...prefix, "kind"])}: ${kind}` });
  }
  const parsed = kind.parseOptions(ownMembers(input));
  if (!parsed.ok) problems.push(...optionProblems(parsed.problems, { prefix, told: problems }));
  if (!common.success || !parsed.ok || problems.length > 0) return failed(...problems);
  return { config: providerConfig(name, { ...common.data, options: parsed.options, input }), problems };
}

function isMapping(input: unknown): input is Readonly<Record<string, unknown>> {
  return typeof input === "object" && input !== null && !Array.isArray(input);
}

function unknownKind(prefix: ConfigPath, kind: string, known: readonly string[]): PathProblem {
  const path = [...prefix, "kind"];
  const suggestion = suggestName(kind, known);
  const message = `${formatPath(path)}: wanted ${known.join(", ")}, got ${kind}`;
  return { path, message, ...(suggestion === undefined ? {} : { suggestion }) };
}

/** The kind, or why it could not be loaded. */
async function loadKind(
  loader: () => ProviderKind<unknown> | Promise<ProviderKind<unknown>>,
): Promise<ProviderKind<unknown> | string> {
  try {
    return await loader();
  } catch (error) {
    return `the kind cannot be loaded: ${error instanceof Error ? error.message : "unknown"}`;
  }
}

function ownMembers(input: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const own = Object.entries(input).filter(([name]) => !COMMON_MEMBERS.includes(name) || SHARED_MEMBERS.includes(name));
  return Object.fromEntries(own);
}

type OptionContext = { readonly prefix: ConfigPath; readonly told: readonly PathProblem[] };

/** What the kind says, at its place in the file; what is told of the same member already is not told twice. */
function optionProblems(
  problems: readonly { readonly path: ConfigPath; readonly message: string }[],
  { prefix, told }: OptionContext,
): readonly PathProblem[] {
  const seen = new Set(told.map(({ path }) => JSON.stringify(path)));
  return problems.flatMap(({ path: inner, message }) => {
    const path = [...prefix, ...inner];
    if (seen.has(JSON.stringify(path))) return [];
    const suggestion = inner.length === 1 ? suggestName(String(inner[0]), COMMON_MEMBERS) : undefined;
    const isName = suggestion !== undefined && suggestion !== inner[0];
    return [{ path, message: `${formatPath(path)}: ${message}`, ...(isName ? { suggestion, atName: true } : {}) }];
  });
}

type Members = Readonly<{ kind: string; options: unknown; input: Readonly<Record<string, unknown>> }> & {
  readonly [name in "failureDomain" | "jurisdiction" | "certification"]?: string | undefined;
} & { readonly entity?: readonly string[] | undefined; readonly protection?: ProviderConfig["protection"] | undefined };

function providerConfig(name: string, { kind, options, input, ...common }: Members): ProviderConfig {
  const { failureDomain, jurisdiction = null, entity = null, certification = null, protection = null } = common;
  const domain = failureDomain ?? defaultDomain(kind, input);
  return { name, kind, options, failureDomain: domain, jurisdiction, entity, certification, protection };
}

/** The kind's name, and the folder or module of a local one (keys.md, Write). */
function defaultDomain(kind: string, { folder, module }: Readonly<Record<string, unknown>>): string {
  const place = [folder, module].find((value) => typeof value === "string");
  return place === undefined ? kind : `${kind}:${place}`;
}
