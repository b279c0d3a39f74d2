import { createPublicKey, type KeyObject, sign } from "node:crypto";
import { auditKeyId } from "#audit/record.ts";
import type { StatementSigner } from "#core/statements.ts";

/** Signs with the key that signs the audit trail, whose public half stands beside the trail and in each statement. */
export function createStatementSigner(signingKey: KeyObject): StatementSigner {
  const keyId = auditKeyId(signingKey);
  return {
    keyId,
    publicKey: createPublicKey(signingKey).export({ format: "der", type: "spki" }),
    sign: (type, statement) => {
      const header = encode({ alg: "EdDSA", kid: keyId, typ: type });
      const signed = `${header}.${encode(statement)}`;
      return `${signed}.${sign(null, Buffer.from(signed, "ascii"), signingKey).toString("base64url")}`;
    },
  };
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value), "utf8").toString("base64url");
}
