import type { Catalog } from "#core/catalog.ts";
import type { Uuid } from "#core/ids.ts";
import type { BranchRecord } from "#core/records.ts";

/** A wrap that is recorded as wanted and is not there: the branch version, and the provider that should hold it. */
export type MissingWrap = { readonly branch: Uuid; readonly branchVersion: number; readonly provider: string };

/** What the configured name of a provider stands for now; undefined while it cannot hold anything. */
export type KnownProviders = (
  name: string,
  uid: string | null,
) => { readonly name: string; readonly uid: string } | undefined;

/**
 * Every wrap that the recorded recipients of the branches lack and that somebody could make now. The placement itself is the durable
 * queue: what a write had to leave out is found again after any restart.
 */
export function* missingWraps(catalog: Catalog, known: KnownProviders): Generator<MissingWrap> {
  for (const branch of catalog.branches()) {
    for (const { version } of catalog.branchVersions(branch.id)) {
      for (const provider of missingHolders(catalog, branch, version, known)) {
        yield { branch: branch.id, branchVersion: version, provider };
      }
    }
  }
}

function missingHolders(
  catalog: Catalog,
  branch: BranchRecord,
  version: number,
  known: KnownProviders,
): readonly string[] {
  const holding = new Set(
    catalog.wraps(branch.id, version).map((wrap) => catalog.recipient(wrap.recipient)?.providerUid),
  );
  return branch.recipients.flatMap(({ provider, uid }) => {
    const found = known(provider, uid);
    return found === undefined || holding.has(found.uid) ? [] : [found.name];
  });
}
