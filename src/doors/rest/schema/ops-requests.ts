/** The bodies of what operators do: providers and policy (api.md § 10). */
import { z } from "zod";
import { KEY_OPERATIONS, type KeyOperation } from "#core/purposes.ts";
import { custodyRequest } from "./custody-request.ts";
import { algorithm, purpose } from "./key-requests.ts";
import { defaulted, optional } from "./optional.ts";
import { characters, keyName, keyReference, providerName } from "./primitives.ts";
import { labels } from "./string-maps.ts";

export const KEY_OPERATION_NAMES = Object.keys(KEY_OPERATIONS) as [KeyOperation, ...KeyOperation[]];

export const drainBody = z
  .strictObject({ reason: characters(1, 1000) })
  .meta({ id: "DrainRequest", override: { examples: [{ reason: "maintenance of the HSM" }] } });

export const restoreBody = z
  .strictObject({ share: defaulted(z.number().gt(0).max(1), 1).describe("Of its traffic; all unless told.") })
  .meta({ id: "RestoreRequest", override: { examples: [{ share: 0.1 }] } });

const assumed = defaulted(z.array(providerName).max(16), []);

export const explainBody = z
  .strictObject({
    operation: z.enum(["create-key", ...KEY_OPERATION_NAMES]),
    key: optional(keyReference).describe("Wanted for an operation on a key."),
    create: optional(
      z.strictObject({
        labels: defaulted(labels, {}),
        purpose,
        algorithm,
        custody: optional(custodyRequest),
        name: optional(keyName),
      }),
    ).describe("Wanted for `create-key`."),
    assume: optional(z.strictObject({ down: assumed, drained: assumed, throttled: assumed })).describe(
      "Providers to think of as down, drained or throttled.",
    ),
  })
  .meta({
    id: "ExplainRequest",
    override: { examples: [{ operation: "encrypt", key: "orders", assume: { down: ["hsm-a"] } }] },
  });
