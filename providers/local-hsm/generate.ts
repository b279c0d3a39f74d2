import { createHmac, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import type { AlgorithmName } from "#core/algorithms.ts";
import type { Random } from "#core/clock.ts";
import { unsupported } from "./errors.ts";
import { privateKeyBytes } from "./private-key.ts";
import { type KeyShape, type NamedType, shapeOf } from "./shapes.ts";

const PUBLIC_EXPONENT = 65_537;

/**
 * Material of a new key, which its caller zeroes: raw bytes, or PKCS#8 DER. Private keys are node:crypto's own, made off the event loop:
 * unlike symmetric ones they have no part of the kernel's randomness.
 */
export async function newMaterial(algorithm: AlgorithmName, random: Random): Promise<Buffer> {
  const shape = shapeOf(algorithm);
  if (shape === undefined) throw unsupported(`a key for ${algorithm}`);
  return shape.kind === "secret" ? newSecret(shape.bytes, random) : privateKeyBytes(await newPrivateKey(shape));
}

/** A private key of a shape. */
export async function newPrivateKey(shape: Exclude<KeyShape, { kind: "secret" }>): Promise<KeyObject> {
  switch (shape.kind) {
    case "rsa": {
      const options = { modulusLength: shape.modulusBits, publicExponent: PUBLIC_EXPONENT };
      return (await generate("rsa", options)).privateKey;
    }
    case "ec":
      return (await generate("ec", { namedCurve: shape.curve, paramEncoding: "named" })).privateKey;
    case "named":
      return (await generateNamed(shape.type, {})).privateKey;
  }
}

const generate = promisify(generateKeyPair);
/** The types of node:crypto list the post-quantum algorithms one by one; all of them take no options. */
const generateNamed = generate as unknown as (
  type: NamedType,
  options: Record<string, never>,
) => Promise<{ readonly privateKey: KeyObject }>;

/** HKDF-Extract of both generators (keys.md, "New keys"): a cloned machine repeats at most one of them. At most 64 bytes. */
function newSecret(length: number, random: Random): Buffer {
  const input = random.bytes(32);
  const whole = createHmac("sha512", random.kernelBytes(32)).update(input).digest();
  const material = Buffer.alloc(length);
  whole.copy(material);
  whole.fill(0);
  input.fill(0);
  return material;
}
