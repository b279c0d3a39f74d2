// node bench/seed.ts DATA COUNT: fills a data folder with keys, a thousand to a transaction, sealed and journalled as the gateway does it.
import { pino } from "pino";
import { branchKeyOf } from "#broker/branch-key.ts";
import { namespaceOf } from "#broker/branch.ts";
import type { BrokerParts } from "#broker/parts.ts";
import { sealNewVersion } from "#broker/seal-version.ts";
import { DEFAULT_CONFIG } from "#config/default.ts";
import { parseConfig } from "#config/parse.ts";
import type { Mutation } from "#core/catalog.ts";
import { createId } from "#core/ids.ts";
import type { JournalEntry } from "#core/journal.ts";
import type { KeyRecord, VersionRecord } from "#core/records.ts";
import { PROVIDER_KINDS } from "#providers/registry.ts";
import { Deadline } from "#resilience/deadline.ts";
import { openGateway } from "#app.ts";
import { systemSources } from "#app/system-sources.ts";

const [data = "", count = "0"] = process.argv.slice(2);
const SLICE = 1000;

const sources = systemSources();
const parsed = await parseConfig({ text: DEFAULT_CONFIG, kinds: PROVIDER_KINDS, environment: {}, readFile: () => "" });
if (!parsed.ok) throw new Error("the default configuration does not parse");
await using gateway = await openGateway({
  config: parsed.config,
  dataFolder: data,
  sources,
  log: pino({ level: "error" }),
  version: "bench",
  listens: false,
  validatePolicy: async () => await Promise.resolve([]),
});
await seed(gateway.parts, Number(count));

async function seed(parts: BrokerParts, wanted: number): Promise<void> {
  const template = parts.catalog.keyByName("default", "template");
  const branch =
    template?.branch === null || template === undefined ? undefined : parts.catalog.branch(template.branch);
  const version = template === undefined ? undefined : parts.catalog.version(template.id, 1);
  if (template === undefined || branch === undefined || version === undefined)
    throw new Error("wanted a key named template to copy");
  const namespace = namespaceOf(parts.catalog, "default");
  const call = { requestId: "bench", deadline: new Deadline(10_000, sources), trace: { attempts: [] } };
  for (let made = parts.catalog.keyCount(); made < wanted;) {
    const mutations: Mutation[] = [];
    const journal: JournalEntry[] = [];
    const branchKey = await branchKeyOf(parts, branch, branch.primaryVersion, call);
    for (let n = 0; n < SLICE && made < wanted; n += 1, made += 1) {
      const key: KeyRecord = { ...template, id: createId("key", sources), name: `seeded-${made}`, aliases: [] };
      const sealed: VersionRecord = sealNewVersion(parts, {
        namespace,
        key,
        number: 1,
        branch,
        branchKey,
        lifecycle: version,
      });
      mutations.push({ table: "keys", id: key.id, record: key, ifRevision: 0 });
      mutations.push({ table: "versions", id: `${key.id}/1`, record: sealed, ifRevision: 0 });
      journal.push({ type: "version", namespace, key, version: sealed });
    }
    await parts.journal.append(journal);
    await parts.store.change(() => ({ mutations, result: undefined }));
  }
}
