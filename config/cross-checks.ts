import type { PathProblem } from "./problem.ts";
import { type ConfigFile, isLoopback, type ProviderConfig } from "./schema.ts";
import { suggestName } from "./suggest.ts";

/** What no member alone can tell: names that must differ, numbers that must fit each other. `isWhole`: no provider is missing. */
export function crossCheck(
  file: ConfigFile,
  providers: readonly ProviderConfig[],
  isWhole: boolean,
): readonly PathProblem[] {
  return [
    ...twins(file.routes.map(({ name }) => name)).map(({ index, name }) => ({
      path: ["routes", index, "name"],
      message: `routes[${index}].name: another route is named ${name}`,
    })),
    ...(isWhole ? file.routes.flatMap((_, index) => checkMinimum(file, index, providers)) : []),
    ...twins(file.journal.map(({ path }) => path)).map(({ index, name }) => ({
      path: ["journal", index, "path"],
      message: `journal[${index}].path: ${name} stands here twice`,
    })),
    ...checkOrder(file),
    ...checkListen(file),
  ];
}

function twins(names: readonly string[]): readonly { readonly index: number; readonly name: string }[] {
  return names.flatMap((name, index) => (names.indexOf(name) < index ? [{ index, name }] : []));
}

/** A minimum that the failure domains of the holders can never meet. */
function checkMinimum(
  { routes }: ConfigFile,
  index: number,
  providers: readonly ProviderConfig[],
): readonly PathProblem[] {
  const { holders, minimum } = routes[index]?.place ?? {};
  if (holders === undefined || minimum === undefined) return [];
  const held = holders === "all" ? providers : providers.filter(({ name }) => holders.includes(name));
  if (holders !== "all" && held.length < new Set(holders).size) return []; // a holder that is wrong is told of by itself
  const domains = new Set(held.map(({ failureDomain }) => failureDomain)).size;
  if (minimum <= domains) return [];
  const path = ["routes", index, "place", "minimum"];
  const wanted = `wanted at most ${domains}, the failure domains of the holders, got ${minimum}`;
  return [{ path, message: `routes[${index}].place.minimum: ${wanted}` }];
}

/** Holders that are no providers, or stand twice; read from the file as it is, so that they are told beside other mistakes. */
export function checkHolders(input: unknown, names: readonly string[]): readonly PathProblem[] {
  const routes = memberOf(input, "routes");
  if (!Array.isArray(routes)) return [];
  return routes.flatMap((route, index) => {
    const holders: unknown = memberOf(memberOf(route, "place"), "holders");
    if (!Array.isArray(holders)) return [];
    return holders.flatMap((holder: unknown, position) => {
      if (typeof holder !== "string" || holder === "") return [];
      const path = ["routes", index, "place", "holders", position];
      const at = `routes[${index}].place.holders[${position}]`;
      if (!names.includes(holder)) return [unknownHolder(path, at, { holder, names })];
      return holders.indexOf(holder) < position ? [{ path, message: `${at}: ${holder} stands here twice` }] : [];
    });
  });
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

type Unknown = { readonly holder: string; readonly names: readonly string[] };

function unknownHolder(path: PathProblem["path"], at: string, { holder, names }: Unknown): PathProblem {
  const suggestion = suggestName(holder, names);
  return {
    path,
    message: `${at}: there is no provider ${holder}`,
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}

/** Bounds of which one cannot be above the other. */
function checkOrder({
  resilience: { breaker, deadlineMs, attemptTimeoutMs },
  catalog,
  envelope,
}: ConfigFile): readonly PathProblem[] {
  const pairs = [
    {
      path: ["catalog", "protectStalenessMs"],
      low: catalog.protectStalenessMs,
      high: catalog.processStalenessMs,
      of: "processStalenessMs",
    },
    { path: ["envelope", "refreshMs"], low: envelope.refreshMs, high: envelope.hardTtlMs, of: "hardTtlMs" },
    {
      path: ["resilience", "breaker", "openForMs"],
      low: breaker.openForMs,
      high: breaker.openForMaxMs,
      of: "openForMaxMs",
    },
    {
      path: ["resilience", "attemptTimeoutMs"],
      low: attemptTimeoutMs === "auto" ? 0 : attemptTimeoutMs,
      high: deadlineMs,
      of: "deadlineMs",
    },
  ];
  return pairs.flatMap(({ path, low, high, of }) =>
    low > high ? [{ path, message: `${path.join(".")}: wanted at most ${of}, which is ${high}, got ${low}` }] : [],
  );
}

function checkListen({ listen }: ConfigFile): readonly PathProblem[] {
  if (!listen.insecureHttp) return [];
  const path = ["listen", "insecureHttp"];
  if (listen.tls !== undefined) return [{ path, message: "listen.insecureHttp: wanted either insecureHttp or tls" }];
  if (listen.clientCertificates !== undefined)
    return [{ path, message: "listen.insecureHttp: wanted either insecureHttp or clientCertificates" }];
  if (isLoopback(listen.host)) return [];
  return [
    { path, message: `listen.insecureHttp: plain http is for a loopback address only, the host is ${listen.host}` },
  ];
}
