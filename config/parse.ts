import { createHash } from "node:crypto";
import { canonicalJson, type Json } from "#core/canonical-json.ts";
import type { RouteConfig } from "#core/route-config.ts";
import { checkHolders, crossCheck } from "./cross-checks.ts";
import type { IndirectionSources } from "./indirection.ts";
import { toPathProblems } from "./issues.ts";
import type { ConfigPath, ConfigProblem, PathProblem } from "./problem.ts";
import { parseProviders } from "./providers.ts";
import { type Config, ConfigFile, type ProviderConfig, type ProviderKinds } from "./schema.ts";
import { readYaml, type YamlTree } from "./yaml-tree.ts";

export type ParseConfigInput = IndirectionSources & {
  readonly text: string;
  readonly kinds: ProviderKinds;
};

export type ParsedConfig =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/**
 * Parses a configuration: YAML and environment in, a {@link Config} or every problem at once out, in the order of the file. Total: whatever is
 * wrong with the text, its files or its providers' options is a problem and never thrown.
 */
export async function parseConfig({ text, kinds, environment, readFile }: ParseConfigInput): Promise<ParsedConfig> {
  const tree = readYaml(text, { environment, readFile });
  if (tree.value === undefined) return refused(tree, []);
  const isSecret = (path: ConfigPath): boolean => tree.isIndirect(path) || path[2] === "credentials";
  const input = tree.value ?? {};
  const parsed = ConfigFile.safeParse(input);
  const problems: PathProblem[] = [];
  if (!parsed.success)
    problems.push(...toPathProblems(parsed.error, { schema: ConfigFile, input, prefix: [], isSecret }));
  const given = providersOf(input);
  const results = given === undefined ? [] : await parseProviders({ providers: given, kinds, isSecret });
  problems.push(...results.flatMap((result) => result.problems));
  const providers = results.flatMap(({ config }) => config ?? []);
  problems.push(...checkHolders(input, Object.keys(given ?? {})));
  if (parsed.success) problems.push(...crossCheck(parsed.data, providers, providers.length === results.length));
  if (!parsed.success || problems.length > 0 || tree.problems.length > 0) return refused(tree, problems);
  return { ok: true, config: toConfig(parsed.data, providers) };
}

function providersOf(input: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof input !== "object" || input === null || !Object.hasOwn(input, "providers")) return undefined;
  const { providers } = input as { readonly providers: unknown };
  if (typeof providers !== "object" || providers === null || Array.isArray(providers)) return undefined;
  return providers as Readonly<Record<string, unknown>>;
}

function refused(tree: YamlTree, problems: readonly PathProblem[]): ParsedConfig {
  const located = problems.filter(({ path }) => !tree.isBroken(path)).map((problem) => tree.locate(problem));
  const all = [...tree.problems, ...located];
  return { ok: false, problems: all.toSorted((a, b) => a.line - b.line || a.column - b.column) };
}

const DEFAULT_ROUTE: RouteConfig = {
  name: "default",
  match: { labels: {} },
  place: { holders: "all" },
  custody: {},
  order: { strategy: "priority" },
  require: {},
  onState: "stop",
};

function toConfig(file: ConfigFile, providers: readonly ProviderConfig[]): Config {
  const { resilience, listen, catalog, envelope, journal, audit } = file;
  const routes = file.routes.length === 0 ? [DEFAULT_ROUTE] : file.routes.map((route) => toRoute(route));
  const { deadlineMs, attemptTimeoutMs, breaker } = resilience;
  const { host, port, tls = null, clientCertificates = null, insecureHttp } = listen;
  return {
    providers,
    routes,
    resilience: { deadlineMs, attemptTimeoutMs, breaker },
    listen: { host, port, tls, clientCertificates, insecureHttp },
    catalog,
    envelope,
    journal,
    audit,
    policyHash: policyHash(routes, providers),
  };
}

function toRoute({ place, custody, ...route }: ConfigFile["routes"][number]): RouteConfig {
  const { holders, minimum } = place;
  const chosen = Object.entries(custody).filter(([, kind]) => kind !== undefined);
  return {
    ...route,
    place: { holders, ...(minimum === undefined ? {} : { minimum }) },
    custody: Object.fromEntries(chosen),
  };
}

/** What two gateways must agree on to place a key alike. */
function policyHash(routes: readonly RouteConfig[], providers: readonly ProviderConfig[]): string {
  const facts = providers.map(({ name, kind, failureDomain, jurisdiction, entity, protection, certification }) => {
    return { name, kind, failureDomain, jurisdiction, entity, protection, certification };
  });
  const json = canonicalJson({ routes, providers: facts } satisfies Json);
  return createHash("sha256").update(json).digest("hex");
}
