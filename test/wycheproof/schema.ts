import { z } from "zod";

const Hex = z
  .string()
  .regex(/^(?:[0-9a-f]{2})*$/iu)
  .transform((text) => Buffer.from(text, "hex"));

const Vector = z.object({
  tcId: z.number(),
  comment: z.string().optional(),
  flags: z.array(z.string()).optional(),
  result: z.enum(["valid", "invalid", "acceptable"]),
  key: Hex.optional(),
  iv: Hex.optional(),
  aad: Hex.optional(),
  msg: Hex.optional(),
  ct: Hex.optional(),
  tag: Hex.optional(),
  sig: Hex.optional(),
  label: Hex.optional(),
  ctx: Hex.optional(),
  ikm: Hex.optional(),
  salt: Hex.optional(),
  info: Hex.optional(),
  okm: Hex.optional(),
  size: z.number().optional(),
  public: Hex.optional(),
  private: z.string().optional(),
  shared: Hex.optional(),
  seed: Hex.optional(),
  ek: Hex.optional(),
  c: Hex.optional(),
  K: Hex.optional(),
});

const Group = z.object({
  type: z.string(),
  keySize: z.number().optional(),
  ivSize: z.number().optional(),
  tagSize: z.number().optional(),
  sha: z.string().optional(),
  mgfSha: z.string().optional(),
  sLen: z.number().optional(),
  curve: z.string().optional(),
  parameterSet: z.string().optional(),
  privateKeyPkcs8: Hex.nullish(),
  privateSeed: Hex.optional(),
  publicKeyDer: Hex.nullish(),
  publicKey: z.unknown().optional(),
  tests: z.array(Vector),
});

/** A file of Wycheproof vectors, as far as we read it. */
export const WycheproofFile = z.object({ algorithm: z.string(), testGroups: z.array(Group) });

export type WycheproofVector = z.infer<typeof Vector>;
export type WycheproofGroup = z.infer<typeof Group>;
