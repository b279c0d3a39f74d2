import { createHash } from "node:crypto";
import { type AlgorithmName, algorithmTraits } from "#core/algorithms.ts";
import type { CapabilityRow, Signable, Signer } from "#core/provider.ts";
import { requireCapability } from "./capabilities.ts";
import { CKM } from "./constants.ts";
import { curveBytes, derOfRaw, rawOfDer } from "./ecdsa-form.ts";
import { unsupported } from "./errors.ts";
import { DIGEST_INFO, messageMechanism } from "./specs.ts";
import { ask, ownBytes, type Tools } from "./tools.ts";
import type { Mechanism } from "./wire.ts";

/** RSA-PSS and PKCS #1 v1.5 over messages in the token; ECDSA over the digest that is made here; Ed25519 over the message. */
export function pkcs11Signer(tools: Tools): Signer {
  const { capabilities } = tools;
  return {
    sign: async ({ ref, algorithm, signable }, call) => {
      requireSignable(requireCapability(capabilities, "sign", algorithm, signable.bytes.length), signable);
      const made = await ask(tools, call, "sign", { id: ref, algorithm, ...signedOf(algorithm, signable) });
      const bytes = curveBytes(algorithm);
      return { value: bytes === undefined ? ownBytes(made) : derOfRaw(made, bytes), requestId: null };
    },
    verify: async ({ ref, algorithm, signable, signature }, call) => {
      requireSignable(requireCapability(capabilities, "verify", algorithm, signable.bytes.length), signable);
      const bytes = curveBytes(algorithm);
      // a signature that is none by its form is false, if the key may be asked at all
      const raw = bytes === undefined ? signature : (rawOfDer(signature, bytes) ?? Buffer.alloc(2 * bytes));
      const asked = { id: ref, algorithm, ...signedOf(algorithm, signable), signature: raw };
      return { value: await ask(tools, call, "verify", asked), requestId: null };
    },
  };
}

/** The mechanism, and what it is given. */
function signedOf(
  algorithm: AlgorithmName,
  { kind, bytes }: Signable,
): { readonly mechanism: Mechanism; readonly data: Uint8Array } {
  const { hash } = algorithmTraits(algorithm);
  if (algorithm.startsWith("EC-"))
    return { mechanism: { type: CKM.ECDSA }, data: kind === "digest" ? bytes : digestOf(hash, bytes) };
  if (kind === "message") return { mechanism: messageMechanism(algorithm), data: bytes };
  const prefix = DIGEST_INFO[hash ?? ""] ?? Buffer.alloc(0);
  return { mechanism: { type: CKM.RSA_PKCS }, data: Buffer.concat([prefix, bytes]) };
}

function requireSignable(row: CapabilityRow, { kind, bytes }: Signable): void {
  if (kind === "message") return;
  if (row.digests !== true) throw unsupported(`${row.operation} of a digest with ${row.algorithm}`);
  const wanted = digestOf(algorithmTraits(row.algorithm).hash, Buffer.alloc(0)).length;
  if (bytes.length !== wanted)
    throw unsupported(`${row.operation} of a digest of ${bytes.length} bytes with ${row.algorithm}`);
}

function digestOf(hash: string | undefined, bytes: Uint8Array): Buffer {
  return createHash(hash ?? "sha256")
    .update(bytes)
    .digest();
}
