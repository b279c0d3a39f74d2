import type { AlgorithmName } from "#core/algorithms.ts";
import type { ProviderOperation } from "#core/provider.ts";
import type { NativeRef } from "#core/records.ts";
import { AWS_KMS_CAPABILITIES } from "#providers/aws-kms/capabilities.ts";
import { type Adapter, call } from "./open.ts";

/** The algorithms that some row has for an operation. */
export function algorithmsWith(operation: ProviderOperation): AlgorithmName[] {
  return AWS_KMS_CAPABILITIES.rows.flatMap((row) => (row.operation === operation ? [row.algorithm] : []));
}

/** A new key; the marker is its algorithm's. */
export async function makeKey(provider: Adapter, algorithm: AlgorithmName, marker = "m"): Promise<NativeRef> {
  const spec = { algorithm, marker: `${marker}-${algorithm.toLowerCase()}`, description: "test" };
  return (await provider.keys.create(spec, call())).ref;
}

/** The bytes with one bit turned. */
export function flipped(bytes: Buffer, at = 0): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
  return copy;
}
