import { ALGORITHM_NAMES, type AlgorithmName } from "#core/algorithms.ts";
import { NO_CONTEXT } from "#core/context.ts";
import type { Provider, ProviderOperation } from "#core/provider.ts";
import { call, expectUnsupported, type ProviderTest, type ProviderTests } from "./subject.ts";

/** What is in no row is refused before the call: with a key that does not exist, so that a call would have said so. */
export const undeclaredTests: ProviderTests = ({ capabilities }) => {
  const { rows } = capabilities;
  const declared = (operation: ProviderOperation, algorithm: AlgorithmName): boolean =>
    rows.some((row) => row.operation === operation && row.algorithm === algorithm);
  const creatable = new Set<AlgorithmName>([...rows.map((row) => row.algorithm), capabilities.recipientAlgorithm]);
  const operations = Object.entries(ATTEMPTS).map(([operation, attempt]): ProviderTest => ({
    name: `${operation} refuses every algorithm that is not declared, before the call`,
    run: async ({ provider, harness }) => {
      for (const algorithm of ALGORITHM_NAMES) {
        if (declared(operation as ProviderOperation, algorithm)) continue;
        const run = attempt(provider, { ref: harness.unknownRef, algorithm });
        if (run !== undefined) await expectUnsupported(provider, run);
      }
    },
  }));
  const create: ProviderTest = {
    name: "create refuses every algorithm that no row names",
    run: async ({ provider, freshMarker }) => {
      for (const algorithm of ALGORITHM_NAMES.filter((name) => !creatable.has(name))) {
        const spec = { algorithm, marker: freshMarker(), description: "" };
        await expectUnsupported(provider, async () => await provider.keys.create(spec, call()));
      }
    },
  };
  return [...operations, create];
};

type Attempt = (
  provider: Provider,
  input: { readonly ref: string; readonly algorithm: AlgorithmName },
) => (() => Promise<unknown>) | undefined;

const BYTES = Buffer.alloc(48, 7);
const SIGNABLE = { kind: "message", bytes: BYTES } as const;

/** Operations whose algorithm the caller names; undefined where the provider has not even the ability. */
const ATTEMPTS: Partial<Readonly<Record<ProviderOperation, Attempt>>> = {
  encrypt: ({ cipher }, input) =>
    cipher && (async () => await cipher.encrypt({ ...input, plaintext: BYTES, context: NO_CONTEXT }, call())),
  decrypt: ({ cipher }, input) =>
    cipher && (async () => await cipher.decrypt({ ...input, ciphertext: BYTES, context: NO_CONTEXT }, call())),
  mac: ({ mac }, input) => mac && (async () => await mac.mac({ ...input, message: BYTES }, call())),
  "verify-mac": ({ mac }, input) =>
    mac && (async () => await mac.verifyMac({ ...input, message: BYTES, mac: BYTES }, call())),
  sign: ({ signer }, input) => signer && (async () => await signer.sign({ ...input, signable: SIGNABLE }, call())),
  verify: ({ signer }, input) =>
    signer && (async () => await signer.verify({ ...input, signable: SIGNABLE, signature: BYTES }, call())),
  "wrap-material": ({ materialWrapper }, input) =>
    materialWrapper && (async () => await materialWrapper.wrapMaterial({ ...input, material: BYTES }, call())),
  "unwrap-material": ({ materialWrapper }, input) =>
    materialWrapper && (async () => await materialWrapper.unwrapMaterial({ ...input, wrapped: BYTES }, call())),
  agree: ({ agreement }, input) =>
    agreement && (async () => await agreement.agree({ ...input, peerPublicKey: BYTES }, call())),
  encapsulate: ({ encapsulation }, input) =>
    encapsulation?.encapsulate && (async () => await encapsulation.encapsulate?.(input, call())),
  decapsulate: ({ encapsulation }, input) =>
    encapsulation && (async () => await encapsulation.decapsulate({ ...input, ciphertext: BYTES }, call())),
  import: ({ importer }, { algorithm }) =>
    importer &&
    (async () =>
      await importer.importKey({ algorithm, marker: "undeclared", description: "", material: BYTES }, call())),
  export: ({ exporter }, input) =>
    exporter && (async () => await exporter.exportKey({ ...input, wrappingKey: BYTES }, call())),
};
