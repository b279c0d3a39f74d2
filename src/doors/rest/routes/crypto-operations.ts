import { z } from "zod";
import type { Caller } from "#broker/caller.ts";
import { agree, agreeBatch } from "#broker/agree.ts";
import { decapsulate, decapsulateBatch, encapsulate, encapsulateBatch } from "#broker/kem.ts";
import { mac, macBatch, verifyMac, verifyMacBatch } from "#broker/mac.ts";
import { sign, signBatch } from "#broker/sign.ts";
import { unwrap, unwrapBatch, wrap, wrapBatch } from "#broker/wrap.ts";
import { verify, verifyBatch } from "#broker/verify.ts";
import { STATES } from "#core/states.ts";
import { authenticatedRoute, type Route } from "#http/route.ts";
import { ciphertextText, readBytes, requireReadable } from "../ciphertext-form.ts";
import { operationBody } from "../operation-body.ts";
import { callerOf, type RestParts } from "../rest-parts.ts";
import { base64 } from "../schema/primitives.ts";
import {
  agreeItem,
  decapsulateItem,
  encapsulateItem,
  macItem,
  signItem,
  unwrapItem,
  verifyItem,
  verifyMacItem,
  wrapItem,
} from "../schema/operation-requests.ts";
import { answers, batchable, DATA, run, served, type Use } from "./operation-run.ts";

const keyState = z.enum(STATES).describe("Of the version that fits; of the key where none does.");
const nothing = (): void => undefined;

/** One operation as data: its words, its body, its answer, and the use case behind it. */
type Operation<S extends z.ZodType, V> = {
  readonly name: string;
  readonly id: string;
  readonly summary: string;
  readonly description: string;
  readonly item: S;
  readonly answer: z.ZodRawShape;
  readonly use: (parts: RestParts, caller: Caller) => Use<z.output<S>, V>;
};

function operationRoute<S extends z.ZodType, V>(parts: RestParts, operation: Operation<S, V>): Route {
  const { name, id, summary, description, item, answer, use } = operation;
  return authenticatedRoute({
    ...DATA,
    path: `/v1/keys/:key/${name}`,
    operation: name,
    summary,
    description,
    body: operationBody(item),
    bodyDoc: batchable(id, item),
    answers: answers(id, z.object({ ...answer, ...served }).meta({ id: `${id}Answer` })),
    handle: async ({ params, body, facts }, principal) =>
      await run(body, params, use(parts, callerOf(parts, facts, principal))),
  });
}

/** Signatures, MACs, wrapping, key agreement and encapsulation (api.md § 7). */
export function cryptoRoutes(parts: RestParts): readonly Route[] {
  return [...signatureRoutes(parts), ...macRoutes(parts), ...wrapRoutes(parts), ...secretRoutes(parts)];
}

function signatureRoutes(parts: RestParts): readonly Route[] {
  return [
    operationRoute(parts, {
      name: "sign",
      id: "Sign",
      summary: "Sign under the primary version",
      description: "Runs in the provider that holds the key. `kid` names the public key that verifies the signature.",
      item: signItem,
      answer: { signature: base64, kid: z.string() },
      use: ({ broker }, caller) => ({
        check: nothing,
        single: async (key, item) => await sign(broker, caller, key, item),
        batch: async (key, items) => await signBatch(broker, caller, key, items),
        toJson: ({ signature, ...rest }) => ({ signature: signature.toString("base64"), ...rest }),
      }),
    }),
    operationRoute(parts, {
      name: "verify",
      id: "Verify",
      summary: "Check a signature",
      description:
        "Runs on the public key that the gateway keeps. A signature that does not verify, also by its form, is `valid: false`.",
      item: verifyItem,
      answer: { valid: z.boolean(), keyState },
      use: ({ broker }, caller) => ({
        check: nothing,
        single: async (key, item) => await verify(broker, caller, key, item),
        batch: async (key, items) => await verifyBatch(broker, caller, key, items),
        toJson: (value) => value,
      }),
    }),
  ];
}

function macRoutes(parts: RestParts): readonly Route[] {
  return [
    operationRoute(parts, {
      name: "mac",
      id: "Mac",
      summary: "Make a MAC under the primary version",
      description: "HMAC, whole. Runs in the gateway for portable keys.",
      item: macItem,
      answer: { mac: base64 },
      use: ({ broker }, caller) => ({
        check: nothing,
        single: async (key, item) => await mac(broker, caller, key, item),
        batch: async (key, items) => await macBatch(broker, caller, key, items),
        toJson: ({ mac: value, ...rest }) => ({ mac: value.toString("base64"), ...rest }),
      }),
    }),
    operationRoute(parts, {
      name: "verify-mac",
      id: "VerifyMac",
      summary: "Check a MAC",
      description: "Tries every version that may verify, newest first. A MAC that does not fit is `valid: false`.",
      item: verifyMacItem,
      answer: { valid: z.boolean(), keyState },
      use: ({ broker }, caller) => ({
        check: nothing,
        single: async (key, item) => await verifyMac(broker, caller, key, item),
        batch: async (key, items) => await verifyMacBatch(broker, caller, key, items),
        toJson: (value) => value,
      }),
    }),
  ];
}

function wrapRoutes(parts: RestParts): readonly Route[] {
  return [
    operationRoute(parts, {
      name: "wrap",
      id: "Wrap",
      summary: "Wrap key material under the primary version",
      description:
        "RFC 5649 (AES-KWP) or RFC 3394 (AES-KW); binds no context. `format: native` answers the bare bytes.",
      item: wrapItem,
      answer: { wrapped: z.string() },
      use: ({ broker }, caller) => ({
        check: nothing,
        single: async (key, item) => await wrap(broker, caller, key, item),
        batch: async (key, items) => await wrapBatch(broker, caller, key, items),
        toJson: ({ wrapped, bare, ...rest }) => ({ wrapped: ciphertextText({ ciphertext: wrapped, bare }), ...rest }),
      }),
    }),
    operationRoute(parts, {
      name: "unwrap",
      id: "Unwrap",
      summary: "Open wrapped key material",
      description: "Bare bytes (`format: native`) name no version: of a key that has several, name one with `@N`.",
      item: unwrapItem,
      answer: { material: base64 },
      use: ({ broker }, caller) => ({
        check: ({ wrapped, format }) => requireReadable("wrapped", wrapped, format),
        single: async (key, { wrapped, format }) =>
          await unwrap(broker, caller, key, { wrapped: readBytes(wrapped, format), format }),
        batch: async (key, items) =>
          await unwrapBatch(
            broker,
            caller,
            key,
            items.map(({ wrapped, format }) => ({ wrapped: readBytes(wrapped, format), format })),
          ),
        toJson: ({ material, ...rest }) => ({ material: spent(material), ...rest }),
      }),
    }),
  ];
}

function secretRoutes(parts: RestParts): readonly Route[] {
  return [
    operationRoute(parts, {
      name: "agree",
      id: "Agree",
      summary: "Agree on a secret with a peer's public key",
      description: "The raw x-coordinate (X25519: the 32 bytes). It is no key yet: derive one from it.",
      item: agreeItem,
      answer: { sharedSecret: base64 },
      use: ({ broker }, caller) => ({
        check: nothing,
        single: async (key, item) => await agree(broker, caller, key, item),
        batch: async (key, items) => await agreeBatch(broker, caller, key, items),
        toJson: ({ sharedSecret, ...rest }) => ({ sharedSecret: spent(sharedSecret), ...rest }),
      }),
    }),
    operationRoute(parts, {
      name: "encapsulate",
      id: "Encapsulate",
      summary: "Make a secret and its ciphertext",
      description: "ML-KEM (FIPS 203). Whoever has the public key can do the same.",
      item: encapsulateItem,
      answer: { ciphertext: base64, sharedSecret: base64 },
      use: ({ broker }, caller) => ({
        check: nothing,
        single: async (key, item) => await encapsulate(broker, caller, key, item),
        batch: async (key, items) => await encapsulateBatch(broker, caller, key, items),
        toJson: ({ ciphertext, sharedSecret, ...rest }) => ({
          ciphertext: ciphertext.toString("base64"),
          sharedSecret: spent(sharedSecret),
          ...rest,
        }),
      }),
    }),
    operationRoute(parts, {
      name: "decapsulate",
      id: "Decapsulate",
      summary: "Open a ciphertext of an encapsulation",
      description: "A ciphertext of the right length always gives a secret; a wrong one another secret.",
      item: decapsulateItem,
      answer: { sharedSecret: base64 },
      use: ({ broker }, caller) => ({
        check: nothing,
        single: async (key, item) => await decapsulate(broker, caller, key, item),
        batch: async (key, items) => await decapsulateBatch(broker, caller, key, items),
        toJson: ({ sharedSecret, ...rest }) => ({ sharedSecret: spent(sharedSecret), ...rest }),
      }),
    }),
  ];
}

/** A secret as base64; its bytes are gone then. */
function spent(secret: Buffer): string {
  const text = secret.toString("base64");
  secret.fill(0);
  return text;
}
