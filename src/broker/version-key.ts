import { KmsError } from "#core/errors.ts";
import { uuidOfKey } from "#core/ids.ts";
import type { KeyRecord, VersionRecord } from "#core/records.ts";
import { openVersionKey } from "#envelope/version-seal.ts";
import type { Deadline } from "#resilience/deadline.ts";
import { awaitLoad } from "./branch-key.ts";
import type { Trace } from "./trace.ts";
import type { BrokerParts } from "./parts.ts";

export type VersionKeyRequest = {
  readonly key: KeyRecord;
  readonly version: VersionRecord;
  /** Where the provider calls of a cold branch key are told. */
  readonly trace: Trace;
  readonly deadline: Deadline;
};

/**
 * The 32 bytes of a portable key version, which the cache owns: at once while its branch key is warm, otherwise after one provider has
 * opened the branch key.
 *
 * @throws {KmsError} `INTEGRITY_FAILURE` for a seal that does not open; `NO_PROVIDER` if no recipient answers; `DEADLINE_EXCEEDED`
 */
export function versionKey(parts: BrokerParts, request: VersionKeyRequest): Buffer | Promise<Buffer> {
  const { key, version, deadline, trace } = request;
  const { branch, branchVersion, seal } = version;
  if (branch === null || branchVersion === null || seal === null) {
    throw new KmsError("UNSUPPORTED_COMBINATION", "the key's custody is not portable");
  }
  const branchKey = parts.branchKeys.get(branch, branchVersion);
  if (branchKey instanceof Promise) {
    return awaitLoad(parts, branchKey, { branch, version: branchVersion, deadline, trace }).then(() =>
      versionKey(parts, request),
    );
  }
  return parts.versionKeys.get({ key: uuidOfKey(key.id), version: version.version, branch, branchVersion }, () => {
    const namespace = parts.catalog.namespace(key.namespace);
    if (namespace === undefined) throw new KmsError("INTEGRITY_FAILURE", "the key's namespace has no valid row");
    return openVersionKey({
      branchKey,
      namespace: namespace.id,
      key: uuidOfKey(key.id),
      version: version.version,
      branch,
      branchVersion,
      seal: Buffer.from(seal, "base64"),
    });
  });
}
