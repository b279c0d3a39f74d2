import type { Store } from "#core/catalog.ts";
import type { Sources } from "#core/clock.ts";
import type { SealedSecretRecord } from "#core/records.ts";
import { openSecret, sealSecret } from "#envelope/root-key.ts";
import type { RootKey } from "./root.ts";

/** A secret of the gateway's own as it is made: the private part, and the public one as text. */
export type MadeSecret = { readonly secret: Buffer; readonly publicPart: string };
export type OwnSecret = { readonly secret: Buffer; readonly publicPart: string };

/**
 * A secret that is sealed under the root key in the store; made where there is none. Of two processes that make one at once, one wins.
 * @throws {KmsError} `INTEGRITY_FAILURE` if its row does not open
 */
export async function obtainSecret(
  { store, roots, sources }: { readonly store: Store; readonly roots: readonly RootKey[]; readonly sources: Sources },
  id: string,
  make: () => Promise<MadeSecret>,
): Promise<OwnSecret> {
  const found = store.catalog.secret(id);
  if (found !== undefined) return open(found, roots);
  const current = roots.reduce((a, b) => (b.version > a.version ? b : a));
  const { secret, publicPart } = await make();
  const record: SealedSecretRecord = {
    id,
    sealed: sealSecret({ rootKey: current.material, id, secret }).toString("base64"),
    publicKey: publicPart,
    rootVersion: current.version,
    createTime: sources.clock.now(),
  };
  secret.fill(0);
  const written = await store.change((catalog) => {
    const other = catalog.secret(id);
    if (other !== undefined) return { mutations: [], result: other };
    return { mutations: [{ table: "secrets", id, record, ifRevision: 0 }], result: record };
  });
  return open(written, roots);
}

function open(record: SealedSecretRecord, roots: readonly RootKey[]): OwnSecret {
  const root = roots.find(({ version }) => version === record.rootVersion);
  if (root === undefined) throw new Error(`no root key of version ${record.rootVersion} opens ${record.id}`);
  const secret = openSecret({ rootKey: root.material, id: record.id, sealed: Buffer.from(record.sealed, "base64") });
  return { secret, publicPart: record.publicKey ?? "" };
}
