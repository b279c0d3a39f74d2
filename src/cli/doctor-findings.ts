import { EXIT, type Failure } from "./failure.ts";
import { type Gateway, segment } from "./gateway.ts";
import type { Finding } from "./offline-commands.ts";
import { offerText } from "./offer-text.ts";
import { listAt, type Resource, textAt, valueAt } from "./resource.ts";
import { readOwned } from "./secret-file.ts";
import { settingsFiles } from "./settings.ts";
import { failureDomains, keysWithMinimumOne, statusReport } from "./status-report.ts";

/** Whether others can read the files that hold a credential. */
export async function clientFileFindings(places: {
  readonly home: string;
  readonly cwd: string;
}): Promise<readonly Finding[]> {
  const files = await Promise.all(settingsFiles(places).map(async (path) => await readOwned(path)));
  return files
    .filter((file) => file !== undefined)
    .map(({ path, exposed, mode }) => ({
      check: "client file",
      result: exposed ? "fail" : "ok",
      detail: exposed
        ? `${path} has mode ${mode}: chmod 600 it, and rotate its credential`
        : `${path} has mode ${mode}`,
    }));
}

/** What a running gateway says of itself. `now` is in epoch milliseconds. */
export async function gatewayFindings(gateway: Gateway, now: number): Promise<readonly Finding[]> {
  const { body: readiness } = await gateway.ask("/readyz");
  const providers = await Array.fromAsync(gateway.list("/v1/providers"));
  const keys = await Array.fromAsync(gateway.list("/v1/keys", { limit: "1000" }));
  const namespaces = await Array.fromAsync(gateway.list("/v1/namespaces"));
  const { hurt } = statusReport({ readiness, providers, keys });
  return [
    readinessFinding(readiness),
    ...certificateFindings(gateway.certificateEnd(), now),
    ...(await Promise.all(providers.map(async (provider) => await providerFindings(gateway, provider)))).flat(),
    domainFinding(providers),
    ...namespaces.flatMap(namespaceFinding),
    ...minimumFindings(keys),
    ...hurt.map(({ subject, detail }): Finding => ({ check: "keys", result: "fail", detail: `${subject}: ${detail}` })),
  ];
}

/** No gateway is a fact, and no fault where none is meant to run; one that refuses us is a fault. */
export function unreachable({ exitCode, text }: Failure): Finding {
  const refused = exitCode === EXIT.refused;
  return { check: "gateway", result: refused ? "fail" : "nag", detail: `${text.what}: ${text.why} (${text.code})` };
}

function readinessFinding(readiness: Resource): Finding {
  const ready = valueAt(readiness, "ready") === true;
  const because = listAt(readiness, "because").join(", ");
  return {
    check: "gateway",
    result: ready ? "ok" : "fail",
    detail: ready ? "it is ready" : `it is not ready: ${because}`,
  };
}

const DAY_MS = 86_400_000;
const SOON_DAYS = 30;

function certificateFindings(end: number | undefined, now: number): readonly Finding[] {
  if (end === undefined) return [];
  const days = Math.floor((end - now) / DAY_MS);
  const result = days < 0 ? "fail" : days < SOON_DAYS ? "nag" : "ok";
  return [{ check: "certificate", result, detail: `it ends ${new Date(end).toISOString()}, in ${days} days` }];
}

const PROVIDER_RESULTS: Readonly<Record<string, Finding["result"]>> = { up: "ok", drained: "nag", degraded: "nag" };

function providerFinding(provider: Resource): Finding {
  const status = textAt(provider, "status") ?? "unknown";
  const reason = textAt(provider, "statusReason");
  return {
    check: `provider ${textAt(provider, "name") ?? "-"}`,
    result: PROVIDER_RESULTS[status] ?? "fail",
    detail: reason === undefined ? status : `${status}: ${reason}`,
  };
}

/** How a provider is, and, where it is of use, what it offers. */
async function providerFindings(gateway: Gateway, provider: Resource): Promise<readonly Finding[]> {
  const finding = providerFinding(provider);
  if (finding.result === "fail") return [finding];
  const name = textAt(provider, "name") ?? "-";
  const offered = await gateway.get(`/v1/providers/${segment(name)}/capabilities`);
  return [finding, { check: `${name} offers`, result: "ok", detail: offerText(offered) }];
}

function domainFinding(providers: readonly Resource[]): Finding {
  const domains = failureDomains(providers);
  const names = domains.join(", ");
  if (domains.length > 1) return { check: "failure domains", result: "ok", detail: names };
  return {
    check: "failure domains",
    result: "nag",
    detail: `there is one, ${names}: what takes it away takes every key away`,
  };
}

function namespaceFinding(namespace: Resource): readonly Finding[] {
  if (valueAt(namespace, "dualControl") !== false) return [];
  const detail = "one person alone may loosen in it (dualControl: false)";
  return [{ check: `namespace ${textAt(namespace, "name") ?? "-"}`, result: "nag", detail }];
}

function minimumFindings(keys: readonly Resource[]): readonly Finding[] {
  const found = keysWithMinimumOne(keys);
  if (found.length === 0) return [];
  const names = found.slice(0, 5).map((key) => textAt(key, "name") ?? "-");
  const more = found.length > names.length ? ", …" : "";
  const detail = `one holder is enough (minimum 1) for ${names.join(", ")}${more}`;
  return [{ check: "keys", result: "nag", detail }];
}
