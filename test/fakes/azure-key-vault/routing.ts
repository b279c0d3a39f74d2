type Route = readonly [method: string, path: RegExp, operation: string];

const NAME = "(?<name>[0-9A-Za-z-]{1,127})";
const VERSION = "(?<version>[0-9a-f]{32})";

/** In order: the first that fits. */
const ROUTES: readonly Route[] = [
  ["POST", /^\/rng$/, "GetRandomBytes"],
  ["GET", /^\/keys$/, "GetKeys"],
  ["POST", /^\/keys\/restore$/, "RestoreKey"],
  ["GET", /^\/deletedkeys$/, "GetDeletedKeys"],
  ["GET", new RegExp(`^/deletedkeys/${NAME}$`), "GetDeletedKey"],
  ["DELETE", new RegExp(`^/deletedkeys/${NAME}$`), "PurgeDeletedKey"],
  ["POST", new RegExp(`^/deletedkeys/${NAME}/recover$`), "RecoverDeletedKey"],
  ["POST", new RegExp(`^/keys/${NAME}/create$`), "CreateKey"],
  ["POST", new RegExp(`^/keys/${NAME}/rotate$`), "RotateKey"],
  ["POST", new RegExp(`^/keys/${NAME}/backup$`), "BackupKey"],
  ["GET", new RegExp(`^/keys/${NAME}/versions$`), "GetKeyVersions"],
  ["GET", new RegExp(`^/keys/${NAME}/rotationpolicy$`), "GetKeyRotationPolicy"],
  ["PUT", new RegExp(`^/keys/${NAME}/rotationpolicy$`), "UpdateKeyRotationPolicy"],
  ["PUT", new RegExp(`^/keys/${NAME}$`), "ImportKey"],
  ["DELETE", new RegExp(`^/keys/${NAME}$`), "DeleteKey"],
  ["GET", new RegExp(`^/keys/${NAME}/?(?:${VERSION})?$`), "GetKey"],
  ["PATCH", new RegExp(`^/keys/${NAME}/?(?:${VERSION})?$`), "UpdateKey"],
  ...["Encrypt", "Decrypt", "Sign", "Verify", "WrapKey", "UnwrapKey"].map((operation): Route => [
    "POST",
    new RegExp(`^/keys/${NAME}/(?:${VERSION})?/?${operation.toLowerCase()}$`),
    operation,
  ]),
];

export type Routed = { readonly operation: string; readonly name: string; readonly version: string | undefined };

/** Undefined where the API has no such path. */
export const route = (method: string, path: string): Routed | undefined => {
  for (const [wanted, pattern, operation] of ROUTES) {
    const match = wanted === method ? pattern.exec(path) : null;
    if (match !== null) return { operation, name: match.groups?.["name"] ?? "", version: match.groups?.["version"] };
  }
  return undefined;
};
