import { AwsFailure, invalidState, validation } from "./failure.ts";
import type { Input } from "./input.ts";
import type { Material } from "./material.ts";
import type { Key } from "./state.ts";

type Brought = { readonly id: string; readonly fingerprint: string; readonly input: Input };

/**
 * Decides which material of a key an import fills. Existing material takes only what it had before. A symmetric key
 * takes new material besides, which waits for RotateKeyOnDemand unless it is the first. SDK, `ImportType`.
 */
export const chooseMaterial = (key: Key, { id, fingerprint, input }: Brought): Material => {
  const type = input.choice("ImportType", ["NEW_KEY_MATERIAL", "EXISTING_KEY_MATERIAL"]);
  const named = input.text("KeyMaterialId", { min: 64, max: 64 });
  const same = key.materials.find((material) => material.imported?.fingerprint === fingerprint);
  if (type !== undefined && key.spec !== "SYMMETRIC_DEFAULT") {
    throw validation("ImportType is only valid for symmetric encryption KMS keys.");
  }
  if (type !== "NEW_KEY_MATERIAL" && (key.materials.length > 0 || type === "EXISTING_KEY_MATERIAL")) {
    if (same === undefined || (named !== undefined && same.id !== named)) throw incorrectMaterial();
    return same;
  }
  if (same !== undefined) throw incorrectMaterial();
  return addMaterial(key, id);
};

const addMaterial = (key: Key, id: string): Material => {
  const waiting = key.materials.find(({ state }) => state === "PENDING_ROTATION");
  if (waiting !== undefined) {
    throw invalidState(
      `New key material (id: ${id}) cannot be imported into KMS key ${key.arn}, because another key material (id: ${waiting.id}) is pending rotation.`,
    );
  }
  const state = key.materials.length === 0 ? "CURRENT" : "PENDING_ROTATION";
  const material: Material = { id, state, key: undefined };
  key.materials.push(material);
  return material;
};

/** Also for material that does not fit the key: SDK, "expired, invalid, or is not the same key material". */
export const incorrectMaterial = (): AwsFailure => new AwsFailure("IncorrectKeyMaterialException");
