import { decrypt, encrypt } from "./ciphering.ts";
import { forbidden } from "./failure.ts";
import { bytesOf, textOf } from "./input.ts";
import type { Operation } from "./operation.ts";
import { kidOf, seconds } from "./render.ts";
import { schemeFor } from "./signing.ts";
import { liveVersion, type KeyVersion, type VaultState } from "./state.ts";

/** What still works before nbf and after exp: Microsoft's about-keys-details. */
const ALWAYS = new Set(["decrypt", "unwrapKey", "verify"]);

type Use = (version: KeyVersion, body: Parameters<Operation>[1]["body"]) => Readonly<Record<string, unknown>>;

const using =
  (keyOp: string, use: Use): Operation =>
  (vault, { name, version, body }) => {
    const [key, found] = liveVersion(vault, name, version);
    requireUse(vault, found, keyOp);
    return { ...use(found, body), ...(keyOp === "verify" ? {} : { kid: kidOf(vault, key.name, found.version) }) };
  };

const requireUse = (vault: VaultState, version: KeyVersion, keyOp: string): void => {
  const { attributes, keyOps } = version.settings.seen(vault.now());
  const now = seconds(vault.now());
  if (!attributes.enabled) throw forbidden("KeyDisabled", `Operation ${keyOp} is not allowed on a disabled key.`);
  if (!ALWAYS.has(keyOp)) {
    if (attributes.nbf !== undefined && now < attributes.nbf) {
      throw forbidden("KeyNotYetValid", `Operation ${keyOp} is not allowed on a key that is not yet valid.`);
    }
    if (attributes.exp !== undefined && now >= attributes.exp) {
      throw forbidden("KeyExpired", `Operation ${keyOp} is not allowed on an expired key.`);
    }
  }
  if (!keyOps.includes(keyOp)) {
    throw forbidden("KeyOperationForbidden", `Operation ${keyOp} is not permitted on this key.`);
  }
};

const text = (bytes: Buffer): string => bytes.toString("base64url");

const seal: Use = ({ material }, body) => {
  const { value, iv, tag, aad } = encrypt(material, body);
  return {
    value: text(value),
    ...(iv === undefined ? {} : { iv: text(iv) }),
    ...(tag === undefined ? {} : { tag: text(tag) }),
    ...(aad === undefined ? {} : { aad: text(aad) }),
  };
};

const open: Use = ({ material }, body) => ({ value: text(decrypt(material, body)) });

const sign: Use = ({ material }, body) => {
  const digest = bytesOf(body, "value");
  return { value: text(schemeFor(textOf(body, "alg"), material, digest).sign(material, digest)) };
};

const verify: Use = ({ material }, body) => {
  const digest = bytesOf(body, "digest");
  const scheme = schemeFor(textOf(body, "alg"), material, digest);
  return { value: scheme.verify(material, digest, bytesOf(body, "value")) };
};

/** Uses of a key, by Microsoft's names. */
export const USES: Readonly<Record<string, Operation>> = {
  Encrypt: using("encrypt", seal),
  Decrypt: using("decrypt", open),
  WrapKey: using("wrapKey", seal),
  UnwrapKey: using("unwrapKey", open),
  Sign: using("sign", sign),
  Verify: using("verify", verify),
};
