import { isResource, listAt, numberAt, type Resource, resourcesAt, textAt, textsAt, valueAt } from "./resource.ts";

/** One thing to know: about what, and what. */
export type StatusLine = { readonly subject: string; readonly detail: string };

/** What is broken, who is hurt by it, and what is being done. */
export type StatusReport = {
  readonly ready: boolean;
  readonly providers: number;
  readonly keys: number;
  readonly broken: readonly StatusLine[];
  readonly hurt: readonly StatusLine[];
  readonly doing: readonly StatusLine[];
};

export type StatusFacts = {
  readonly readiness: Resource;
  readonly providers: readonly Resource[];
  readonly keys: readonly Resource[];
};

export function statusReport({ readiness, providers, keys }: StatusFacts): StatusReport {
  const ready = valueAt(readiness, "ready") === true;
  const because = listAt(readiness, "because").join(", ");
  return {
    ready,
    providers: providers.length,
    keys: keys.length,
    broken: [
      ...(ready ? [] : [{ subject: "gateway", detail: `not ready: ${because}` }]),
      ...providers.flatMap(brokenProvider),
    ],
    hurt: [...providers.flatMap(aloneWith), ...hurtKeys(keys)],
    doing: providers.flatMap(doneAbout),
  };
}

function nameOf(resource: Resource): string {
  return textAt(resource, "name") ?? "-";
}

function brokenProvider(provider: Resource): readonly StatusLine[] {
  const status = textAt(provider, "status") ?? "unknown";
  if (status === "up" || status === "drained") return [];
  const reason = textAt(provider, "statusReason") ?? textAt(provider, "lastFailure.detail");
  const since = textAt(provider, "lastSuccessTime");
  const parts = [status, reason, since === undefined ? undefined : `last success ${since}`];
  return [{ subject: nameOf(provider), detail: parts.filter((part) => part !== undefined).join("; ") }];
}

/** Keys that nobody else could open now. While their provider is up they are at risk, and not hurt. */
function aloneWith(provider: Resource): readonly StatusLine[] {
  const count = numberAt(provider, "keysServedOnlyHere") ?? 0;
  if (count === 0 || textAt(provider, "status") === "up") return [];
  return [
    {
      subject: `${keysOf(count)} only with ${nameOf(provider)}`,
      detail: `npx claviger keys --served-only-by ${nameOf(provider)}`,
    },
  ];
}

function hurtKeys(keys: readonly Resource[]): readonly StatusLine[] {
  const held = keys.filter((key) => isResource(valueAt(key, "hold")));
  const short = keys.filter((key) => copiesOf(key) < (numberAt(key, "replication.minimum") ?? 0));
  const thin = keys.filter((key) => !short.includes(key) && copiesOf(key) < (numberAt(key, "replication.wanted") ?? 0));
  return [
    { found: held, problem: "held until a person decides" },
    { found: short, problem: "held by fewer providers than their minimum" },
    { found: thin, problem: "held by fewer providers than they should be" },
  ].flatMap(({ found, problem }) =>
    found.length === 0 ? [] : [{ subject: `${keysOf(found.length)} ${problem}`, detail: someNames(found) }],
  );
}

function copiesOf(key: Resource): number {
  return numberAt(key, "replication.ready") ?? 0;
}

function keysOf(count: number): string {
  return count === 1 ? "1 key" : `${count} keys`;
}

const NAMES_SHOWN = 5;

function someNames(keys: readonly Resource[]): string {
  const names = keys.slice(0, NAMES_SHOWN).map(nameOf).join(", ");
  return keys.length > NAMES_SHOWN ? `${names} and ${keys.length - NAMES_SHOWN} more` : names;
}

function doneAbout(provider: Resource): readonly StatusLine[] {
  const lines: string[] = [];
  const drained = valueAt(provider, "drained");
  if (isResource(drained)) {
    lines.push(
      `drained by ${textAt(drained, "by") ?? "-"} since ${textAt(drained, "time") ?? "-"}: ${textAt(drained, "reason") ?? "-"}`,
    );
  }
  const probe = nextProbe(provider);
  if (probe !== undefined) lines.push(`probed again at ${probe}`);
  const missing = numberAt(provider, "missingWraps") ?? 0;
  if (missing > 0)
    lines.push(`${missing} ${missing === 1 ? "wrap is" : "wraps are"} made up for as soon as it answers`);
  return lines.map((detail) => ({ subject: nameOf(provider), detail }));
}

/** The first moment at which any gateway tries again. */
function nextProbe(provider: Resource): string | undefined {
  const open = resourcesAt(provider, "gateways").filter((gateway) => textAt(gateway, "data.state") === "open");
  return open
    .map((gateway) => textAt(gateway, "data.nextProbeTime"))
    .filter((time) => time !== undefined)
    .toSorted()[0];
}

/** Names of failure domains, without repeats. */
export function failureDomains(providers: readonly Resource[]): readonly string[] {
  return [...new Set(providers.map((provider) => textAt(provider, "failureDomain") ?? "-"))];
}

/** Keys that one provider alone need hold. */
export function keysWithMinimumOne(keys: readonly Resource[]): readonly Resource[] {
  return keys.filter((key) => numberAt(key, "custody.minimum") === 1 && textsAt(key, "custody.holders").length > 0);
}
