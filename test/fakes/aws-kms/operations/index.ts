import { agreementOperations } from "./agreement.ts";
import { aliasOperations } from "./aliases.ts";
import { dataKeyPairOperations } from "./data-key-pairs.ts";
import { dataKeyOperations } from "./data-keys.ts";
import { encryptionOperations } from "./encryption.ts";
import { importOperations } from "./import.ts";
import { keyOperations } from "./keys.ts";
import { macOperations } from "./macs.ts";
import type { Operations } from "./operation.ts";
import { policyOperations } from "./policies.ts";
import { rotationOperations } from "./rotation.ts";
import { signatureOperations } from "./signatures.ts";
import { stateOperations } from "./states.ts";
import { tagOperations } from "./tags.ts";

/** Every operation that the fake knows; all others are UnknownOperationException. */
export const OPERATIONS: Operations = {
  ...keyOperations,
  ...stateOperations,
  ...aliasOperations,
  ...tagOperations,
  ...policyOperations,
  ...rotationOperations,
  ...encryptionOperations,
  ...dataKeyOperations,
  ...dataKeyPairOperations,
  ...signatureOperations,
  ...macOperations,
  ...agreementOperations,
  ...importOperations,
};
