import { KmsError } from "#core/errors.ts";
import type { Config } from "#config/schema.ts";
import { certificateFindings, folderFindings, journalFindings } from "./data-findings.ts";
import type { Finding } from "./finding.ts";
import { loadConfig } from "./load-config.ts";
import type { OfflineHost } from "./host.ts";
import { openProvider } from "./open-provider.ts";
import { clientAuthorityFindings, localTrustFindings } from "./trust-findings.ts";

export type DoctorOptions = { readonly config?: string; readonly data: string; readonly provider?: string };

/** Looks at a configuration, and at the data folder that it is for. Calls no provider but the one that was named, and that only to open it. */
export async function doctorOffline(
  { config: file, data, provider }: DoctorOptions,
  host: OfflineHost,
): Promise<readonly Finding[]> {
  const loaded = await loadConfig(file, host);
  if (!loaded.ok) return loaded.lines.map((detail) => ({ check: "configuration", result: "fail", detail }));
  const { config } = loaded;
  return [
    { check: "configuration", result: "ok", detail: file ?? "the default: two software HSMs" },
    ...configFindings(config),
    ...(provider === undefined ? [] : [await providerFinding(config, provider, data)]),
    ...(await folderFindings(data)),
    ...(await journalFindings(config, data)),
    ...(await certificateFindings(config, data)),
    ...(await clientAuthorityFindings(config)),
    ...(await localTrustFindings(config, data)),
  ];
}

function configFindings(config: Config): readonly Finding[] {
  const domains = [...new Set(config.providers.map(({ failureDomain }) => failureDomain))];
  return [
    domains.length > 1
      ? { check: "failure domains", result: "ok", detail: domains.join(", ") }
      : {
          check: "failure domains",
          result: "nag",
          detail: `there is one, ${domains.join(", ")}: what takes it away takes every key away`,
        },
    config.audit.anchors.length > 0
      ? { check: "audit anchors", result: "ok", detail: config.audit.anchors.join(", ") }
      : {
          check: "audit anchors",
          result: "nag",
          detail: "there is none: who writes the audit folder could cut its end off unseen",
        },
  ];
}

async function providerFinding(config: Config, name: string, data: string): Promise<Finding> {
  const check = `provider ${name}`;
  try {
    await using _ = await openProvider(config, name, data);
    return { check, result: "ok", detail: "its options are valid and it opens" };
  } catch (error) {
    const detail = error instanceof KmsError ? error.publicMessage : "it does not open";
    return { check, result: "fail", detail };
  }
}
