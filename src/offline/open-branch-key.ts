import { KmsError } from "#core/errors.ts";
import { ProviderError } from "#core/failures.ts";
import type { CallContext, Provider } from "#core/provider.ts";
import type { ParsedLine, VersionLine, WrapLine } from "#envelope/read-journal.ts";
import { openWrapPayload, wrapContextDigest } from "#envelope/wrap-payload.ts";

export type Opener = { readonly name: string; readonly provider: Provider; readonly call: () => CallContext };

/**
 * Opens the branch key that seals a key version, through one provider. The key is a buffer that the caller owns and zeroes.
 *
 * @throws {KmsError} `NO_PROVIDER` with what the provider said to the last wrap
 */
export async function openBranchKey(
  lines: readonly ParsedLine[],
  version: VersionLine,
  opener: Opener,
): Promise<Buffer> {
  const wraps = wrapsFor(lines, version, opener.name);
  let last = "the journal has no wrap of this branch key for it";
  for (const wrap of wraps) {
    try {
      return await openWrap(wrap, opener);
    } catch (error) {
      last = error instanceof ProviderError ? error.fault.detail : opener.provider.classify(error).detail;
    }
  }
  throw new KmsError("NO_PROVIDER", `${opener.name} opens no wrap of the branch key: ${last}`, {
    metadata: { provider: opener.name, branch: version.branch },
    help: "take a provider that held the key when it was made, with credentials that may unwrap",
  });
}

/**
 * The wraps of the branch version, the newest first: the provider's own where the branch line knows it by this name, all where it does not,
 * since the configuration at hand may call it otherwise.
 */
function wrapsFor(
  lines: readonly ParsedLine[],
  { branch, branchVersion }: VersionLine,
  name: string,
): readonly WrapLine[] {
  const ofBranch = lines.filter((line) => line.branch === branch && line.branchVersion === branchVersion).toReversed();
  const wraps = ofBranch.filter((line) => line.type === "wrap");
  const uids = ofBranch
    .filter((line) => line.type === "branch")
    .flatMap(({ recipients }) => recipients.filter((recipient) => recipient.provider === name).map(({ uid }) => uid));
  const own = wraps.filter(({ providerUid }) => uids.includes(providerUid));
  return own.length === 0 ? wraps : own;
}

async function openWrap(line: WrapLine, { provider, call }: Opener): Promise<Buffer> {
  const { namespace, branch, branchVersion, recipient, commitment } = line;
  const ids = { namespace, branch, branchVersion, recipient };
  const input = { ref: line.nativeRef, wrap: line.wrap, context: wrapContextDigest(ids) };
  const { value: payload } = await provider.wrapper.unwrap(input, call());
  try {
    return openWrapPayload({ payload, ids, commitment });
  } finally {
    payload.fill(0);
  }
}
